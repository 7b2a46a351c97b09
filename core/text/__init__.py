"""Cleans and compares texts and ids, in one place for imports, webhooks, command line, panel and simulator.

Pure functions that know no feature: `normalise` (texts and names), `identifiers` (PSIDs, page ids, tokens),
`matching` (texts compared as people mean them), `collation` (the order of names), `utf16_units` (lengths as
the platform counts them); and `catalogues` (the languages of the product).
"""
