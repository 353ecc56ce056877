"""What a request line asks for: a resource of PS3.18, or a refusal. Only what stands here is carried.

The target is taken apart and never passed on as it came: ``target`` writes a new one from the parts.
In a path of DICOMweb nothing needs an escape, so a percent sign in one is refused, and with it every
encoding of dots, slashes and other encodings.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from leadglass.guard.dicomweb.parameters import Parameters, decode, encode
from leadglass.guard.dicomweb.refused import Refused
from leadglass.model.access import Action

__all__ = ["Form", "Level", "Place", "Request", "Roots", "Service", "is_uid", "parse", "target"]

_LONGEST_TARGET = 8 * 1024
_SEGMENTS = re.compile(r"(?:/[A-Za-z0-9,._~-]{1,128})+\Z")
_SCHEME = re.compile(r"(?i:https?)://")
_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*\Z")
# PS3.18 10.4.1.1.3: frame numbers, counted from 1.
_FRAMES = re.compile(r"[1-9][0-9]{0,5}(?:,[1-9][0-9]{0,5})*\Z")
_TITLE = re.compile(r"[A-Za-z0-9._-]{1,16}\Z")
_MOST_BULK_SEGMENTS = 16
_BY_URI = ("studyUID", "seriesUID", "objectUID")
_URI_PARAMETERS = frozenset(
    {"contentType", "charset", "anonymize", "annotation", "rows", "columns", "region", "windowCenter"}
    | {"windowWidth", "frameNumber", "imageQuality", "transferSyntax"}
)
"""PS3.18 9.4 and 9.5. Presentation states are left out: they could be another study's."""
_RENDERING = frozenset({"accept", "charset", "annotation", "quality", "viewport", "window", "iccprofile"})
"""PS3.18 8.3.3 and 8.3.5."""


class Service(enum.Enum):
    """Which of the services a request is for; each is relayed in its own way."""

    SEARCH = "QIDO-RS"
    RETRIEVE = "WADO-RS"
    URI = "WADO-URI"
    STORE = "STOW-RS"
    WORKITEMS = "UPS-RS"


class Level(enum.Enum):
    """What is searched for, or how deep what is retrieved lies."""

    STUDY = "studies"
    SERIES = "series"
    INSTANCE = "instances"


_LEVELS = tuple(Level)
_WORDS = tuple(level.value for level in Level)
_NAMED = dict(zip(_WORDS, Level, strict=True))


class Form(enum.Enum):
    """In which form something is retrieved (PS3.18 10.4.1)."""

    OBJECTS = ""
    METADATA = "metadata"
    RENDERED = "rendered"
    THUMBNAIL = "thumbnail"
    FRAMES = "frames"
    PIXELDATA = "pixeldata"
    BULKDATA = "bulkdata"


@dataclass(frozen=True, slots=True)
class Roots:
    """Where the services are on one side of the guard. A path begins with a slash and ends without one."""

    web: str = "/dicom-web"
    """Of QIDO-RS, WADO-RS, STOW-RS and UPS-RS."""
    uri: str | None = "/wado"
    """Of WADO-URI; None: there is none."""


class Place(NamedTuple):
    """UIDs from the study down, None where a path or the parameters of WADO-URI name none."""

    study: str | None = None
    series: str | None = None
    instance: str | None = None


_NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Request:
    """One request, understood."""

    method: str
    service: Service
    action: Action
    level: Level = Level.STUDY
    at: Place = _NOWHERE
    form: Form = Form.OBJECTS
    tail: tuple[str, ...] = ()
    """The segments behind the UIDs; of UPS-RS all of them."""
    parameters: Parameters = ()
    """Of a search all; of WADO-URI without the UIDs; else those of rendering."""


def is_uid(text: str) -> bool:
    """Numbers with dots between, at most 64 characters.

    More is allowed than PS3.5 9.1 does: archives hold old objects with leading zeros. What is kept
    out is what could be anything else than a name: dots side by side, letters, wildcards.
    """
    return len(text) <= 64 and _UID.match(text) is not None


def parse(method: bytes, raw: bytes, roots: Roots, authorities: frozenset[str]) -> Request:
    """The request that ``method`` and the request target ``raw`` (RFC 9112 3.2) make.

    ``authorities`` are the names with ports that the guard answers to, in lower case, for targets in
    absolute form. Raises ``Refused``.
    """
    path, query = _split(raw, authorities)
    if roots.uri is not None and path == roots.uri:
        return _by_uri(_only(method, "GET"), decode(query))
    root, rest = path[: len(roots.web)], path[len(roots.web) :]
    if root != roots.web or not _SEGMENTS.match(rest):
        raise Refused("no path of DICOMweb", 404)
    return _resource(method, rest[1:].split("/"), decode(query))


def target(request: Request, roots: Roots, at: Place, parameters: Parameters | None = None) -> str:
    """The target to ask the archive for, with the UIDs of ``at`` in place of the request's.

    ``parameters`` take the place of the request's own.
    """
    own = request.parameters if parameters is None else parameters
    if request.service is Service.URI:
        named = tuple((name, uid) for name, uid in zip(_BY_URI, at, strict=True) if uid is not None)
        return f"{roots.uri}{encode((('requestType', 'WADO'), *named, *own))}"
    parts = [roots.web]
    for word, uid in zip(_WORDS, at, strict=True):
        if uid is not None:
            parts += (word, uid)
    return "/".join([*parts, *request.tail]) + encode(own)


