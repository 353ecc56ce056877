"""Where a time-stamping authority is asked, as people type it."""

from __future__ import annotations

import pytest

from leadglass.errors import UsageError
from leadglass.net.timestamp import require_authority


@pytest.mark.parametrize(
    "url",
    [
        "http://tsa.example",
        "https://tsa.example/a/b?c=d",
        "http://[2001:db8::1]:3161/tsr",
        "HTTPS://TSA.example:8443/",
    ],
)
def test_an_authority_is_named_by_its_address(url: str) -> None:
    require_authority(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "tsa.example",
        "ftp://tsa.example/",
        "file:///etc/passwd",
        "http://",
        "http:///path",
        "http://user:word@tsa.example/",
        "http://tsa.example:port/",
        "http://tsa.example:70000/",
        "http://tsa.example/a b",
        "http://tsa.example/\r\nX: y",
        "http://tsä.example/",
        "http://tsa.example/#x",
        "http://[::1/",
    ],
)
def test_what_is_no_address_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(UsageError, match="is no address of an authority") as caught:
        require_authority(url)

    assert "\n" not in str(caught.value)
