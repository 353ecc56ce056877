"""What the base installation weighs: everything that it installs, from the records that pip keeps."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.source import SOURCE
from tests.unit.test_house import locked

MIB = 1 << 20
MOST = 100 * MIB


def sizes(package: str) -> Iterator[int]:
    """Octets of each file of an installed package, compiled ones too."""
    for file in importlib.metadata.distribution(package).files or ():
        path = Path(str(file.locate()))
        if path.is_file():
            yield path.stat().st_size


def test_the_base_installation_stays_under_100_mib() -> None:
    weights = {"leadglass": sum(path.stat().st_size for path in SOURCE.rglob("*") if path.is_file())}
    for package in locked("base"):
        try:
            weights[package] = sum(sizes(package))
        except importlib.metadata.PackageNotFoundError:
            assert package == "colorama", "make dev"  # for Windows alone

    heaviest = sorted(weights.items(), key=lambda one: -one[1])[:5]
    assert sum(weights.values()) < MOST, heaviest


@pytest.mark.parametrize("package", ["sqlalchemy", "cryptography"])
def test_what_is_weighed_is_there(package: str) -> None:
    assert sum(sizes(package)) > MIB
