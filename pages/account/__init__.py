"""The page of one's own account: `account.py` says where one is signed in, and has the second factor."""
