"""Calls to Messenger from their plan until they come back: grouped, kept until their moment, made in threads."""
