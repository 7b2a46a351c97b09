"""Running the product: `supervisor.py` starts its processes on one machine, `doctor.py` finds what would
keep messages from being sent, `metrics_figures.py` counts for /metrics."""
