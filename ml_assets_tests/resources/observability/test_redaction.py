"""No secret of a process leaves it: in log records, in exceptions with their causes, in what it prints."""

import base64
import io
import logging
import traceback
from urllib.parse import quote

import pytest

from ml_assets.resources.observability import redaction

USER, WORD = "admin", "p@ss/w0rd"
PAIR = f"{USER}:{WORD}"
FORMS = [
    WORD,
    quote(WORD, safe=""),
    f"http://{USER}:{quote(WORD, safe='')}@mlflow",
    f"Authorization: Basic {base64.b64encode(PAIR.encode()).decode()}",
]


@pytest.fixture(autouse=True)
def _secrets(monkeypatch):
    factory = logging.getLogRecordFactory()
    monkeypatch.setattr(redaction, "_spellings", ())
    redaction.redact_process([PAIR, WORD])
    yield
    logging.setLogRecordFactory(factory)


def is_clean(text: str) -> bool:
    return not any(form in text for form in (WORD, quote(WORD, safe=""), base64.b64encode(PAIR.encode()).decode()))


@pytest.mark.parametrize("form", FORMS)
def test_records_of_any_logger_have_no_secret_in_message_arguments_or_traceback(form, caplog):
    logger = logging.getLogger("a.library")
    logger.warning("cannot reach %s", form)
    try:
        raise ValueError(form)
    except ValueError:
        logger.exception("failed")
    assert is_clean(caplog.text)
    assert "***" in caplog.text
    assert "ValueError" in caplog.text


def test_a_record_without_a_secret_is_left_as_it_is(caplog):
    logging.getLogger("a.library").warning("%d rows", 3)
    assert caplog.records[0].args == (3,)


@pytest.mark.parametrize("form", FORMS)
def test_an_exception_has_no_secret_in_its_text_its_causes_and_its_arguments(form):
    class LibraryError(Exception):
        def __init__(self, message: str, cause: Exception):
            super().__init__(message, cause)
            self.message = message

    def request() -> None:
        try:
            raise OSError(f"no route to {form}")
        except OSError as error:
            raise LibraryError(f"request to {form} failed", error) from None

    with pytest.raises(LibraryError) as caught:
        request()
    redaction.redact_error(caught.value)
    assert is_clean("".join(traceback.format_exception(caught.value)) + caught.value.message)
    assert is_clean(repr(caught.value.__context__))
    assert "request to" in str(caught.value)


def test_a_stream_prints_everything_but_secrets(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setattr("sys.stderr", stream)
    redaction.redact_streams()
    print("a line", *FORMS)
    assert is_clean(stream.getvalue())
    assert stream.getvalue().startswith("a line ***")


def test_a_process_without_secrets_is_left_alone(monkeypatch):
    redaction.redact_process([])
    error = ValueError(WORD)
    redaction.redact_error(error)
    assert str(error) == WORD
