"""The digest that identifies a model."""

import hashlib


def model_digest(model: bytes, preprocessing: bytes) -> str:
    """Return the SHA-256, as 64 hexadecimal digits, of both files, each preceded by its length (8 bytes,
    big-endian)."""
    parts = [len(part).to_bytes(8, "big") + part for part in (model, preprocessing)]
    return hashlib.sha256(b"".join(parts)).hexdigest()
