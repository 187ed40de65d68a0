"""The dialect of CSV files."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from ml_assets.core.model_spec.types.base import SpecPart


class CsvDialect(SpecPart):
    """The dialect of the CSV files of a source; by default strict RFC 4180 in UTF-8.

    A quote opens a field only at its beginning, and is doubled within it; outside of quotes a line feed, a carriage
    return or both end a row. Empty lines are ignored. A line that breaks the dialect is not a row: text after a closing
    quote, a quote within an unquoted field, or more or fewer fields than the header. A quote that is never closed makes
    the file unreadable. Other formats are not affected."""

    delimiter: str = ","
    """The character between fields, for example `";"` or `"\\t"` (a tab, in double quotes)."""

    quote: str | None = '"'
    """The character around fields that contain delimiters, quotes or line ends; null if no character does."""

    escape: str | None = None
    """The escape character: the character after it is taken literally, for example `"\\\\"`. Within quotes, a doubled
    quote still means one quote."""

    null_values: list[str] = []
    """Texts that, besides an empty field, mean a missing value in a field without quotes, for example `["NULL"]` or
    `['\\N']`. In quotes they are text."""

    decimal: Literal[".", ","] = "."
    """The decimal separator of number and integer columns. A value with the other separator cannot be read, so a
    thousands separator is never mistaken for a decimal separator."""

    encoding: str = "utf-8"
    """The encoding of the text, by its Python name, for example `latin-1`, `cp1252` or `utf-16`. A byte order mark at
    the beginning is ignored."""

    skip_lines: int = Field(0, ge=0, le=1_000_000)
    """Number of lines above the header that are ignored, whatever they contain."""

    @field_validator("delimiter", "quote", "escape")
    @classmethod
    def _is_one_character(cls, value: str | None) -> str | None:
        if value is None or (len(value) == 1 and value.isascii() and not value.isalnum() and value not in "\r\n"):
            return value
        hint = '; write a tab as "\\t", in double quotes' if value == "\\t" else ""
        raise ValueError(f"must be one ASCII character other than a letter, a digit or a line end, not {value!r}{hint}")

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding_of_text(cls, value: str) -> str:
        try:
            "x".encode(value)
        except (LookupError, ValueError) as error:
            raise ValueError(f"{value!r} is not an encoding of text such as utf-8, latin-1 or cp1252") from error
        return value

    @model_validator(mode="after")
    def _null_values_can_be_read(self) -> "CsvDialect":
        special = [text for text in (self.delimiter, self.quote, self.escape, "\r", "\n") if text is not None]
        for value in self.null_values:
            if character := next((character for character in special if character in value), None):
                hint = " without its escape" if character == self.escape else ""
                raise ValueError(f"null_values: {value!r} contains {character!r}; state how it is written{hint}")
        return self

    @model_validator(mode="after")
    def _characters_differ(self) -> "CsvDialect":
        characters = [value for value in (self.delimiter, self.quote, self.escape) if value is not None]
        if len(set(characters)) < len(characters):
            hint = "; a doubled quote needs no escape" if self.quote and self.escape == self.quote else ""
            raise ValueError(f"delimiter, quote and escape must be different characters{hint}")
        return self
