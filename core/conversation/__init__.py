"""What the bot says: messages, what starts them, and the requests for opt-ins in them.

A message is written in `draft_actions.py` as a draft (`drafts.py`), of blocks (`blocks/`, one file a kind)
and entry points (`entry_kinds/`, likewise), checked by `rules.py`, and kept in `versions.py`. When a
customer does something, core/inbox asks `replies.py`, which finds the message by `entry_points.py` and
queues it with `reply_queue.py`; core/sending sends it. Requests are made in `opt_in_requests.py` as far as
the governor allows. What stands on the fanpage's Messenger Profile is in `messenger_profile/`, what a request
may promise in `promises/`.
"""
