"""What a fanpage shows around its chat: greeting, persistent menu and ice breakers.

Begin with `rules.py`. It is written here and published by core/fanpages/profile_publishing.py.
"""
