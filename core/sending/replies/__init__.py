"""Claims and settles the bot's replies, which are messages by PSID that no token guards."""
