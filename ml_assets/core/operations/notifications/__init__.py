"""Notification events, the notifications that they open and resolve, the text of messages, and redaction of secrets."""
