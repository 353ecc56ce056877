"""The archive's addresses in metadata."""

from __future__ import annotations

import json

import pytest

from leadglass.guard.dicomweb.urls import UrlWriter

PUBLIC = "https://guard.example/dicom-web"


def change(data: bytes, size: int = 1 << 20) -> bytes:
    writer = UrlWriter("/archive/web", PUBLIC)
    return b"".join(writer.feed(data[at : at + size]) for at in range(0, len(data), size)) + writer.finish()


@pytest.mark.parametrize("size", [1, 2, 5, 17, 1 << 20])
def test_addresses_of_the_archive_become_ours_wherever_the_text_is_cut(size: int) -> None:
    text = (
        '[{"7FE00010":{"vr":"OW","BulkDataURI":"http://10.0.0.1:8042/archive/web/studies/1.2/bulkdata/x"},'
        '"00081190":{"Value":["https:\\/\\/pacs\\/archive\\/web\\/studies\\/1.2"]},'
        '"00100010":{"Value":["http"]},"a":"http://elsewhere/archive/web2/studies/1","b":"http'
    )

    assert change(text.encode(), size).decode() == (
        f'[{{"7FE00010":{{"vr":"OW","BulkDataURI":"{PUBLIC}/studies/1.2/bulkdata/x"}},'
        f'"00081190":{{"Value":["{PUBLIC}\\/studies\\/1.2"]}},'
        '"00100010":{"Value":["http"]},"a":"http://elsewhere/archive/web2/studies/1","b":"http'
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://pacs/other/studies/1",
        "ftp://pacs/archive/web/studies/1",
        "http://pacs/archive/web/system",
        "http://pa cs/archive/web/studies/1",
        "/archive/web/studies/1",
        "http://" + "x" * 301 + "/archive/web/studies/1",
    ],
)
def test_other_texts_stay(url: str) -> None:
    text = json.dumps({"a": url}).encode()

    assert change(text) == change(text, 1) == text


def test_what_is_held_back_is_bounded() -> None:
    writer = UrlWriter("/archive/web", PUBLIC)

    assert len(writer.feed(b'"http' + b"x" * 10_000)) == 10_005
