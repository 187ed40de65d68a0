"""Secrets are redacted, configured ones in all of their spellings and others by their form."""

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.core.operations.notifications.redaction import MIN_LENGTH, redact, secrets_of_url

SECRETS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=MIN_LENGTH, max_size=30
).filter(lambda secret: len(secret.strip()) >= MIN_LENGTH and "*" not in secret)
WORDS = st.text("abc xyz:/?@", max_size=20)


@given(st.lists(SECRETS, min_size=1, max_size=3), WORDS, WORDS)
def test_configured_secrets_are_redacted(secrets, before, after):
    for secret in secrets:
        for written in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]):
            assert secret.strip() not in redact(f"{before} {written} {after}", secrets)


@given(SECRETS, st.data())
def test_a_secret_of_which_a_library_encoded_some_characters_is_redacted(secret, data):
    def write(character: str) -> str:
        if character.isascii() and character.isalnum():
            return character
        raw = repr(character)[1:-1]
        encoded = "".join(f"%{byte:02{data.draw(st.sampled_from('xX'))}}" for byte in character.encode())
        return data.draw(st.sampled_from([character, raw, encoded, quote(encoded, safe="")]))

    secret = secret.strip()
    assert redact("".join(map(write, secret)), [quote(secret, safe="")]) == "***"


@given(SECRETS, WORDS)
def test_each_line_of_a_multi_line_secret_is_redacted(secret, other):
    assert secret.strip() not in redact(f"said {secret}", [f"{other}\n{secret}\n"])


@pytest.mark.parametrize(
    ("message", "secret"),
    [
        ("connect to postgresql://me:hunter2@db/state failed", "hunter2"),
        ("connect to postgresql://me:p@ss:word@db/state failed", "ss:word"),
        ("AKIAIOSFODNN7EXAMPLE is not authorized", "AKIAIOSFODNN7EXAMPLE"),
        ("ASIAIOSFODNN7EXAMPLE is not authorized", "ASIAIOSFODNN7EXAMPLE"),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ),
        ("{'password': 'open sesame'}", "open"),
        ('{"api_key": "abcdef"}', "abcdef"),
        ("Authorization: Bearer abcdefgh12345678", "abcdefgh12345678"),
        ("GET /x?X-Amz-Signature=0123abcd&b=1", "0123abcd"),
        ("token=xoxb-1234567890-abcdef", "xoxb-1234567890-abcdef"),
        ("sent with ghp_abcdefghijklmnop", "ghp_abcdefghijklmnop"),
        ("https://hooks.slack.com/services/T000/B000/XXXX said no", "T000"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "eyJzdWIiOiIxMjM0NTY3ODkwIn0"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
    ],
)
def test_text_that_looks_like_a_secret_is_redacted(message, secret):
    assert secret not in redact(message)


def test_ordinary_text_is_not_redacted():
    text = (
        "2025-01-02: rejected: 12 of 60 rows (20 %) break a rule, at s3://bucket/key of https://host/runs/1 by "
        "me@example.com: missing"
    )
    assert redact(text, ["abc", ""]) == text


@pytest.mark.parametrize(
    ("url", "secrets", "known"),
    [
        (
            "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#alerts",
            ["T1JJ3T3L2", "A1BRTD4JD", "TIiajkdnlazkcOXrIdevi7FQ"],
            "#alerts",
        ),
        ("mailto://me:my-password@example.com?smtp=mail.example.com", ["my-password"], "example.com"),
        (
            "mailtos://me:hunter-x@smtp.example.com:587?from=ops@example.com&to=team@example.com",
            ["hunter-x"],
            "smtp.example.com",
        ),
        ("mailto://127.0.0.1:2525?from=ops@example.com&to=team@example.com", [], "http://127.0.0.1:3000/runs/1"),
        ("mailto://me:pa?ss@example.com?to=team@example.com", ["pa?ss"], "example.com"),
        ("pagerduty://integration@apikey12345", ["integration", "apikey12345"], "pagerduty"),
        ("jsons://hooks.example.com/secret-path?token=abcdefgh", ["secret-path", "abcdefgh"], "hooks.example.com"),
    ],
)
def test_every_part_of_a_target_url_that_may_be_secret_is_a_secret(url, secrets, known):
    text = redact(f"{' and '.join(secrets)}; {url}; {known}", secrets_of_url(url))
    assert not [secret for secret in secrets if secret in text]
    assert text.endswith(known)
