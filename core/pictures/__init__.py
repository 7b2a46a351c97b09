"""Pictures that staff upload for messages: kept as files by `files.py`, handed to Messenger by
`scheduled_jobs.py`, deleted by `unused.py` when nothing shows them any more."""
