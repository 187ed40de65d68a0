"""Invisible characters in names and keys."""

import unicodedata


def is_invisible(character: str) -> bool:
    """Return whether a character is a control or format character, such as a byte order mark or a zero-width space."""
    return unicodedata.category(character) in ("Cc", "Cf")


def drop_invisible(text: str) -> str:
    """Remove control and format characters, line ends and tabs among them; spaces stay."""
    return text if text.isprintable() else "".join(character for character in text if not is_invisible(character))
