"""OTN topics: `topics.py` is the list, or with `?id=` one of them, which `detail.py` puts together."""
