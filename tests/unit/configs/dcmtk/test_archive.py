"""``dcmqrscp.cfg``: what it opens, what it says in vain, and how it is closed."""

from __future__ import annotations

import pytest

from leadglass.configs.dcmtk.readers import READERS
from leadglass.configs.reading import Reading
from leadglass.configs.source import Source, edited
from leadglass.errors import ConfigError
from leadglass.model.finding import Cause, Finding
from leadglass.model.verdict import Access, Severity

HOSTS = """\
HostTable BEGIN
ct     = (CT_ONE, ct.example, 11113)
view1  = (VIEWER_ONE, view1.example, 11114)
view2  = (VIEWER_TWO, view2.example, 11115)
views  = view1, view2
HostTable END
"""


def read(text: str) -> Reading:
    source = Source("dcmqrscp.cfg", text)
    (reader,) = [reader for reader in READERS if reader.recognises(source)]
    return reader.read(source, {})


def table(*lines: str, hosts: str = "", port: str = "NetworkTCPPort = 11112\n") -> str:
    return "\n".join((f"{port}{hosts}AETable BEGIN", *lines, "AETable END", ""))


def only(text: str, rule: str) -> Finding:
    (found,) = [found for found in read(text).findings if found.rule == rule]
    return found


def rules(text: str) -> list[str]:
    return [found.rule for found in read(text).findings]


def closed(text: str) -> str:
    return edited(text, [edit for found in read(text).findings for edit in found.edits])


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("# ours\n  # too\n\nAETable BEGIN\nAETable END\n", True),
        ("\tHostTable BEGIN\nHostTable END\n", True),
        ("networktcpport = 104\nAETable BEGIN\nAETable END\n", True),
        ("AETable: X <dir> R (1, 1mb) ANY", True),
        ("How to set it up:\n\nAETable BEGIN\nAETable END\n", False),
        ("#!/bin/sh\ncat <<E\nAETable BEGIN\nAETable END\nE\n", False),
        ("UserName = x\n", False),
        ("", False),
    ],
)
def test_a_file_is_told_by_what_it_holds(text: str, *, taken: bool) -> None:
    assert READERS[0].recognises(Source("file", text)) == taken


@pytest.mark.parametrize(
    ("access", "may"),
    [("RW", "store/query/retrieve"), ("W", "store/query/retrieve"), ("R", "query/retrieve")],
)
def test_any_lets_everybody_do_what_the_access_says(access: str, may: str) -> None:
    line = f"CLINIC /db {access} (200, 1024mb) ANY"
    reading = read(table(line))

    assert reading.facts["verdict"] == "dicom-open"
    assert reading.facts["dicom_if_public"] == f"any AE {may}"
    assert reading.facts["ports"] == "11112"
    assert [(one.name, one.port, one.exposure) for one in reading.listeners] == [
        ("dicom", 11112, Access.ANSWERS_QUERY)
    ]
    found = reading.findings[0]
    assert (found.rule, found.severity, found.cause) == ("LG-DCMTK-001", Severity.CRITICAL, Cause.DELIBERATE)
    assert (found.place.line, found.place.column) == (3, line.index("ANY") + 1)


def test_the_samples_titles_are_the_factorys_doing() -> None:
    assert only(table("COMMON /db R (200, 1024mb) ANY"), "LG-DCMTK-001").cause is Cause.FACTORY_DEFAULT


def test_named_peers_are_no_finding_and_want_a_title() -> None:
    reading = read(table("CLINIC /db RW (200, 1024mb) ct, views", hosts=HOSTS))

    assert reading.findings == ()
    assert reading.listeners[0].exposure is Access.WANTS_TITLE
    assert reading.facts["peers"] == ("CT_ONE", "VIEWER_ONE", "VIEWER_TWO")


def test_any_is_replaced_by_the_fewest_names_that_stand_for_all_peers() -> None:
    text = table("CLINIC /db RW (200, 1024mb)  ANY  # for now", hosts=HOSTS)

    assert closed(text) == text.replace("ANY", "ct, views")
    assert rules(closed(text).replace("  # for now", "")) == []


