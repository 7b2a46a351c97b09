"""Public clients, driven as their own documentation shows; scripts that import nothing of ours."""
