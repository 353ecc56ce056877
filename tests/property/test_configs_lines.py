"""Configuration files that are read line by line, and dcm4chee's: any text, one error at most; changes that close."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadglass.configs.conquest.readers import READERS as CONQUEST
from leadglass.configs.dcm4chee.ldif import entries
from leadglass.configs.dcm4chee.readers import READERS as DCM4CHEE
from leadglass.configs.dcmtk.readers import READERS as DCMTK
from leadglass.configs.dcmtk.shell import commands
from leadglass.configs.reading import Reading
from leadglass.configs.source import Source, edited
from leadglass.errors import ConfigError
from leadglass.model.verdict import Access

READERS = (*DCMTK, *CONQUEST, *DCM4CHEE)
PIECES = (
    *(
        "HostTable BEGIN\n",
        "HostTable END\n",
        "AETable BEGIN\n",
        "AETable END\n",
        "VendorTable BEGIN\n",
        "AETable: ",
    ),
    *(
        "NetworkTCPPort = ",
        "a = (A, h, 1)\n",
        "g = a, (B, 192.0.2.1, 2)\n",
        "X /d RW (1, 1mb) ANY\n",
        "X /d R (1) g\n",
    ),
    *(
        "[Service]\n",
        "ExecStart=",
        "Environment=",
        "#!/bin/sh\n",
        "storescp ",
        "dcmqrscp -c x ",
        "wlmscpfs ",
        "104\n",
    ),
    *(
        "+tls k c ",
        "-ic ",
        "+cf x ",
        "--allow-shutdown ",
        "$A",
        "${A:-1}",
        "A=$A$A;",
        "\\\n",
        "sh -c '",
        '"',
        "'",
        ">",
    ),
    *(
        "[sscscp]\n",
        "MyACRNema = X\n",
        "TCPPort = 1\n",
        "PostGres = 1\n",
        "Password = x\n",
        "V* * 1 un\n",
        "/*",
        "*/",
    ),
    *(
        "dn: ",
        "dicomDeviceName=x",
        "cn=y,dicomDeviceName=x\n",
        "dicomAETitle=Z,dicomDeviceName=x\n",
        "x:: YQ==\n",
    ),
    *(
        "objectClass: dicomNetworkConnection\n",
        "objectClass: dcmArchiveNetworkAE\n",
        "changetype: modify\n",
        "-\n",
    ),
    *("dicomTLSCipherSuite: SSL_X\n", "dicomPort: 1\n", "\n", " ", "delete: x\n", "userPassword: secret\n"),
    *(
        '{"dicomDeviceName": "x", ',
        '"dicomNetworkAE": [',
        '"dcmDevice": {',
        '"dicomNetworkConnection": [{',
        "}",
        "]",
    ),
    *(
        '"dicomTLSCipherSuite": ["SSL_X", "TLS_Y"]',
        "null",
        "1",
        ",",
        "\0",
        "\x85",
        "\N{LINE SEPARATOR}",
        "\N{PILE OF POO}",
    ),
)
texts = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=30).map("".join))


def refused(refusal: ConfigError) -> None:
    """A user reads one line."""
    assert "\n" not in str(refusal)


def read(text: str) -> Reading | None:
    """What the first reader that takes it makes of it; None if nobody does, or it is refused."""
    source = Source("file.sh", text)
    for reader in READERS:
        if reader.recognises(source):
            try:
                return reader.read(source, {"A": None})
            except ConfigError as refusal:
                refused(refusal)
                return None
    return None


@given(texts)
def test_any_text_is_a_reading_or_one_error_and_changes_fit(text: str) -> None:
    reading = read(text)
    if reading is None:
        return
    names = [listener.name for listener in reading.listeners]

    assert len(names) == len(set(names))
    for found in reading.findings:
        assert found.listener in {None, *names}
        assert found.place.line >= 1
        assert found.place.column >= 1
    edits = [edit for found in reading.findings for edit in found.edits]
    assert all(0 <= edit.start <= edit.end <= len(text) for edit in edits)
    edited(text, edits)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.kind)
@given(text=texts)
def test_each_reader_takes_any_text_with_one_error_at_most(reader: object, text: str) -> None:
    found = next(one for one in READERS if one is reader)
    try:
        found.read(Source("file", text), {})
    except ConfigError as refusal:
        refused(refusal)


# ---- dcmqrscp.cfg

names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,7}", fullmatch=True).filter(
    lambda name: name not in {"ANY", "AETable"}
)
peers = st.tuples(names, names.map("{}.example".format), st.integers(1, 65535))


@st.composite
def archives(draw: st.DrawFn) -> str:
    """Files with peers, groups of peers, and lines that answer anybody or some of them."""
    hosts = draw(st.dictionaries(names, peers, min_size=1, max_size=5))
    lines = [f"{name} = ({title}, {host}, {port})" for name, (title, host, port) in hosts.items()]
    group = draw(st.lists(st.sampled_from(sorted(hosts)), max_size=3))
    if group and "group" not in hosts:
        lines.append(f"group = {', '.join(group)}")
    who = st.one_of(
        st.just("ANY"), st.sampled_from(sorted(hosts)), peers.map("({0[0]}, {0[1]}, {0[2]})".format)
    )
    areas = draw(st.lists(st.tuples(names, st.sampled_from(["R", "W", "RW"]), who), min_size=1, max_size=4))
    table = [f"{title} /db {access} (9, 1gb) {peer}" for title, access, peer in areas]
    return "\n".join(("HostTable BEGIN", *lines, "HostTable END", "AETable BEGIN", *table, "AETable END", ""))


@given(archives())
def test_an_archive_that_names_its_peers_is_closed_by_naming_them(text: str) -> None:
    before = read(text)
    assert before is not None
    after = read(edited(text, [edit for found in before.findings for edit in found.edits]))
    assert after is not None

    assert after.listeners[0].exposure is Access.WANTS_TITLE
    assert after.facts["peers"] == before.facts["peers"]
    assert after.facts["titles"] == before.facts["titles"]
    assert "LG-DCMTK-001" not in {found.rule for found in after.findings}


# ---- command lines


@given(st.text(alphabet="ab \t'\"\\\\#-+=/.,:@%é", max_size=40).filter(lambda text: "\\\n" not in text))
def test_words_are_those_of_another_shell(text: str) -> None:
    """Where shlex finds no fault; it knows neither ``$`` nor ``;``."""
    try:
        expected = shlex.split(text, comments=False)
    except ValueError:
        return
    if any(word.startswith("#") for word in text.split()) or "#" in text:
        return  # shlex has no comments in the middle of words
    (command,) = commands(text, 0, len(text), {})

    assert [word.text for word in command.words] == expected


@given(st.lists(st.text(alphabet="ab'\"\\ $;#é", min_size=1, max_size=8), max_size=5))
def test_words_that_were_quoted_come_back(words: Sequence[str]) -> None:
    line = shlex.join(words)
    (command,) = commands(line, 0, len(line), {})

    assert [word.text for word in command.words] == list(words)
    assert [shlex.split(line[word.start : word.end]) for word in command.words] == [[word] for word in words]


# ---- LDIF and JSON of the same device

values = st.text(alphabet="abc ,=:#é{}", max_size=60).map(str.strip)


@given(
    st.lists(
        st.tuples(st.sampled_from(["x", "y", "userPassword"]), values.filter(bool)), max_size=6, unique=True
    ),
    st.integers(2, 30),
    st.booleans(),
)
def test_folding_and_base64_change_nothing(lines: list[tuple[str, str]], width: int, coded: bool) -> None:
    def line(name: str, value: str) -> str:
        unsafe = value[0] in ":< " or coded
        packed = f":: {base64.b64encode(value.encode()).decode()}" if unsafe else f": {value}"
        return name + packed

    plain = "\n".join(("dn: cn=a", *(line(name, value) for name, value in lines), ""))
    folded = "\r\n".join(
        "\r\n ".join(
            (one[: width + 30], *(one[at : at + width] for at in range(width + 30, len(one), width)))
        )
        for one in plain.splitlines()
    )
    first, second = (entries(Source("x", text))["cn=a"].attributes for text in (plain, folded))

    assert {name: list(found) for name, found in first.items()} == {
        name: list(found) for name, found in second.items()
    }
    assert sum(map(len, first.values())) == len(lines)


suites = st.sampled_from(
    ["TLS_RSA_WITH_AES_128_CBC_SHA", "SSL_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_AES_128_GCM_SHA256"]
)


@given(
    suites=st.lists(suites, max_size=3, unique=True),
    listed=st.booleans(),
    certificate=st.booleans(),
    installed=st.booleans(),
)
def test_a_device_is_judged_alike_in_both_forms_before_and_after(
    suites: list[str], listed: bool, certificate: bool, installed: bool
) -> None:
    ldif, exported = told(suites, listed, certificate, installed)
    rules = [sorted(found.rule for found in reading.findings) for reading in (ldif, exported)]
    fixed = [
        read(edited(reading.source.text, [edit for found in reading.findings for edit in found.edits]))
        for reading in (ldif, exported)
    ]

    assert rules[0] == rules[1]
    assert ldif.listeners == exported.listeners
    for before, after in zip((ldif, exported), fixed, strict=True):
        assert after is not None
        assert after.listeners == before.listeners
        assert "LG-DCM4CHEE-004" not in {found.rule for found in after.findings}


def told(suites: list[str], listed: bool, certificate: bool, installed: bool) -> tuple[Reading, Reading]:
    tree = "dicomDeviceName=x,cn=Devices"
    callers = ["CT"] if listed else []
    lines = [
        *(f"dn: {tree}", "objectClass: dicomDevice", "objectClass: dcmArchiveDevice", ""),
        *(f"dn: cn=c,{tree}", "objectClass: dicomNetworkConnection", "dicomPort: 104"),
        *(f"dicomInstalled: {str(installed).upper()}", f"dcmTLSNeedClientAuth: {str(certificate).upper()}"),
        *(f"dicomTLSCipherSuite: {suite}" for suite in suites),
        *(
            "",
            f"dn: dicomAETitle=A,{tree}",
            "objectClass: dicomNetworkAE",
            "objectClass: dcmArchiveNetworkAE",
        ),
        *(
            f"dicomNetworkConnectionReference: cn=c,{tree}",
            *(f"dcmAcceptedCallingAETitle: {one}" for one in callers),
        ),
    ]
    connection = {
        "cn": "c",
        "dicomPort": 104,
        "dicomInstalled": installed,
        "dicomTLSCipherSuite": suites,
        "dcmNetworkConnection": {"dcmTLSNeedClientAuth": certificate},
    }
    ae = {
        "dicomAETitle": "A",
        "dicomNetworkConnectionReference": ["/dicomNetworkConnection/0"],
        "dcmNetworkAE": {"dcmAcceptedCallingAETitle": callers, "dcmArchiveNetworkAE": {}},
    }
    device = {"dicomDeviceName": "x", "dicomNetworkConnection": [connection], "dicomNetworkAE": [ae]}
    ldif, exported = (
        read("\n".join(lines)),
        read(json.dumps({**device, "dcmDevice": {"dcmArchiveDevice": {}}})),
    )
    assert ldif is not None
    assert exported is not None
    return ldif, exported
