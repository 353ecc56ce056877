"""What the command lines of DCMTK's servers open, as storescp, dcmrecv, wlmscpfs and dcmqrscp 3.6.7 behave."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from leadglass.configs.catalogue import finding
from leadglass.configs.dcmtk.options import Given, Invocation
from leadglass.configs.dcmtk.starting import Started, script, unit
from leadglass.configs.kinds import Environment
from leadglass.configs.passwords import quality
from leadglass.configs.reading import Fact, Listener, Login, Reach, Reading, Service
from leadglass.configs.source import Source
from leadglass.model.finding import Edit, Finding
from leadglass.model.verdict import Access

__all__ = ["read_script", "read_unit"]

_TLS = ("+tls", "--enable-tls", "-tls", "--disable-tls")
_CERTIFICATE = ("-rc", "--require-peer-cert", "-vc", "--verify-peer-cert", "-ic", "--ignore-peer-cert")
_REQUIRED = frozenset({"-rc", "--require-peer-cert"})
_AUTHORITIES = ("+cf", "--add-cert-file", "+cd", "--add-cert-dir")
_WRAPPER = ("+ac", "--access-control", "-ac", "--access-full")
_RETIRED = ("+pa", "--profile-aes", "+pb", "--profile-basic", "+pn", "--profile-null")
_SUITES = ("+cs", "--cipher")
_WEAK_SUITE = re.compile(
    r"NULL|EXPORT|anon|RC4|RC2|DES|MD5|^(?:TLS|SSL)_RSA_|^TLS_DH_|CBC_SHA$", re.IGNORECASE
)
_COMMANDS = ("-xcr", "--exec-on-reception", "-xcs", "--exec-on-eostudy")
_SHUTDOWN = "--allow-shutdown"
_CALLERS_WORDS = re.compile(r"#[ac]")
"""Placeholders for what the caller says of itself and of us: the two titles."""
_CONFIG = ("-c", "--config")
_BIND = ("-b", "--bind")
"""With this it is dcm4che's storescp: ``--bind TITLE@ADDRESS:PORT``."""

