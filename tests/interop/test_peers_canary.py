"""The search for canaries finds them, and nothing else."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.peers import (
    canary,
    images,
)

HIDINGS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "upper case": lambda text: text.upper().encode(),
    "lower case": lambda text: text.lower().encode(),
    "mirrored": lambda text: text[::-1].encode(),
    "UTF-16 little": lambda text: text.encode("utf-16-le"),
    "UTF-16 big": lambda text: text.encode("utf-16-be"),
    "hex": lambda text: text.encode().hex().encode(),
    "hex in capitals": lambda text: text.encode().hex().upper().encode(),
    "hex dump": lambda text: text.encode().hex(" ").encode(),
    "hex with colons": lambda text: text.encode().hex(":", 2).encode(),
    "escaped": lambda text: "".join(rf"\x{ord(letter):02x}" for letter in text).encode(),
    "percent-encoded": lambda text: "".join(f"%{ord(letter):02X}" for letter in text).encode(),
    "hex of UTF-16": lambda text: text.encode("utf-16-le").hex().encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64 after one byte": lambda text: base64.b64encode(b"-" + text.encode()),
    "base64 after two bytes": lambda text: base64.b64encode(b"--" + text.encode()),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(b"\xff\xfe" + text.encode()),
    "base64 in lines": lambda text: base64.encodebytes(b"x" * 50 + text.encode()),
    "base64 of UTF-16": lambda text: base64.b64encode(text.encode("utf-16")),
    "repr of UTF-16": lambda text: repr(text.encode("utf-16-le")).encode(),
}


WORDS = ("name", "identifier", "accession", "description", "address")


@pytest.mark.parametrize(
    ("hiding", "what"),
    # Nobody writes a number from its end.
    [(hiding, what) for hiding in HIDINGS for what in (*WORDS, *(["study"] * (hiding != "mirrored")))],
)
def test_a_canary_is_found_however_it_is_written(canaries: canary.Canaries, hiding: str, what: str) -> None:
    told = HIDINGS[hiding](getattr(canaries.patients[7], what))

    assert canaries.find(("there", b'{"value": "' + told + b'"}'))


@pytest.mark.parametrize(
    "form",
    ["{0}{1}{2}", "{0}-{1}-{2}", "{0}.{1}.{2}", "{2}.{1}.{0}", "{1}/{2}/{0}", "{2}/{1}/{0}", "{2}{1}{0}"],
)
@pytest.mark.parametrize("hiding", ["plain", "UTF-16 little", "hex", "base64"])
def test_a_birth_date_is_found_however_it_is_written(
    canaries: canary.Canaries, form: str, hiding: str
) -> None:
    born = canaries.patients[3].born
    text = form.format(born[:4], born[4:6], born[6:])

    assert canaries.find(("there", b"born " + HIDINGS[hiding](text) + b" in"))


def test_what_is_not_a_canary_is_not_found(canaries: canary.Canaries, tmp_path: Path) -> None:
    (tmp_path / "clean.txt").write_text("Doe^Jane 19700101 1.2.840.10008.1.1 CT head\n" * 1000)
    (tmp_path / "noise.bin").write_bytes(os.urandom(1_000_000))
    (tmp_path / "other.dcm").write_bytes(b"".join(images.files(canary.hatch(2, 2))))

    assert canaries.find(tmp_path) == []


def test_a_canary_in_the_name_of_a_file_is_found(canaries: canary.Canaries, tmp_path: Path) -> None:
    (tmp_path / f"{canaries.patients[0].identifier}.html").write_text("nothing")

    assert canaries.find(tmp_path)


def test_two_runs_share_no_canary() -> None:
    first, second = canary.hatch(3, 3), canary.hatch(3, 3)

    assert first.find(("the second's", b"".join(images.files(second)))) == []
    assert first.find(("its own", b"".join(images.files(first))))
