"""The digest of a model depends on every byte of both files, and on which file it is in."""

from ml_assets.core.model.digest import model_digest


def test_the_digest_is_of_both_files():
    digests = {
        model_digest(*files) for files in [(b"ab", b"c"), (b"a", b"bc"), (b"abc", b""), (b"", b"abc"), (b"c", b"ab")]
    }
    assert len(digests) == 5
    assert model_digest(b"ab", b"c") == model_digest(b"ab", b"c")


def test_the_digest_is_stable():
    assert (
        model_digest(b"model", b"preprocessing") == "f987672aff5c884111f18a08d986702eb32280d50eced20e37ee49c7671b2aa4"
    )
