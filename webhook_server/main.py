"""The webhook server: `uvicorn webhook_server.main:app`, or `python -m webhook_server` with JSON logs.

One process is the fastest on SQLite: its one writer commits in groups, and a second would wait for the file.
"""

from webhook_server.application import create_app

app = create_app()
