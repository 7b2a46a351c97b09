"""Texts and ids made clean in one place for every door: import, webhook, command line, panel, simulator.

Pure functions that know no feature: `normalise` (texts and names), `identifiers` (PSIDs, page ids, tokens),
`matching` (texts compared as people mean them), `collation` (the order of names), `length` (what the
platform counts); and `languages` (the catalogues).
"""
