"""The demo's own pages, which play customers and colleagues on the simulator: `phone.py` puts the one page
together."""
