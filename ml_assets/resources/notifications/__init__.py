"""The database of notifications, the outbox that delivers them, and the targets that receive them."""
