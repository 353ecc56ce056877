"""From values to a ``Study``: what policies compare, in the form in which they compare it.

What is absent, empty, ambiguous or unreadable is None, that is: unlabelled. Physicians are names in
the normal form of ``leadglass.access.names``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping, Sequence

from leadglass.access.names import physician_key
from leadglass.guard.identifiers import keys
from leadglass.guard.identifiers.encoding import single_uid
from leadglass.guard.identifiers.text import PADDING, single, texts
from leadglass.model.access import Study

__all__ = [
    "DE_IDENTIFIED",
    "READ",
    "day_of",
    "lacking",
    "physicians",
    "study_from_values",
    "with_series",
]

DE_IDENTIFIED = "de-identified"
"""The label of a study whose Patient Identity Removed (0012,0062) is YES."""
_TRIAL = "trial:"

READ = frozenset(
    {
        keys.SPECIFIC_CHARACTER_SET,
        keys.STUDY_DATE,
        keys.ACCESSION_NUMBER,
        keys.MODALITY,
        keys.MODALITIES_IN_STUDY,
        keys.INSTITUTION_NAME,
        keys.REFERRING_PHYSICIAN_NAME,
        keys.PERFORMING_PHYSICIAN_NAME,
        keys.PATIENT_ID,
        keys.CLINICAL_TRIAL_PROTOCOL_ID,
        keys.PATIENT_IDENTITY_REMOVED,
        keys.STUDY_INSTANCE_UID,
    }
)
"""All that ``study_from_values`` reads."""
_DATE = re.compile(rb"[0-9]{8}")
_NOTHING = frozenset[str]()
_REMEMBERED = 256
"""Bytes of a longer name are read anew each time, so that what is remembered stays small."""


def study_from_values(found: Mapping[int, bytes]) -> Study | None:
    """What these values tell of a study, by tag; None without exactly one Study Instance UID.

    Modality counts as the modalities of the study where those are not told.
    """
    get = found.get
    uid = single_uid(get(keys.STUDY_INSTANCE_UID))
    if uid is None:
        return None
    charset = get(keys.SPECIFIC_CHARACTER_SET, b"")
    referring = _names(get(keys.REFERRING_PHYSICIAN_NAME), charset)
    institution = _words(get(keys.INSTITUTION_NAME), charset)
    return Study(
        uid,
        patient_id=single(get(keys.PATIENT_ID), charset),
        accession_number=single(get(keys.ACCESSION_NUMBER), charset),
        study_date=day_of(get(keys.STUDY_DATE)),
        modalities=_words(get(keys.MODALITIES_IN_STUDY) or get(keys.MODALITY), b""),
        institution=_only(institution),
        referring_physician=_only(referring),
        performing_physicians=_names(get(keys.PERFORMING_PHYSICIAN_NAME), charset),
        labels=_labels(get(keys.PATIENT_IDENTITY_REMOVED), get(keys.CLINICAL_TRIAL_PROTOCOL_ID), charset),
    )


def physicians(raw: bytes | None, charset: bytes) -> frozenset[str]:
    """The names of a PN value, each in its normal form."""
    return _names(raw, charset)


def day_of(raw: bytes | None) -> str | None:
    """The one date of a DA value, ``YYYYMMDD``."""
    date = raw.strip(PADDING) if raw else b""
    return date.decode("ascii") if _DATE.fullmatch(date) else None


def lacking(study: Study, needed: Collection[str]) -> frozenset[str]:
    """Which of the ``needed`` attributes are not known of a study."""
    return frozenset(name for name in needed if not getattr(study, name))


def with_series(study: Study, series: Sequence[Study]) -> Study:
    """``study`` with what it lacked filled in from its series, one ``Study`` for each, as they were read.

    Modalities and performing physicians are those of any series; an institution, a referring
    physician or a label counts only if all series have it.
    """
    if not series:
        return study
    return Study(
        study.study_instance_uid,
        patient_id=study.patient_id,
        accession_number=study.accession_number,
        study_date=study.study_date,
        modalities=study.modalities or _NOTHING.union(*(s.modalities for s in series)),
        institution=study.institution or _common([s.institution for s in series]),
        referring_physician=study.referring_physician or _common([s.referring_physician for s in series]),
        performing_physicians=study.performing_physicians
        or _NOTHING.union(*(s.performing_physicians for s in series)),
        labels=study.labels or frozenset.intersection(*(s.labels for s in series)),
        station=study.station,
    )


def _common(found: Sequence[str | None]) -> str | None:
    return found[0] if len(set(found)) == 1 else None


def _only(values: frozenset[str]) -> str | None:
    return next(iter(values)) if len(values) == 1 else None


def _words(raw: bytes | None, charset: bytes) -> frozenset[str]:
    if not raw:
        return _NOTHING
    small = len(raw) + len(charset) < _REMEMBERED
    return _remembered_words(raw, charset) if small else _read_words(raw, charset)


def _read_words(raw: bytes, charset: bytes) -> frozenset[str]:
    return frozenset(texts(raw, charset) or ())


def _names(raw: bytes | None, charset: bytes) -> frozenset[str]:
    if not raw:
        return _NOTHING
    small = len(raw) + len(charset) < _REMEMBERED
    return _remembered_names(raw, charset) if small else _read_names(raw, charset)


def _read_names(raw: bytes, charset: bytes) -> frozenset[str]:
    return frozenset(key for name in texts(raw, charset) or () if (key := physician_key(name)))


_remembered_words = functools.lru_cache(maxsize=4096)(_read_words)
_remembered_names = functools.lru_cache(maxsize=4096)(_read_names)
"""The same few physicians, institutions and modalities stand in match after match."""


def _labels(removed: bytes | None, trial: bytes | None, charset: bytes) -> frozenset[str]:
    if not (removed or trial):
        return _NOTHING
    protocol = single(trial, charset)
    labels = {DE_IDENTIFIED} if single(removed) == "YES" else set[str]()
    return frozenset({*labels, _TRIAL + protocol} if protocol else labels)
