"""The option that was meant."""

from __future__ import annotations

import pytest

from leadglass.configs.nearest import LONGEST, nearest

OPTIONS = (
    "AuthenticationEnabled",
    "DicomAet",
    "DicomAlwaysAllowFind",
    "DicomAlwaysAllowStore",
    "DicomCheckCalledAet",
    "DicomCheckModalityHost",
    "HttpServerEnabled",
    "RegisteredUsers",
    "RemoteAccessAllowed",
    "SslEnabled",
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("authenticationenabled", "AuthenticationEnabled"),
        ("DICOMAET", "DicomAet"),
        ("Ssl_Enabled", "SslEnabled"),
        ("AuthenticationEnable", "AuthenticationEnabled"),
        ("DicomAlwaysAlowStore", "DicomAlwaysAllowStore"),
        ("RegisterdUsers", "RegisteredUsers"),
        ("RemoteAccessEnabled", "RemoteAccessAllowed"),
        ("DicomCheckCallingAet", "DicomCheckCalledAet"),
        ("HttpCorsEnabled", "HttpServerEnabled"),
    ],
)
def test_the_option_that_was_meant_is_found(written: str, meant: str) -> None:
    assert nearest(written, OPTIONS) == meant


@pytest.mark.parametrize(
    "written", ["", "X", "Comment", "MyHospitalPlugin", "AllowCORS", "x" * (LONGEST + 1)]
)
def test_what_is_like_none_has_no_nearest(written: str) -> None:
    assert nearest(written, OPTIONS) is None


def test_there_is_no_nearest_of_nothing() -> None:
    assert nearest("DicomAet", ()) is None
