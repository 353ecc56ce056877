"""What a file of containers says in a word: ports, passwords, and what that means if it is public."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from leadglass.configs.containers.exposed import Exposed
from leadglass.configs.containers.ports import Published
from leadglass.configs.passwords import GUESSABLE, worst
from leadglass.configs.reading import Fact, Login, Reach, Service

__all__ = ["facts"]

_SHOWN: Mapping[Reach, str] = {
    Reach.EVERYWHERE: "all-if",
    Reach.NAMED: "named",
    Reach.LOOPBACK: "loopback",
    Reach.UNKNOWN: "unknown",
    Reach.CONTAINERS: "containers",
}
_VERDICTS: Sequence[tuple[Reach, str]] = (
    (Reach.EVERYWHERE, "ports-all-interfaces"),
    (Reach.UNKNOWN, "ports-unknown"),
    (Reach.NAMED, "ports-named"),
    (Reach.LOOPBACK, "ports-loopback"),
)
_MOST = 100
"""Ports that are told in a word."""
_STORES = frozenset({Service.DATABASE, Service.DIRECTORY})


def facts(judged: Sequence[Exposed]) -> Mapping[str, Fact]:
    """By the names of the reference; those of an Orthanc as its own reader has them, when there is one."""
    orthanc = [one.orthanc.facts for one in judged if one.orthanc and one.orthanc.facts]
    own = {
        "product": _product(judged),
        "cred": _credentials(judged),
        "ports": _ports(one for each in judged for one in each.workload.published) or None,
        "verdict": _verdict(judged),
        "exposed_http_if_public": _web(judged),
        "dicom_if_public": _dicom(judged),
    }
    told = orthanc[0] if len(orthanc) == 1 else {}
    return {**told, **{name: value for name, value in own.items() if value is not None}}


def _product(judged: Sequence[Exposed]) -> Fact:
    """The archive, or else whatever is known."""
    known = [one for one in judged if one.workload.product or one.orthanc]
    archives = [one for one in known if _listens(one, {Service.DICOM, Service.WEB}) or one.orthanc]
    first = next(iter((*archives, *known)), None)
    if first is None:
        return None
    return first.workload.product.name if first.workload.product else "Orthanc"


def _listens(one: Exposed, services: Iterable[Service]) -> bool:
    return any(listener.service in services for listener in one.listeners)


def _credentials(judged: Sequence[Exposed]) -> Fact:
    """The worst password that the file gives, or leaves as it was."""
    found = [secret.login for one in judged for secret in one.secrets]
    found += [Login(str(one.orthanc.facts["cred"])) for one in judged if one.orthanc and _has_login(one)]
    return worst(*found).value if found else None


def _has_login(one: Exposed) -> bool:
    known = one.orthanc.facts.get("cred") if one.orthanc else None
    return known in {login.value for login in Login} and known != Login.NONE.value


def _ports(published: Iterable[Published]) -> str:
    """``4242,8042 all-if; 5432 loopback``, in the order of the file."""
    found: dict[Reach, dict[str, None]] = {}
    for one in published:
        if one.protocol == "tcp":
            found.setdefault(one.reach, {})[str(one)] = None
    shown = {reach: list(some)[:_MOST] for reach, some in found.items()}
    order = [reach for reach in _SHOWN if reach in found]
    return "; ".join(f"{','.join(shown[reach])} {_SHOWN[reach]}" for reach in order)


def _verdict(judged: Sequence[Exposed]) -> str:
    reaches = {one.reach for each in judged for one in each.workload.published if one.protocol == "tcp"}
    reaches |= {each.workload.unpublished for each in judged}
    return next((word for reach, word in _VERDICTS if reach in reaches), "no-ports")


def _web(judged: Sequence[Exposed]) -> Fact:
    """Whether a stranger gets in by the web, or behind it, and by what; nothing where Orthanc's reader says it."""
    reasons = tuple(dict.fromkeys(_reasons(judged)))
    if not reasons:
        return None
    return f"yes({'; '.join(reasons)})"


def _reasons(judged: Sequence[Exposed]) -> Iterable[str]:
    stores = {"database": "DB", "directory": "LDAP"}
    open_ones = [
        stores[listener.service.value]
        for one in judged
        for listener in one.listeners
        if listener.service in _STORES and listener.login in GUESSABLE
    ]
    if open_ones:
        yield f"default {'/'.join(sorted(set(open_ones)))} credentials"
    for one in judged:
        for listener in one.listeners:
            if listener.service is Service.WEB and listener.login is Login.DEFAULT:
                yield f"default admin account of {_short(listener.product)}"
            elif listener.service is Service.WEB and listener.login is Login.NONE:
                yield f"no login at {listener.product}"
    if any(one.workload.image and "-secure" in one.workload.image.tag for one in judged):
        yield "-secure image protects UI"


def _short(product: str) -> str:
    return product.removesuffix(".x")


def _dicom(judged: Sequence[Exposed]) -> Fact:
    some = [
        listener
        for one in judged
        for listener in one.listeners
        if listener.service is Service.DICOM and not listener.client_certificate
    ]
    return "any AE" if some and not any(one.orthanc for one in judged) else None
