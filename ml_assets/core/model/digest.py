"""The digest of a model: what it is called by everywhere."""

import hashlib


def model_digest(model: bytes, preprocessing: bytes) -> str:
    """SHA-256, 64 hexadecimal digits, over both files, each after its length (8 bytes, big endian)."""
    parts = [len(part).to_bytes(8, "big") + part for part in (model, preprocessing)]
    return hashlib.sha256(b"".join(parts)).hexdigest()