def test_peers_written_elsewhere_are_taken_along() -> None:
    text = table("IN /db RW (1, 1mb) (MR_ONE, mr.example, 104)", "OUT /db R (1, 1mb) ANY", hosts=HOSTS)

    assert "OUT /db R (1, 1mb) ct, views, (MR_ONE, mr.example, 104)" in closed(text)


def test_names_that_are_defined_further_down_cannot_be_used() -> None:
    text = table("CLINIC /db RW (1, 1mb) ANY") + HOSTS

    assert "RW (1, 1mb) (CT_ONE, ct.example, 11113), (VIEWER_ONE," in closed(text)


@pytest.mark.parametrize(
    "hosts",
    [
        "",
        "HostTable BEGIN\nct = (CT_ONE, 192.0.2.7, 11113)\nHostTable END\n",
        "HostTable BEGIN\nct = (CT_ONE, ct.example, 1)\nmr = (MR_ONE, 2001:db8::1, 1)\nHostTable END\n",
    ],
    ids=["none", "an address", "an address among names"],
)
def test_nothing_is_changed_where_that_would_lock_a_device_out(hosts: str) -> None:
    text = table("CLINIC /db RW (200, 1024mb) ANY", hosts=hosts)

    assert closed(text) == text
    assert "LG-DCMTK-001" in rules(text)


def test_nothing_is_changed_where_the_line_would_be_cut_in_two() -> None:
    names = [f"n{number}" for number in range(200)]
    lines = [f"{name} = (T{name}, {name}.example, 104)" for name in names]
    hosts = "\n".join(("HostTable BEGIN", *lines, "HostTable END", ""))
    text = table("CLINIC /db RW (200, 1024mb) ANY", hosts=hosts)

    assert closed(text) == text


def test_a_name_with_a_space_is_quoted() -> None:
    hosts = 'HostTable BEGIN\n"dx room" = (DX, dx.example, 104)\nHostTable END\n'

    assert 'W (1, 1mb) "dx room"' in closed(table('A "/my db" W (1, 1mb) "ANY"', hosts=hosts))


def test_write_only_is_not_what_it_says() -> None:
    assert rules(table("DROP /db W (1, 1mb) ct", hosts=HOSTS)) == ["LG-DCMTK-002"]


def test_an_access_word_in_small_letters_takes_no_objects() -> None:
    found = only(table("X /db rw (1, 1mb) ct", hosts=HOSTS), "LG-DCMTK-003")

    assert found.cause is Cause.TYPO
    assert '"rw"' in found.says


def test_of_a_title_with_two_lines_any_caller_gets_the_rights_of_the_first() -> None:
    text = table("X /db RW (1, 1mb) ct", "X /db R (1, 1mb) ANY", hosts=HOSTS)

    assert rules(text) == ["LG-DCMTK-001", "LG-DCMTK-004"]
    assert read(text).facts["dicom_if_public"] == "any AE store/query/retrieve"


@pytest.mark.parametrize(
    ("given", "port"), [('"11112"', 104), ("eleven", 104), ("11112 # ours", 11112), ("", 104)]
)
def test_a_port_that_is_no_number_is_104(given: str, port: int) -> None:
    reading = read(table("X /db RW (1, 1mb) ct", hosts=HOSTS, port=f"NetworkTCPPort = {given}\n"))

    assert reading.listeners[0].port == port
    assert [found.rule for found in reading.findings] == ["LG-DCMTK-005"] * (port == 104)


def test_the_last_port_counts_and_without_one_it_is_104() -> None:
    assert read(table(port="NetworkTCPPort = 1\nNetworkTCPPort = 2\n")).listeners[0].port == 2
    assert read(table(port="")).listeners[0].port == 104


def test_a_template_leaves_its_port_open() -> None:
    reading = read(table("X /db RW (1, 1mb) ANY", port="NetworkTCPPort = ${DICOM_PORT}\n"))

    assert reading.listeners[0].port is None
    assert [found.rule for found in reading.findings] == ["LG-DCMTK-001"]


def test_a_peer_known_by_its_address_is_never_recognised() -> None:
    hosts = "HostTable BEGIN\nct = (CT_ONE, 192.0.2.7, 104)\nHostTable END\n"

    assert rules(table("X /db RW (1, 1mb) ct", hosts=hosts)) == ["LG-DCMTK-006"]


