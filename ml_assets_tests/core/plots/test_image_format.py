"""A plot says in its URI and file name whether it is a PNG or an SVG."""

from base64 import b64decode

import pytest

from ml_assets.core.plots.image_format import data_uri, file_name

PNG, SVG = b"\x89PNG\r\n\x1a\n...", b"<svg xmlns='http://www.w3.org/2000/svg'/>"


@pytest.mark.parametrize(("plot", "kind", "file"), [(PNG, "png", "roc.png"), (SVG, "svg+xml", "roc.svg")])
def test_the_kind_of_a_plot_is_in_its_uri_and_its_file_name(plot, kind, file):
    head, _, content = data_uri(plot).partition(";base64,")
    assert (head, b64decode(content)) == (f"data:image/{kind}", plot)
    assert file_name("roc", plot) == file
