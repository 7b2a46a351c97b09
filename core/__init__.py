"""Everything that decides, stores and sends; the panel and the webhook server are thin over it.

A folder is a room, named by a word of the business (docs/glossary.md); docs/architecture.md draws how the
rooms hold together, and says where to look first.
"""
