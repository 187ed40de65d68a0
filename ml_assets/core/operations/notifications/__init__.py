"""Notification events, the notifications that they open and resolve, message texts, and redaction of secrets."""
