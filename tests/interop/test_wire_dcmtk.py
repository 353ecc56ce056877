"""What we walk is what DCMTK reads: a gateway in front of an archive must not see another data set than it."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from tests.unit.wire.data_sets import (
    BIG,
    EXPLICIT,
    IMPLICIT,
    SYNTAXES,
    UNDEFINED,
    element,
    item,
    item_end,
    sequence_end,
)

from leadglass.errors import RemoteProtocolError
from leadglass.wire.elements import Syntax, walk

pytestmark = pytest.mark.peer("dcmtk")

OPTIONS = {IMPLICIT: "-ti", EXPLICIT: "-te", BIG: "-tb"}
TOP_LEVEL = re.compile(r"^\(([0-9a-f]{4}),([0-9a-f]{4})\)", re.MULTILINE)
STUDY, REFERENCED = 0x0020_000D, 0x0008_1115

each_syntax = pytest.mark.parametrize("syntax", SYNTAXES, ids=["implicit", "explicit", "explicit big endian"])


def dumped(files: Sequence[Path], syntax: Syntax) -> Mapping[str, str]:
    """What dcmdump says of each data set that it could read, by the name of its file."""
    done = subprocess.run(
        ["dcmdump", "-f", OPTIONS[syntax], "+E", "+F", *files],
        capture_output=True,
        check=False,
        timeout=60,
    )
    reports = re.split(r"^# dcmdump \(\d+/\d+\): ", done.stdout.decode("latin-1"), flags=re.MULTILINE)[1:]
    return {Path(report.partition("\n")[0]).name: report for report in reports}


def tags(report: str) -> list[int]:
    """The top level of a dump; delimiters that dcmdump adds for show are none of it."""
    found = [int(group + number, 16) for group, number in TOP_LEVEL.findall(report)]
    return [tag for tag in found if tag < 0xFFFE_0000]


def study(syntax: Syntax, uid: bytes) -> bytes:
    return element(syntax, STUDY, "UI", uid)


def overrunning(syntax: Syntax) -> bytes:
    permitted = study(syntax, b"1.1.11")
    return element(syntax, REFERENCED, "SQ", item(syntax, length=len(permitted))) + permitted


def ended_early(syntax: Syntax) -> bytes:
    return element(syntax, REFERENCED, "SQ", sequence_end(syntax) + study(syntax, b"9.9.99"))


@each_syntax
@pytest.mark.parametrize(
    ("hiding", "behind"), [(overrunning, b"9.9.99"), (ended_early, b"1.1.11")], ids=["overrun", "early end"]
)
def test_a_study_that_dcmtk_would_find_behind_contradicting_lengths_is_refused(
    tmp_path: Path, syntax: Syntax, hiding: object, behind: bytes
) -> None:
    """By its lengths each data set is of study 1.1.11, which its sender may store into; DCMTK reads 9.9.99."""
    assert callable(hiding)
    data = hiding(syntax) + study(syntax, behind)
    (tmp_path / "hiding").write_bytes(data)

    report = dumped([tmp_path / "hiding"], syntax)["hiding"]

    assert re.search(r"^\(0020,000d\) UI \[9.9.99\]", report, re.MULTILINE)
    with pytest.raises(RemoteProtocolError):
        list(walk(data, syntax))


def base(syntax: Syntax) -> bytes:
    """Sequences of both kinds, within each other, before, between and behind other elements."""
    inner = study(syntax, b"2.25.7")
    opened = item(syntax, inner, length=UNDEFINED) + item_end(syntax)
    deep = element(syntax, 0x0008_1199, "SQ", opened + sequence_end(syntax), length=UNDEFINED)
    return b"".join(
        (
            element(syntax, 0x0008_0018, "UI", b"2.25.88\0"),
            element(syntax, REFERENCED, "SQ", item(syntax, deep + inner) + item(syntax)),
            element(
                syntax, 0x0008_1140, "SQ", opened + item(syntax) + sequence_end(syntax), length=UNDEFINED
            ),
            element(syntax, 0x0009_0010, "LO", b"MAKER "),
            element(syntax, 0x0009_1001, "UN", item(IMPLICIT, study(IMPLICIT, b"2.25.9"))),
            element(syntax, 0x0010_0020, "LO", b"4711"),
            inner,
        )
    )


def damaged(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(changed))
        kind = chance.randrange(4)
        if kind == 0:
            changed[at] = chance.choice([0, 1, 2, 4, 8, 16, 0xFE, 0xFF, chance.randrange(256)])
        elif kind == 1:
            changed[at : at + 2] = b""
        elif kind == 2:
            size = 2 * chance.randint(1, 8)
            changed[at:at] = changed[at : at + size]
        else:
            to = chance.randrange(len(changed))
            changed[at : at + 8], changed[to : to + 8] = changed[to : to + 8], changed[at : at + 8]
    return bytes(changed)


@each_syntax
def test_what_is_not_refused_is_read_by_dcmtk_alike(tmp_path: Path, syntax: Syntax) -> None:
    chance = random.Random(20)  # the same damage each time
    walked: dict[str, list[int]] = {}
    for number in range(4000):
        data = damaged(base(syntax), chance)
        try:
            walked[str(number)] = [span.tag for span in walk(data, syntax)]
        except RemoteProtocolError:
            continue
        (tmp_path / str(number)).write_bytes(data)

    reports = dumped([tmp_path / name for name in walked], syntax)

    assert len(reports) > 100
    assert {name: tags(report) for name, report in reports.items() if tags(report)} == {
        name: walked[name] for name, report in reports.items() if tags(report)
    }
