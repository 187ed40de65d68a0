"""The database of notifications, the outbox that delivers them, and the targets that receive them. The rules of
notifications are in `core/operations/notifications`.
"""
