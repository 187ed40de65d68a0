"""Damage to files at rest: single bits that flip, and ends that are cut off."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def flipped(content: bytes, bit: int) -> bytes:
    """Return a content with one bit flipped; the lowest bit of the first byte is bit 0."""
    damaged = bytearray(content)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


@contextmanager
def damaged(path: Path, content: bytes) -> Iterator[None]:
    """Let a file have another content in the block."""
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


def draw_bits(size: int, number: int, seed: int) -> list[int]:
    """Draw distinct bits of a content of `size` bytes."""
    return random.Random(seed).sample(range(size * 8), min(number, size * 8))
