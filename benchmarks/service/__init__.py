"""The scoring service under load, beside a bare application and beside hostile clients."""