_STORES = "any AE store"
_MAY: Mapping[str, str] = {"wlmscpfs": "any AE worklist query"}
"""What a stranger may do; of the others it is to store."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """What a server opens: the listener, and whether strangers get in."""

    server: Invocation
    listener: Listener

    @property
    def is_open(self) -> bool:
        return self.listener.exposure in {Access.OFFERS_QUERY, Access.OFFERS_STORAGE}


def read_unit(source: Source, environment: Environment) -> Reading:
    """The reading of a systemd unit."""
    return _reading("unit", source, unit(source, environment))


def read_script(source: Source, environment: Environment) -> Reading:
    """The reading of a shell script, an init script among them."""
    return _reading("script", source, script(source, environment))


def _reading(kind: str, source: Source, started: Started) -> Reading:
    servers = _distinct(started.servers)
    opened = [
        _Opened(server, _listener(server, started.reach, name))
        for server, name in zip(servers, _names(servers), strict=True)
    ]
    configs = [given.values[0].text for server in servers if (given := _config(server))]
    return Reading(
        kind=kind,
        source=source,
        findings=tuple(found for one in opened for found in _findings(source, one)),
        listeners=tuple(one.listener for one in opened),
        facts=_facts(opened),
        includes=tuple(dict.fromkeys((*started.includes, *configs))),
    )


def _distinct(servers: Sequence[Invocation]) -> list[Invocation]:
    """Each once; scripts name the same line for start and for restart. What serves nothing is left out."""
    serving = [server for server in servers if server.name != "movescu" or _port(server) is not None]
    kept = {(server.name, _port(server), *(_words(server))): server for server in reversed(serving)}
    return list(reversed(kept.values()))


def _words(server: Invocation) -> Iterator[str]:
    for given in server.options:
        yield given.name.text
        yield from (value.text for value in given.values)


def _names(servers: Sequence[Invocation]) -> Iterator[str]:
    """``dicom`` of the only one; else with the program before it, numbered where there are two of it."""
    if len(servers) == 1:
        yield "dicom"
        return
    seen: dict[str, int] = {}
    for server in servers:
        seen[server.name] = number = seen.get(server.name, 0) + 1
        yield f"{server.name}/dicom" if number == 1 else f"{server.name}-{number}/dicom"


def _port(server: Invocation) -> int | None:
    given = server.last(*(("+P", "--port") if server.name == "movescu" else _BIND))
    if given is None and server.name != "movescu":
        return server.port
    text = given.values[0].text.rpartition(":")[2] if given and given.values else ""
    return int(text) if text.isdecimal() and len(text) <= len("65535") else None


def _is_dcm4che(server: Invocation) -> bool:
    return server.last(*_BIND) is not None


def _config(server: Invocation) -> Given | None:
    given = server.last(*_CONFIG) if server.name == "dcmqrscp" else None
    return given if given and given.values else None


# ---- what it opens


def _listener(server: Invocation, reach: Reach, name: str) -> Listener:
    wrapped = reach is Reach.UNKNOWN and _on(server, _WRAPPER, "+ac", "--access-control")
    return Listener(
        name,
        Service.DICOM,
        _port(server),
        f"{'dcm4che' if _is_dcm4che(server) else 'DCMTK'} {server.name}",
        _exposure(server),
        reach=Reach.NAMED if wrapped else reach,
        tls=_tls(server),
        client_certificate=_tls(server) and _certificate(server),
    )


def _on(server: Invocation, group: Sequence[str], *names: str) -> bool:
    """Whether the last option of a group is one of ``names``."""
    given = server.last(*group)
    return given is not None and given.name.text in names


def _tls(server: Invocation) -> bool:
    if _is_dcm4che(server):
        return any(given.name.text.startswith("--tls") for given in server.options)
    return _on(server, _TLS, "+tls", "--enable-tls")


def _certificate(server: Invocation) -> bool:
    if _is_dcm4che(server):
        return server.last("--tls-noauth") is None
    given = server.last(*_CERTIFICATE)
    return given is None or given.name.text in _REQUIRED


def _exposure(server: Invocation) -> Access:
    if _tls(server) and _certificate(server):
        return Access.DEMANDS_CERTIFICATE
    # Its own file says whom dcmqrscp answers; --refuse is for testing.
    if server.name == "dcmqrscp" or server.last("--refuse"):
        return Access.INCONCLUSIVE
    # It answers, but no look can prove it: a worklist is never queried blank.
    return Access.OFFERS_QUERY if server.name == "wlmscpfs" else Access.OFFERS_STORAGE


def _facts(opened: Sequence[_Opened]) -> dict[str, Fact]:
    may = [_MAY.get(one.server.name, _STORES) for one in opened if one.is_open]
    titles = (one.server.last("-aet", "--aetitle") for one in opened)
    return {
        "product": _one([one.listener.product for one in opened]),
        "ports": _one([str(one.listener.port) for one in opened if one.listener.port]),
        "verdict": "dicom-open" if may else None,
        "dicom_if_public": _one(may),
        "titles": tuple(given.values[0].text for given in titles if given and given.values),
    }


def _one(words: Sequence[str]) -> Fact:
    kept = tuple(dict.fromkeys(words))
    return kept[0] if len(kept) == 1 else kept or None


# ---- findings


def _findings(source: Source, opened: _Opened) -> Iterator[Finding]:
    for rule in _RULES:
        yield from rule(source, opened)


def _open(source: Source, opened: _Opened) -> Iterator[Finding]:
    server, name = opened.server, opened.listener.name
    if not opened.is_open:
        return
    where = f"port {opened.listener.port}" if opened.listener.port else "its port"
    if opened.listener.tls:
        yield from _without_certificate(source, opened)
    elif server.name == "wlmscpfs":
        says = f"wlmscpfs answers worklist queries of any AE on {where}"
        yield finding("LG-DCMTK-021", source, server.program.start, "wlmscpfs", says, listener=name)
    else:
        while_ = " while it retrieves" if server.name == "movescu" else ""
        named = "; --aetitle names it and refuses nobody" if server.last("-aet", "--aetitle") else ""
        says = f"{server.name} takes objects from any AE on {where}{while_}{named}"
        yield finding("LG-DCMTK-020", source, server.program.start, server.name, says, listener=name)


def _without_certificate(source: Source, opened: _Opened) -> Iterator[Finding]:
    server = opened.server
    given = server.last(*_CERTIFICATE, "--tls-noauth")
    assert given is not None
    # Without an authority nobody's certificate could be verified, and nobody would get in.
    verifiable = server.last(*_AUTHORITIES) is not None
    written = source.text[given.name.start : given.name.end] == given.name.text
    word = "--require-peer-cert" if given.name.text.startswith("--") else "-rc"
    edit = source.edit(given.name.start, given.name.end, word)
    written = written and not _is_dcm4che(server)
    says = f"{given.name.text} lets in callers without a certificate"
    yield finding(
        "LG-DCMTK-023", source, given.name.start, given.name.text, says,
        listener=opened.listener.name, exposure=opened.listener.exposure,
        edits=(edit,) if verifiable and written else (),
    )  # fmt: skip


def _shutdown(source: Source, opened: _Opened) -> Iterator[Finding]:
    given = opened.server.last(_SHUTDOWN)
    if given is not None and opened.server.name == "dcmqrscp":
        says = "whoever calls can end dcmqrscp"
        yield finding(
            "LG-DCMTK-022", source, given.name.start, given.name.text, says,
            listener=opened.listener.name, edits=_without_word(source, given.name.text),
        )  # fmt: skip


def _without_word(source: Source, word: str) -> tuple[Edit, ...]:
    """Take it out, and the blank before it, where it is written once: here, or in a variable."""
    places = [
        match.span() for match in re.finditer(rf"(?<=[\w\"'}}/]) {word}(?![\w-])|(?<!\S){word} ", source.text)
    ]
    return tuple(source.edit(start, end, "") for start, end in places) if len(places) == 1 else ()


def _profile(source: Source, opened: _Opened) -> Iterator[Finding]:
    if not opened.listener.tls:
        return
    for given in opened.server.options:
        name = given.name.text
        if name in _RETIRED:
            says = f"{name} is a retired profile of PS3.15"
            yield finding("LG-DCMTK-024", source, given.name.start, name, says)
        elif name in _SUITES and given.values and _WEAK_SUITE.search(given.values[0].text):
            says = f"{name} adds a suite that is retired"
            yield finding("LG-DCMTK-024", source, given.values[0].start, name, says)


def _executed(source: Source, opened: _Opened) -> Iterator[Finding]:
    given = opened.server.last(*_COMMANDS)
    if given and given.values and _CALLERS_WORDS.search(given.values[0].text):
        says = f"{given.name.text} makes a command of the titles that the caller sends"
        yield finding("LG-DCMTK-025", source, given.name.start, given.name.text, says)


def _password(source: Source, opened: _Opened) -> Iterator[Finding]:
    given = opened.server.last("+pw", "--use-passwd")
    if given and given.values and quality(given.values[0].text) is not Login.EXTERNAL:
        says = f"the password of the private key follows {given.name.text}"
        yield finding("LG-DCMTK-026", source, given.name.start, given.name.text, says)


def _wrapped(source: Source, opened: _Opened) -> Iterator[Finding]:
    if _on(opened.server, _WRAPPER, "+ac", "--access-control"):
        given = opened.server.last(*_WRAPPER)
        assert given is not None
        says = "hosts.allow and hosts.deny say who may call; they were not read"
        yield finding("LG-DCMTK-027", source, given.name.start, given.name.text, says)


def _plain(source: Source, opened: _Opened) -> Iterator[Finding]:
    if opened.server.name == "dcmqrscp" and not opened.listener.tls:
        says = "dcmqrscp is started without --enable-tls"
        yield finding(
            "LG-DCMTK-028",
            source,
            opened.server.program.start,
            "dcmqrscp",
            says,
            listener=opened.listener.name,
        )


_RULES: tuple[Callable[[Source, _Opened], Iterator[Finding]], ...] = (
    *(_open, _shutdown, _profile, _executed, _password, _wrapped, _plain),
)
