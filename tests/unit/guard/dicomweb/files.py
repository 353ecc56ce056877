"""DICOM files and multipart bodies, byte by byte."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
BOUNDARY = "0f3cf5c0"
KIND = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


def element(group: int, number: int, vr: str, value: bytes | str) -> bytes:
    """One element in explicit VR little endian, padded."""
    raw = value.encode() if isinstance(value, str) else value
    if len(raw) % 2:
        raw += b"\0" if vr in {"UI", "OB"} else b" "
    tag = group.to_bytes(2, "little") + number.to_bytes(2, "little") + vr.encode()
    if vr in {"OB", "OW", "SQ", "UN", "UR"}:
        return tag + b"\0\0" + len(raw).to_bytes(4, "little") + raw
    return tag + len(raw).to_bytes(2, "little") + raw


def meta(sop: str = "1.2.9", syntax: str = EXPLICIT, sop_class: str = CT, extra: bytes = b"") -> bytes:
    """File meta information with its length."""
    body = (
        element(2, 1, "OB", b"\0\1")
        + element(2, 2, "UI", sop_class)
        + element(2, 3, "UI", sop)
        + element(2, 0x10, "UI", syntax)
        + extra
    )
    return element(2, 0, "UL", len(body).to_bytes(4, "little")) + body


def data_set(
    study: str = "1.2.1",
    sop: str = "1.2.9",
    institution: str = "North",
    patient: str = "P1",
    pixels: int = 64,
) -> bytes:
    """A small image."""
    return b"".join(
        [
            element(8, 0x16, "UI", CT),
            element(8, 0x18, "UI", sop),
            element(8, 0x60, "CS", "CT"),
            element(8, 0x80, "LO", institution),
            element(0x10, 0x20, "LO", patient),
            element(0x20, 0x0D, "UI", study),
            element(0x20, 0x0E, "UI", f"{study}.1"),
            element(0x7FE0, 0x10, "OW", bytes(range(256)) * (pixels // 256 + 1)),
        ]
    )


def file(
    study: str = "1.2.1",
    sop: str = "1.2.9",
    institution: str = "North",
    patient: str = "P1",
    preamble: bytes = bytes(128),
    pixels: int = 64,
) -> bytes:
    """A DICOM file."""
    return preamble + b"DICM" + meta(sop) + data_set(study, sop, institution, patient, pixels)


def multipart(files: Iterable[bytes], headers: Sequence[str] = ("Content-Type: application/dicom",)) -> bytes:
    """A body of parts."""
    head = "\r\n".join([f"--{BOUNDARY}", *headers, "", ""]).encode()
    return b"".join(head + content + b"\r\n" for content in files) + f"--{BOUNDARY}--\r\n".encode()
