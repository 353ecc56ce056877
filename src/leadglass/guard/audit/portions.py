"""Cuts what is too much for one entry or message into portions, and loses nothing.

An instance list may be longer than a message can be. So studies are taken apart into pieces with few
instances each, pieces are packed as long as there is room, and pieces of one study that lie beside each
other are one study again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from leadglass.guard.audit.events import AuditedStudy, SopClass

__all__ = ["packed", "whole"]

_INSTANCES = 50
"""Instances in one piece."""


def packed(
    studies: Iterable[AuditedStudy], room: int, weigh: Callable[[AuditedStudy], int]
) -> Iterator[tuple[AuditedStudy, ...]]:
    """Portions of ``studies`` that weigh at most ``room`` each, and have at least one piece each."""
    portion: list[AuditedStudy] = []
    weight = 0
    for piece in _pieces(studies):
        more = weigh(piece)
        if portion and weight + more > room:
            yield whole(portion)
            portion, weight = [], 0
        portion.append(piece)
        weight += more
    if portion:
        yield whole(portion)


def whole(pieces: Iterable[AuditedStudy]) -> tuple[AuditedStudy, ...]:
    """Pieces of one study that follow each other, as one."""
    joined = []
    for _, group in groupby(pieces, key=lambda piece: (piece.study_instance_uid, piece.patient)):
        first, *others = group
        classes = tuple(one for piece in (first, *others) for one in piece.sop_classes)
        joined.append(replace(first, sop_classes=tuple(_classes(classes))))
    return tuple(joined)


def _pieces(studies: Iterable[AuditedStudy]) -> Iterator[AuditedStudy]:
    for study in studies:
        parts = [part for one in study.sop_classes for part in _parts(one)]
        yield from (replace(study, sop_classes=(part,)) for part in parts) if parts else (study,)


def _parts(one: SopClass) -> Iterator[SopClass]:
    left = one.instances
    for at in range(0, max(1, len(one.uids)), _INSTANCES):
        uids = one.uids[at : at + _INSTANCES]
        is_last = at + _INSTANCES >= len(one.uids)
        count = max(left, len(uids)) if is_last else len(uids)
        yield SopClass(one.uid, count, uids)
        left -= count


def _classes(parts: Iterable[SopClass]) -> Iterator[SopClass]:
    for uid, group in groupby(parts, key=lambda part: part.uid):
        same = tuple(group)
        uids = tuple(one for part in same for one in part.uids)
        yield SopClass(uid, sum(part.instances for part in same), uids)
