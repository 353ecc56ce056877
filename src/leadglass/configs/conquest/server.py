"""What Conquest's ``dicom.ini`` opens.

Conquest takes associations from any AE under any called title: it knows no list of callers but that in ``dgatesop.lst``
(RemoteAE), which is empty as it comes, and what a script says when an association begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from leadglass.configs.catalogue import finding
from leadglass.configs.conquest.server_file import Server, Value, server
from leadglass.configs.kinds import Environment
from leadglass.configs.passwords import GUESSABLE, quality
from leadglass.configs.reading import Fact, Listener, Login, Reading, Service
from leadglass.configs.source import Source
from leadglass.errors import ConfigError
from leadglass.model.finding import Cause, Certainty, Finding
from leadglass.model.verdict import Access

__all__ = ["PRODUCT", "read_server"]

PRODUCT = "Conquest"
_FACTORY_TITLE = "CONQUESTSRV1"
_REJECTS = re.compile(r"\breject\b")
_ELSEWHERE = re.compile(r"\.lua\b|\b(?:dofile|loadfile|require)\b")
_PATH_ONLY = re.compile(r"package\.path\s*=[^\r\n;]*(?:;'[^\r\n']*)?[^\r\n]*")
_VIRTUAL = re.compile(r"virtualserverfor\d{1,3}")
_DICOM, _WEB = "dicom", "web"


@dataclass(frozen=True)
class _Judged:
    source: Source
    file: Server
    port: int | None

    @property
    def is_web(self) -> bool:
        """Whether it is the file of the web pages (CGI), whose TCPPort is where they ask."""
        return self.file.get("WebServerFor") is not None

    @property
    def script(self) -> str:
        """What runs when an association begins."""
        return self.file.text("association", "lua")

    @property
    def rejects(self) -> bool:
        """Whether the script may refuse an association."""
        return _REJECTS.search(self.script) is not None

    @property
    def hidden(self) -> bool:
        """Whether what the script does stands in another file."""
        return not self.rejects and _ELSEWHERE.search(_PATH_ONLY.sub("", self.script)) is not None


def read_server(source: Source, _environment: Environment) -> Reading:
    """The reading of a ``dicom.ini``."""
    file = server(source)
    judged = _Judged(source, file, _port(source, file))
    return Reading(
        kind="conquest",
        source=source,
        findings=tuple(found for rule in _RULES for found in rule(judged)),
        listeners=(_listener(judged),),
        facts=_facts(judged),
        includes=tuple(filter(None, (file.text("ACRNemaMap"),))),
    )


def _port(source: Source, file: Server) -> int | None:
    value = file.get("TCPPort")
    if value is None or not value.text.isdecimal():
        return None
    if len(value.text) > len("65535") or not 0 < int(value.text) < 1 << 16:
        raise _no_port(source, value)
    return int(value.text)


def _no_port(source: Source, value: Value) -> ConfigError:
    return source.fault(
        "TCPPort is not between 1 and 65535", value.start, then="write the port Conquest listens on"
    )


def _listener(judged: _Judged) -> Listener:
    if judged.is_web:
        return Listener(_WEB, Service.WEB, None, PRODUCT, Access.ANSWERS_QUERY, login=Login.NONE)
    exposure = Access.WANTS_TITLE if judged.rejects else Access.ANSWERS_QUERY
    return Listener(_DICOM, Service.DICOM, judged.port, PRODUCT, exposure)


def _facts(judged: _Judged) -> dict[str, Fact]:
    is_open = not (judged.rejects or judged.is_web)
    return {
        "product": PRODUCT,
        "ports": None if judged.port is None or judged.is_web else str(judged.port),
        "verdict": "web-open" if judged.is_web else "dicom-open" if is_open else "script-decides",
        "dicom_if_public": "any AE store/query" if is_open else None,
        "title": judged.file.text("MyACRNema") or None,
        "web": judged.is_web,
        "database": _database(judged.file),
    }


def _database(file: Server) -> str | None:
    kinds = (("SQLite", "sqlite"), ("PostGres", "postgresql"), ("MySQL", "mysql"))
    return next((name for option, name in kinds if file.text(option) == "1"), None)


# ---- findings


def _anybody(judged: _Judged) -> Iterator[Finding]:
    if judged.is_web or judged.rejects:
        return
    value = judged.file.get("TCPPort") or judged.file.get("MyACRNema")
    title = judged.file.text("MyACRNema")
    where = f"port {judged.port}" if judged.port else "its port"
    script = "; the association script is in another file" if judged.hidden else ""
    yield finding(
        "LG-CONQUEST-001", judged.source, value.start if value else 0, value.name if value else "TCPPort",
        f"any AE may store, query and retrieve on {where}{script}",
        listener=_DICOM,
        certainty=Certainty.DEPENDS if judged.hidden else Certainty.LIKELY,
        cause=Cause.FACTORY_DEFAULT if title in {"", _FACTORY_TITLE} else Cause.MISREAD_OPTION,
    )  # fmt: skip


def _decided(judged: _Judged) -> Iterator[Finding]:
    value = judged.file.get("association", "lua")
    if value is not None and judged.rejects and not judged.is_web:
        says = "a script decides which associations are refused; it was not judged"
        yield finding("LG-CONQUEST-009", judged.source, value.start, value.name, says)


def _plain(judged: _Judged) -> Iterator[Finding]:
    value = judged.file.get("TCPPort")
    if value is not None and not judged.is_web:
        says = f"DICOM without TLS on port {judged.port or 'TCPPort'}"
        yield finding("LG-CONQUEST-003", judged.source, value.start, value.name, says, listener=_DICOM)


def _password(judged: _Judged) -> Iterator[Finding]:
    value, database = judged.file.get("Password"), _database(judged.file)
    if value is None or database in {None, "sqlite"} or not value.text:
        return
    how = quality(value.text, judged.file.text("Username"))
    if how in GUESSABLE:
        says = f"the password of the {database} database is a {how} one"
        yield finding("LG-CONQUEST-004", judged.source, value.start, value.name, says)
    elif how is Login.PUBLISHED:
        says = f"the password of the {database} database stands in the file"
        yield finding("LG-CONQUEST-005", judged.source, value.start, value.name, says)


def _web(judged: _Judged) -> Iterator[Finding]:
    value = judged.file.get("WebServerFor")
    if value is None:
        return
    says = "the web pages list patients and show images without a login"
    yield finding("LG-CONQUEST-006", judged.source, value.start, value.name, says, listener=_WEB)
    for name in ("WebReadonly", "WebPush"):
        given = judged.file.get(name)
        if given is not None and given.text == ("0" if name == "WebReadonly" else "1"):
            says = (
                "visitors may change and delete"
                if name == "WebReadonly"
                else "visitors may send studies elsewhere"
            )
            edit = judged.source.edit(
                given.end - len(given.text), given.end, "1" if given.text == "0" else "0"
            )
            yield finding(
                "LG-CONQUEST-007", judged.source, given.start, given.name, says, listener=_WEB, edits=(edit,)
            )


def _virtual(judged: _Judged) -> Iterator[Finding]:
    for name, value in judged.file.sections.get("sscscp", {}).items():
        if _VIRTUAL.fullmatch(name) and value.text and not judged.is_web:
            says = "queries of any AE are passed on to another server, in the name of this one"
            yield finding("LG-CONQUEST-008", judged.source, value.start, value.name, says, listener=_DICOM)


_RULES: tuple[Callable[[_Judged], Iterator[Finding]], ...] = (
    *(_anybody, _decided, _plain, _password, _web, _virtual),
)