def test_a_title_that_stands_for_two_hosts_is_told_once() -> None:
    hosts = "HostTable BEGIN\na = (CT, a.example, 104)\nb = (CT, B.example, 104), (CT, A.EXAMPLE, 104)\nHostTable END\n"

    assert rules(table("X /db RW (1, 1mb) a", hosts=hosts)).count("LG-DCMTK-009") == 2


def test_words_of_old_files_have_no_effect() -> None:
    text = 'NetworkType = "tcp"\nApplicationTitle = X\nDisplay = "no"\n' + table()

    assert rules(text) == ["LG-DCMTK-007"] * 3


def test_a_summary_is_understood_though_dcmqrscp_refuses_it() -> None:
    reading = read("NetworkTCPPort = 1024\nAETable: CLINIC <dir> RW (100, 1024mb) ANY\n")

    assert [found.rule for found in reading.findings] == ["LG-DCMTK-001", "LG-DCMTK-008"]
    assert reading.facts["verdict"] == "dicom-open"


def test_names_of_a_summary_need_no_table() -> None:
    reading = read("AETable: CLINIC <dir> RW (100, 1024mb) scanners\n")

    assert reading.listeners[0].exposure is Access.WANTS_TITLE


def test_vendors_are_read_and_open_nothing() -> None:
    text = f'{HOSTS}VendorTable BEGIN\n"The Vendor" = views\nVendorTable END\n' + table("X /db R (1, 1mb) ct")

    assert rules(text) == []


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (table("X /db RW (1, 1mb) nobody"), 3, 'symbolic name "nobody" not defined'),
        (table("X /db RW ANY"), 3, "a line of the AETable is not complete"),
        (table('X /db RW "1, 1mb ANY'), 3, "a line of the AETable is not complete"),
        ("AETable BEGIN\nX /db RW (1, 1mb) ANY\n", 1, 'no "AETable END"'),
        ("AETable END\n", 1, 'no "AETable BEGIN" before END'),
        ("AETable begin\nAETable BEGIN\n", 1, 'unknown AETable status "begin"'),
        ("AETable BEGIN\nHostTable END\nAETable END\n", 2, "a line of the AETable is not complete"),
        ("HostTable BEGIN\nHostTable BEGIN\n", 2, "illegal HostTable status"),
        ("HostTable BEGIN\nalone\nHostTable END\n", 2, "a line needs a name"),
        ("NetworkTCPPort = 1\nnetworktcpport = 2\n", 2, 'unknown mnemonic "networktcpport"'),
        (
            f"{HOSTS}AETable BEGIN\nX /db R (1,1mb) ct, ANY\nAETable END\n",
            8,
            'symbolic name "ANY" not defined',
        ),
    ],
)
def test_what_dcmqrscp_refuses_is_refused_at_its_place(text: str, line: int, what: str) -> None:
    with pytest.raises(ConfigError, match=what) as refused:
        read(text)

    assert refused.value.where.startswith(f"dcmqrscp.cfg:{line}:")
    assert "\n" not in str(refused.value)


def test_a_missing_space_is_told_as_such() -> None:
    with pytest.raises(ConfigError, match="write NetworkTCPPort = value, with spaces"):
        read(f"NetworkTCPPort=104\n{HOSTS}")


def test_groups_of_groups_do_not_grow_without_end() -> None:
    doubled = [f"g{n} = g{n - 1}, g{n - 1}, (T{n}, h{n}, 1)" for n in range(1, 2000)]
    hosts = "\n".join(("HostTable BEGIN", "g0 = (T0, h0, 1)", *doubled, "HostTable END", ""))

    with pytest.raises(ConfigError, match="stand for more than 200000 peers"):
        read(hosts)


def test_a_long_line_is_read_as_dcmqrscp_reads_it() -> None:
    with pytest.raises(ConfigError):
        read(table(f"X /{'d' * 600} RW (1, 1mb) ANY"))


def test_no_word_of_a_file_reaches_a_terminal_as_it_is() -> None:
    for found in read(table("X\x1b[31m /db RW (1, 1mb) ANY")).findings:
        assert found.says.isprintable()
        assert found.option.isprintable()
