"""Data sets written and read by pydicom, the oracle: what we plan for one must mean the same to the other."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, TypeAlias

import pydicom
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

from leadglass.wire.elements import Syntax

IMPLICIT = Syntax(explicit=False, little=True)
EXPLICIT = Syntax(explicit=True, little=True)
BIG_ENDIAN = Syntax(explicit=True, little=False)
Keys: TypeAlias = dict[str, Any]
"""DICOM keywords and values, to be given as keyword arguments."""
SYNTAXES = (IMPLICIT, EXPLICIT, BIG_ENDIAN)


def made(**keywords: object) -> pydicom.Dataset:
    """A data set by DICOM keywords, of values that need not be valid."""
    dataset = pydicom.Dataset()
    with pydicom.config.disable_value_validation():
        for keyword, value in keywords.items():
            setattr(dataset, keyword, value)
    return dataset


def encoded(dataset: pydicom.Dataset, syntax: Syntax) -> bytes:
    """As pydicom writes it."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = syntax.little, not syntax.explicit
    write_dataset(buffer, dataset)
    return bytes(buffer.getvalue())


def decoded(data: bytes, syntax: Syntax) -> pydicom.Dataset:
    """As pydicom reads it, all the way down."""
    dataset = read_dataset(
        io.BytesIO(data), is_implicit_VR=not syntax.explicit, is_little_endian=syntax.little
    )
    dataset.decode()
    return dataset


def words(dataset: pydicom.Dataset, without: Iterable[str] = ()) -> dict[str, object]:
    """Its elements by keyword or tag, sequences as lists of the same."""
    return {
        element.keyword or str(element.tag): [words(item) for item in element.value]
        if element.VR == "SQ"
        else plain(element.value)
        for element in dataset
        if element.keyword not in without
    }


def plain(value: object) -> object:
    """A value that compares with a literal."""
    if isinstance(value, pydicom.multival.MultiValue):
        return [str(each) for each in value]
    return "" if value is None else str(value)


def asked(syntax: Syntax = IMPLICIT, **keywords: object) -> bytes:
    """An identifier."""
    return encoded(made(**keywords), syntax)
