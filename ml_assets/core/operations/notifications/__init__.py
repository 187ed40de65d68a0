"""Notification events, how they open and resolve notifications, the text of messages, and the redaction of secrets."""
