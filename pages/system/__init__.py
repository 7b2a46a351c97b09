"""The pages of those who run the installation: set-up, users and roles, activity, webhook events, health.
A file that is called by an address is a page, the others are its dialogs and words."""
