"""Pages and archive of a dossier: what they say, that they are the same again, and that nothing changes unseen."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.register.dossiers import (
    AUTHORITY,
    ENTRIES,
    FIRST,
    OPEN,
    STAMPED,
    TODAY,
    at,
    lines,
    practice,
    seen,
)

from leadglass.errors import ConfigError
from leadglass.ledger.chain import Chain
from leadglass.model.dossier import DossierOptions
from leadglass.model.register import Stamp, System
from leadglass.register.archive import MANIFEST, archive, manifest
from leadglass.register.case import Case, case_of
from leadglass.register.codec import as_json
from leadglass.register.evidence import TABLES, rows_of
from leadglass.register.pages import as_typst, characters, pages
from leadglass.register.stamped import check_stamps
from leadglass.register.summary import summary_of
from leadglass.register.unpacking import Unpacked, checked


def shown(case: Case) -> str:
    return json.dumps(pages(case, rows_of(case)), ensure_ascii=False)


def packed(case: Case) -> bytes:
    return archive(case, rows_of(case), b"%PDF-1.7")


def files_of(raw: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(raw)) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def repacked(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return out.getvalue()


def look(raw: bytes) -> Unpacked:
    return checked(io.BytesIO(raw), "here", None)


# ---- the case


def test_a_register_is_told_as_it_stood_at_the_end_of_a_day() -> None:
    early = practice(today=FIRST.date())
    late = practice()

    assert early.head.n == 6
    assert not early.register.reviews
    assert early.moment < late.moment
    assert [one.closed for one in early.exposures] == [None, None]


def test_history_may_begin_on_a_day_and_what_is_open_is_told_all_the_same() -> None:
    rows = rows_of(practice(DossierOptions(since=dt.date(2026, 11, 10))))

    assert [row["address"] for row in rows["exposures"]] == ["192.0.2.99", "192.0.2.10"]
    assert [row["seen_from"] for row in rows["scans"]] == ["outside"]
    # The latest review of each system is told whenever it was.
    assert {row["system"] for row in rows["reviews"]} == {"archive", "CT 1"}
    assert len(rows["inventory"]) == 3


def test_no_dossier_is_made_of_a_chain_that_is_not_whole() -> None:
    kept = lines(*ENTRIES)
    kept[3] = kept[3].replace(b"nightly", b"daytime")

    with pytest.raises(ConfigError, match="broken at entry 4"):
        case_of(kept, TODAY, DossierOptions(), {}, "here")


def test_an_empty_register_has_a_dossier_that_says_so() -> None:
    case = case_of([], TODAY, DossierOptions(profiles=("hipaa",)), {}, "here")

    assert summary_of(case).answers[0].short == "Not known"
    assert {row["status"] for row in rows_of(case)["requirements"]} == {"unknown"}
    assert look(packed(case)).faults == ()


# ---- what it says


def test_the_first_page_answers_what_a_manager_asks() -> None:
    exposed, since, done, looked = summary_of(practice()).answers

    assert exposed.short == "Yes"
    assert "the worst is high" in exposed.says[0]
    assert exposed.says[1] == "None of them was seen from outside."
    assert since.short == "2026-11-07"
    assert "192.0.2.99, port 11112" in since.says[0]
    assert done.says[0] == "Closed, and seen to be closed by a scan: 1; half of them within 14 days."
    assert looked.short == "2026-11-21"


def test_the_tables_hold_what_is_declared_beside_what_was_seen() -> None:
    rows = rows_of(practice())
    access = {(row["system"], row.get("address"), row["port"]): row for row in rows["network-access"]}

    assert access["archive", "192.0.2.10", 104]["agrees"] is True
    assert access[None, "192.0.2.99", 11112]["agrees"] is False
    assert access["CT 1", None, 104]["access"] == "not-seen-open"
    assert [(row["system"], row["overdue"]) for row in rows["reviews"]] == [
        ("CT 1", False),
        ("archive", True),
    ]
    assert [(row["level"], row["residual"], row["expired"]) for row in rows["risks"]] == [
        ("high", "low", False),
        ("low", "low", True),
    ]
    scan = rows["scans"][-1]
    assert (scan["basis"], scan["granted_by"], scan["deepest"]) == ("owner", "Dr Ada Example", "blank-query")
    assert {row["status"] for row in rows["requirements"]} == {"met", "not-met"}


def test_findings_are_told_with_their_history() -> None:
    case = practice(DossierOptions())
    rows = rows_of(case)
    since = {(row["rule"], row["about"]): (row["since"], row["since_entry"]) for row in rows["findings"]}
    ended = {
        (row["rule"], row["about"]): (row["since"], row["ended"], row["ended_entry"], row["days"])
        for row in rows["findings-history"]
        if row["ended"]
    }

    assert since["review-overdue", "archive"] == ("2026-11-11", None)
    assert since["gone", "CT 1"] == ("2026-11-07", 12)
    assert since["no-owner", "viewer"] == ("2026-10-24", 3)
    assert ended == {
        ("never-reviewed", "CT 1"): ("2026-10-24", "2026-11-08", 14, 15),
        ("never-reviewed", "archive"): ("2026-10-24", "2026-10-27", 9, 3),
    }
    standing = [row for row in rows["findings-history"] if not row["ended"]]
    assert len(standing) == len(rows["findings"])
    assert "Its controls were never reviewed." in shown(case)
    assert "Findings of the register that stood and no longer do: 2." in shown(case)


def test_findings_that_were_resolved_before_the_time_that_is_told_of_are_left_out() -> None:
    rows = rows_of(practice(DossierOptions(since=dt.date(2026, 11, 1))))["findings-history"]

    assert [row["about"] for row in rows if row["ended"]] == ["CT 1"]
    assert min(row["since"] for row in rows) == "2026-10-24"


def test_it_says_what_it_does_not_prove() -> None:
    inside = [(days, by, thing) for days, by, thing in ENTRIES if days < 28]
    case = case_of(lines(*inside), TODAY, DossierOptions(), {}, "here")

    assert "Nothing about the internet." in shown(case)
    assert "Nothing about the internet." not in shown(practice())
    assert "Met is not compliant." in shown(case)


def test_a_stamp_is_on_the_cover_in_the_tables_and_beside_them() -> None:
    head = practice().head
    stamp = Stamp(head.n, head.digest, at(28), AUTHORITY, "AAAA")
    case = practice(more=[(28, "ada", stamp)])
    files = files_of(packed(case))

    assert f"entry {head.n} existed on 2026-11-21 05:00:00 UTC, says {AUTHORITY}" in shown(case)
    (row,) = rows_of(case)["stamps"]
    assert files[row["file"]] == b"\x00\x00\x00"
    assert look(packed(case)).stamps[0].problem == ""


def test_a_stamp_of_another_chain_or_of_what_came_later_is_found() -> None:
    (other,) = (thing for _, _, thing in STAMPED)
    assert isinstance(other, Stamp)
    later = replace(other, n=99)
    kept = lines(*ENTRIES, (28, "ada", other), (28, "ada", later))

    assert [one.problem for one in check_stamps(kept, lambda _: "unreached")] == [
        "it is of another chain: entry 16 has another digest",
        "it is of entry 99, which is not before it",
    ]


def test_a_judge_is_asked_about_a_stamp_that_fits() -> None:
    head = practice().head
    kept = lines(*ENTRIES, (28, "ada", Stamp(head.n, head.digest, at(28), AUTHORITY, "AAAA")))

    assert [one.problem for one in check_stamps(kept, lambda stamp: f"no {stamp.n}")] == ["no 16"]


# ---- text is text


HOSTILE = (
    "#panic() $x$ @ref `raw` */ \\ *b* _i_ <label> = h \u202eRTL \x1b[31m \x00 https://x.example " + "A" * 150
)


def test_what_people_and_peers_wrote_stands_in_the_data_and_never_in_the_source() -> None:
    note = HOSTILE[:190]
    case = practice(more=[(28, "#eval", System("evil", owner="$ #panic() $", note=note))])
    source, inputs = as_typst(pages(case, rows_of(case)))
    plain, _ = as_typst(pages(practice(), rows_of(practice())))

    assert source == plain
    told = json.loads(inputs["dossier"])
    text = json.dumps(told, ensure_ascii=False)
    assert "$ #panic() $" in text
    assert "\u202e" not in text
    assert "\\\\u202e" in text
    assert "\\\\x1b[31m" in text


def test_what_people_copy_from_a_page_is_whole_and_other_long_words_may_be_broken() -> None:
    case = practice(more=[(28, "ada", System("long", note="A" * 190))])
    told = json.loads(as_typst(pages(case, rows_of(case)))[1]["dossier"])
    head = f"{case.head.n}:{case.head.digest}"
    text = json.dumps(told, ensure_ascii=False)

    assert told["head"] == head
    assert f"leadglass register verify --head {head}" in text
    assert "A" * 25 not in text


def test_characters_that_no_font_has_are_written_as_numbers() -> None:
    case = practice(DossierOptions(organisation="例 Clinic"))
    made = pages(case, rows_of(case))

    assert "例" in characters(made)
    told = json.loads(as_typst(made, "例")[1]["dossier"])
    assert told["organisation"] == "\\u4f8b Clinic"


# ---- the archive


def test_the_same_data_make_the_same_archive() -> None:
    assert packed(practice()) == packed(practice())


def test_every_table_is_there_as_csv_and_as_json() -> None:
    files = files_of(packed(practice()))

    for table in TABLES:
        rows = json.loads(files[f"data/{table.name}.json"])
        assert all(set(row) <= set(table.columns) for row in rows)
        assert files[f"data/{table.name}.csv"].decode().startswith(",".join(table.columns) + "\r\n")
    assert files["ledger/entries.jsonl"] == b"".join(lines(*ENTRIES))


def test_what_the_archive_says_of_verifying_itself_is_true() -> None:
    files = files_of(packed(practice()))
    text = files["README.txt"].decode()
    program = text.partition("import hashlib, re\n")[2].partition("\n\n   What it prints")[0]
    lined = "import hashlib, re\n" + "\n".join(line.removeprefix("       ") for line in program.splitlines())
    printed: list[str] = []
    told: dict[str, Any] = {
        "open": lambda *_: io.BytesIO(files["ledger/entries.jsonl"]),
        "print": printed.append,
    }

    exec(lined, told)

    assert f"{practice().head.n}:{printed[0]}\n" == files["ledger/HEAD"].decode()


def test_a_whole_archive_is_whole() -> None:
    found = look(packed(practice()))

    assert (found.head, found.faults, found.remade) == (practice().head, (), True)


ALTERED: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("data/inventory.csv", lambda raw: raw.replace(b"Radiology", b"Cardiology"), "changed"),
    ("dossier.pdf", lambda raw: raw + b" ", "dossier.pdf: changed"),
    ("ledger/entries.jsonl", lambda raw: raw.replace(b"cellar", b"attics"), "entry 1 (edited)"),
    ("ledger/entries.jsonl", lambda raw: raw[: raw.rindex(b"\n", 0, -1) + 1], "(cut)"),
    ("ledger/entries.jsonl", lambda raw: raw[:-1], "(edited)"),
    ("ledger/HEAD", lambda _: b"16:" + b"0" * 64 + b"\n", "edited"),
    ("ledger/HEAD", lambda _: b"?", "the last entry is another one"),
]


@pytest.mark.parametrize(("name", "change", "says"), ALTERED)
def test_what_was_done_to_an_archive_is_found(name: str, change: Callable[[bytes], bytes], says: str) -> None:
    files = files_of(packed(practice()))
    files[name] = change(files[name])

    assert any(says in fault for fault in look(repacked(files)).faults)


def test_a_table_that_was_altered_with_its_manifest_is_found_by_making_it_anew() -> None:
    files = files_of(packed(practice()))
    files["data/risks.json"] = files["data/risks.json"].replace(b'"high"', b'"low"')
    files[MANIFEST] = manifest(files)

    assert look(repacked(files)).faults == ("data/risks.json: it is not what the entries say",)


def test_files_that_were_put_in_or_taken_out_are_found() -> None:
    files = files_of(packed(practice()))
    del files["README.txt"]
    files["stamps/1-aa.tsr"] = b""

    assert set(look(repacked(files)).faults) == {
        "README.txt: missing",
        "stamps/1-aa.tsr: not in the manifest",
        "stamps/1-aa.tsr: no entry has it",
    }


def _about(change: Callable[[dict[str, Any]], None]) -> Callable[[bytes], bytes]:
    def changed(raw: bytes) -> bytes:
        about = json.loads(raw)
        change(about)
        return json.dumps(about).encode()

    return changed


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda _: b"[" * 100_000, "no JSON"),
        (lambda _: b"[]", "not of the kind"),
        (_about(lambda about: about.update(options=7)), "cannot be read"),
        (_about(lambda about: about["options"].update(profiles=["../x"])), "names what there is not"),
    ],
)
def test_what_a_hostile_archive_says_of_itself_is_refused(
    change: Callable[[bytes], bytes], says: str
) -> None:
    files = files_of(packed(practice()))
    files["data/about.json"] = change(files["data/about.json"])

    with pytest.raises(ConfigError, match=says):
        look(repacked(files))


ODD: list[dict[str, Any]] = [
    {"what": [], "name": "a", "now": {}, "by": "", "why": ""},
    {"what": "seen", "name": "a", "now": 7, "by": "", "why": ""},
    {
        "what": "seen",
        "name": "a",
        "now": {**as_json(seen(0, 0, "a", OPEN)), "since": 10**15},
        "by": "",
        "why": "",
    },
    {"what": "stamp", "name": "1", "now": [], "by": "", "why": ""},
    {"what": "system", "name": "a", "now": {}, "by": "", "why": ""},
    {},
]


@pytest.mark.parametrize("body", ODD)
def test_a_whole_chain_of_nonsense_is_refused_in_one_line(body: dict[str, Any]) -> None:
    chain = Chain()
    odd = chain.append(body, FIRST)
    files = files_of(packed(practice()))
    files |= {"ledger/entries.jsonl": odd, "ledger/HEAD": f"1:{chain.head.digest}\n".encode()}
    files[MANIFEST] = manifest(files)

    with pytest.raises(ConfigError) as caught:
        look(repacked(files))

    assert "\n" not in str(caught.value)


def test_what_is_no_dossier_is_refused_in_one_line() -> None:
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as zipped:
        zipped.writestr("a", b"")
        with pytest.warns(UserWarning, match="Duplicate"):
            zipped.writestr("a", b"")
    bomb = bytearray(packed(practice()))
    listed = bomb.rindex(b"PK\x01\x02")
    bomb[listed + 24 : listed + 28] = (1 << 31).to_bytes(4, "little")

    for raw in (b"", b"PK\x03\x04", repacked({"a": b""}), twice.getvalue(), bytes(bomb)):
        with pytest.raises(ConfigError) as caught:
            look(raw)
        assert "\n" not in str(caught.value)
