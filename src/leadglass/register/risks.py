"""Risk as NIST SP 800-30 Rev. 1 determines it, and first drafts of risks from what was seen.

A draft is a proposal: it has no treatment, and says so as a finding until a person has decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from leadglass.model.register import Level, Register, Risk, Seen, SeenPort
from leadglass.model.verdict import Access, Position
from leadglass.register.matching import systems_at

__all__ = ["drafts", "level", "residual"]

_LEVELS = tuple(Level)
_VL, _L, _M, _H, _VH = _LEVELS

_RISK: Mapping[Level, tuple[Level, ...]] = {
    _VH: (_VL, _L, _M, _H, _VH),
    _H: (_VL, _L, _M, _H, _VH),
    _M: (_VL, _L, _M, _M, _H),
    _L: (_VL, _L, _L, _L, _M),
    _VL: (_VL, _VL, _VL, _L, _L),
}
"""SP 800-30 Rev. 1, table I-2: by likelihood, then by impact from very low to very high."""

_LIKELIHOOD: Mapping[Access, Level] = {
    Access.ANSWERS_QUERY: _VH,
    Access.OFFERS_QUERY: _H,
    Access.OFFERS_STORAGE: _H,
    Access.ASSOCIATES: _M,
}
"""That an event which somebody initiates has adverse impact (table G-4), for a server that the internet reaches.

What is not here is no risk by itself: it wants a login, a certificate or a title, or nothing more was shown."""

_THREAT: Mapping[Access, str] = {
    Access.ANSWERS_QUERY: "An outsider without an account reads patients' data",
    Access.OFFERS_QUERY: "An outsider without an account may search for patients' data",
    Access.OFFERS_STORAGE: "An outsider without an account may put in false or harmful objects",
    Access.ASSOCIATES: "An outsider without an account talks to the server and tries its flaws",
}
_IMPACT = _H
"""Serious adverse effect (table H-3): what a server of images holds is taken for patients' data until somebody says otherwise."""


def level(likelihood: Level, impact: Level) -> Level:
    """The level of risk."""
    return _RISK[likelihood][_LEVELS.index(impact)]


def residual(risk: Risk) -> Level:
    """The level that is left after treatment."""
    return level(risk.residual_likelihood or risk.likelihood, risk.residual_impact or risk.impact)


def drafts(register: Register) -> Iterator[Risk]:
    """A risk for each exposure of a declared system that was seen and is not in the register yet."""
    known = set(register.risks)
    for seen in register.seen.values():
        for system in systems_at(register, seen):
            for port in seen.ports:
                if port.access in _LIKELIHOOD:
                    risk = _draft(system.name, seen, port)
                    if risk.name not in known:
                        known.add(risk.name)
                        yield risk


def _draft(system: str, seen: Seen, port: SeenPort) -> Risk:
    likely = _LIKELIHOOD[port.access]
    if seen.position is Position.INSIDE:
        likely = _LEVELS[_LEVELS.index(likely) - 1]
    return Risk(
        name=f"{system} {port.port} {port.access}",
        system=system,
        threat=_THREAT[port.access],
        vulnerability=f"{port.access} on {seen.address}, port {port.port}, seen from {_SIDE[seen.position]}"
        f" (scan {seen.scan})",
        likelihood=likely,
        impact=_IMPACT,
    )


_SIDE = {
    Position.OUTSIDE: "outside",
    Position.INSIDE: "inside",
    Position.UNKNOWN: "a side that the scope does not tell",
}