def _split(raw: bytes, authorities: frozenset[str]) -> tuple[str, str]:
    if len(raw) > _LONGEST_TARGET:
        raise Refused("an overlong request target", 414)
    if not raw.isascii():
        raise Refused("a request target that is not ASCII")
    text = raw.decode("ascii")
    scheme = _SCHEME.match(text)
    if scheme:
        authority, slash, text = text[scheme.end() :].partition("/")
        if authority.lower() not in authorities:
            raise Refused("a request for another host", 421)
        text = slash + text
    path, _, query = text.partition("?")
    # What lies in between, "#" too, is stopped by the grammar of segments or of parameters.
    if not path.startswith("/") or "%" in path:
        raise Refused("a request target that is no plain path")
    return path, query


def _only(method: bytes, *allowed: str) -> str:
    word = method.decode("ascii", "replace")
    if word not in allowed:
        raise Refused("a method that this resource does not have", 405, (("Allow", ", ".join(allowed)),))
    return word


def _resource(method: bytes, segments: Sequence[str], parameters: Parameters) -> Request:
    match segments:
        case ["studies"] if method == b"POST":
            return _store(method, None)
        case ["studies", study] if method == b"POST":
            return _store(method, study)
        case ["studies"]:
            _only(method, "GET", "POST")
            return _search("studies", (), parameters)
        case ["series" | "instances" as word]:
            _only(method, "GET")
            return _search(word, (), parameters)
        case ["studies", study, *rest]:
            return _in_study(method, study, rest, parameters)
        case ["workitems", *rest]:
            return _workitems(method, rest, parameters)
    raise Refused("no resource of DICOMweb", 404)


def _in_study(method: bytes, study: str, rest: Sequence[str], parameters: Parameters) -> Request:
    match rest:
        case ["series" | "instances" as word]:
            _only(method, "GET")
            return _search(word, (study,), parameters)
        case ["series", series, "instances"]:
            _only(method, "GET")
            return _search("instances", (study, series), parameters)
        case ["series", series, "instances", instance, *tail]:
            return _retrieve(method, (study, series, instance), tail, parameters)
        case ["series", series, *tail]:
            return _retrieve(method, (study, series), tail, parameters)
    return _retrieve(method, (study,), rest, parameters)


def _place(path: Sequence[str]) -> Place:
    if not all(map(is_uid, path)):
        raise Refused("a UID that breaks the grammar")
    return Place(*path)


def _search(word: str, path: Sequence[str], parameters: Parameters) -> Request:
    at, level = _place(path), _NAMED[word]
    return Request("GET", Service.SEARCH, Action.QIDO, level, at, tail=(word,), parameters=parameters)


def _retrieve(method: bytes, path: Sequence[str], tail: Sequence[str], parameters: Parameters) -> Request:
    level = _LEVELS[len(path) - 1]
    form = _form(level, tail)
    # A study itself can be stored to as well.
    _only(method, *(("GET", "POST") if level is Level.STUDY and not tail else ("GET",)))
    rendering = tuple((name, value) for name, value in parameters if name in _RENDERING)
    return Request("GET", Service.RETRIEVE, Action.WADO, level, _place(path), form, tuple(tail), rendering)


def _form(level: Level, tail: Sequence[str]) -> Form:
    match tail:
        case []:
            return Form.OBJECTS
        case ["metadata" | "rendered" | "thumbnail" | "pixeldata" as word]:
            return Form(word)
        case ["bulkdata" | "bulk", *names] if len(names) <= _MOST_BULK_SEGMENTS and all(map(_plain, names)):
            return Form.BULKDATA
        case ["frames", numbers] | ["frames", numbers, "rendered" | "thumbnail" | "pixeldata"]:
            if level is Level.INSTANCE and _FRAMES.match(numbers):
                return Form.FRAMES
    raise Refused("no resource of DICOMweb", 404)


def _plain(segment: str) -> bool:
    return segment.strip(".") != ""


def _store(method: bytes, study: str | None) -> Request:
    at = _place([study] if study is not None else [])
    tail = () if study is not None else ("studies",)
    return Request(_only(method, "POST"), Service.STORE, Action.STOW, at=at, tail=tail)


def _workitems(method: bytes, rest: Sequence[str], parameters: Parameters) -> Request:
    """PS3.18 table 11.1.1-1."""
    match rest:
        case []:
            word = _only(method, "GET", "POST")
        case [uid] if is_uid(uid):
            word = _only(method, "GET", "POST")
        case [uid, "state"] if is_uid(uid):
            word = _only(method, "PUT")
        case [uid, "cancelrequest"] if is_uid(uid):
            word = _only(method, "POST")
        case [uid, "subscribers", title] if is_uid(uid) and _TITLE.match(title):
            word = _only(method, "POST", "DELETE")
        case [uid, "subscribers", title, "suspend"] if is_uid(uid) and _TITLE.match(title):
            word = _only(method, "POST")
        case _:
            raise Refused("no resource of DICOMweb", 404)
    return Request(word, Service.WORKITEMS, Action.UPS, tail=("workitems", *rest), parameters=parameters)


def _by_uri(method: str, parameters: Parameters) -> Request:
    """PS3.18 clause 9."""
    named = dict(parameters)
    if len(named) != len(parameters) or named.get("requestType") != "WADO":
        raise Refused("a WADO-URI request without requestType=WADO, or with a parameter twice")
    uids = [named.get(name, "") for name in _BY_URI]
    if not all(map(is_uid, uids)):
        raise Refused("a WADO-URI request needs studyUID, seriesUID and objectUID")
    if named.keys() & {"presentationUID", "presentationSeriesUID"}:
        raise Refused("presentation states are not carried by WADO-URI")
    kept = tuple((name, value) for name, value in parameters if name in _URI_PARAMETERS)
    return Request(method, Service.URI, Action.WADO, Level.INSTANCE, Place(*uids), parameters=kept)
