"""Calls to Messenger from plan to answer: grouped, kept for their moment, made in threads."""
