"""The composer of a message: `message.py` puts it together, `saving.py` keeps every change,
`publishing.py` lets the bot send it."""
