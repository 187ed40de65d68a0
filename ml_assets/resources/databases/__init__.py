"""Addresses of databases: PostgreSQL URIs, and the secrets in them."""
