"""zmap's CSV with names, without, and its plain list."""

from __future__ import annotations

import pytest
from tests.unit.imports.files import OPEN, told

from leadglass.imports.reading import Answered, Broken, Found, Kind

FIRST = Found("192.0.2.1", 104, None)


@pytest.mark.parametrize(
    "text",
    [
        "saddr,sport\n192.0.2.1,104\n192.0.2.2,11112\n",
        "saddr, sport\n192.0.2.1, 104\n192.0.2.2, 11112\n",
        "sport,saddr,success\n104,192.0.2.1,1\n4242,192.0.2.5,0\n11112,192.0.2.2,1\n",
        "classification,saddr,sport\nsynack,192.0.2.1,104\nrst,192.0.2.5,1\nsynack,192.0.2.2,11112\n",
        'saddr,data,sport\n192.0.2.1,"a,""b",104\n192.0.2.2,,11112\n',
        "192.0.2.1,104\n192.0.2.2,11112\n",
        "\ufeffsaddr,sport\r\n192.0.2.1,104\r\n\r\n# a comment\r\n192.0.2.2,11112",
    ],
)
def test_columns_are_found_by_name_or_by_place(text: str) -> None:
    assert told(text.encode()) == OPEN


@pytest.mark.parametrize(
    "text", ["saddr\n192.0.2.1\n", "192.0.2.1\n", "saddr,ttl\n192.0.2.1,64\n", "ip\n192.0.2.1"]
)
def test_addresses_alone_are_what_zmap_writes_unless_told_otherwise(text: str) -> None:
    assert told(text.encode()) == [Answered("192.0.2.1")]


def test_lines_with_and_without_a_port_stand_together() -> None:
    assert told(b"192.0.2.1,104\n192.0.2.1\n") == [FIRST, Answered("192.0.2.1")]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("192.0.2.1", "not as many cells as there are columns"),
        ("192.0.2.1,104,x", "not as many cells as there are columns"),
        ("pacs.example.org,104", "no address"),
        (",104", "no address"),
        ("192.0.2.1,0", "no port"),
        ("192.0.2.1,", "no port"),
        ("192.0.2.1,٣", "no port"),
        ('"' + "x" * 200_000, "not CSV"),
        ("\0\0", "not as many cells as there are columns"),
    ],
    ids=range(9),
)
def test_a_broken_line_is_told_by_number_and_the_rest_is_used(line: str, why: str) -> None:
    data = f"saddr,sport\n{line}\n192.0.2.1,104\n".encode()

    assert told(data) == [Broken(2, why), FIRST]


def test_columns_without_names_are_not_guessed() -> None:
    assert told(b"192.0.2.1,104,1\n", Kind.ZMAP_CSV) == [Broken(1, "columns without names")]
