"""Unique identifiers of the standard that Leadglass speaks or recognises, and its own.

A UID is compared, never interpreted; the names are those of PS3.6 annex A. What a peer sends need
not obey the grammar (``is_valid``): whoever uses a peer's UID for more than a comparison asks first.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "APPLICATION_CONTEXT",
    "BASIC_TEXT_SR",
    "CR",
    "CT_IMAGE_STORAGE",
    "DEFLATED_EXPLICIT_VR_LE",
    "DX",
    "ENCAPSULATED_PDF",
    "EXPLICIT_VR_BE",
    "EXPLICIT_VR_LE",
    "IMPLEMENTATION_CLASS_UID",
    "IMPLEMENTATION_VERSION_NAME",
    "IMPLICIT_VR_LE",
    "JPEG_BASELINE",
    "JPEG_LOSSLESS",
    "JPIP_HTJ2K_REFERENCED_DEFLATE",
    "JPIP_REFERENCED_DEFLATE",
    "MG",
    "MODALITY_WORKLIST_FIND",
    "MPPS",
    "MR_IMAGE_STORAGE",
    "NAMES",
    "NM",
    "PATIENT_ROOT_FIND",
    "PATIENT_ROOT_GET",
    "PATIENT_ROOT_MOVE",
    "PATIENT_STUDY_ONLY_FIND",
    "PATIENT_STUDY_ONLY_GET",
    "PATIENT_STUDY_ONLY_MOVE",
    "PET",
    "RF",
    "RT_PLAN",
    "SECONDARY_CAPTURE",
    "STORAGE_COMMITMENT",
    "STUDY_ROOT_FIND",
    "STUDY_ROOT_GET",
    "STUDY_ROOT_MOVE",
    "US",
    "US_MULTI_FRAME",
    "VERIFICATION",
    "XA",
    "is_valid",
]

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
VERIFICATION = "1.2.840.10008.1.1"

IMPLICIT_VR_LE = "1.2.840.10008.1.2"
EXPLICIT_VR_LE = "1.2.840.10008.1.2.1"
DEFLATED_EXPLICIT_VR_LE = "1.2.840.10008.1.2.1.99"
EXPLICIT_VR_BE = "1.2.840.10008.1.2.2"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPIP_REFERENCED_DEFLATE = "1.2.840.10008.1.2.4.95"
JPIP_HTJ2K_REFERENCED_DEFLATE = "1.2.840.10008.1.2.4.205"

PATIENT_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
PATIENT_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.1.2"
PATIENT_ROOT_GET = "1.2.840.10008.5.1.4.1.2.1.3"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"
PATIENT_STUDY_ONLY_FIND = "1.2.840.10008.5.1.4.1.2.3.1"
PATIENT_STUDY_ONLY_MOVE = "1.2.840.10008.5.1.4.1.2.3.2"
PATIENT_STUDY_ONLY_GET = "1.2.840.10008.5.1.4.1.2.3.3"
MODALITY_WORKLIST_FIND = "1.2.840.10008.5.1.4.31"
MPPS = "1.2.840.10008.3.1.2.3.3"
STORAGE_COMMITMENT = "1.2.840.10008.1.20.1"

CR = "1.2.840.10008.5.1.4.1.1.1"
DX = "1.2.840.10008.5.1.4.1.1.1.1"
MG = "1.2.840.10008.5.1.4.1.1.1.2"
CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
US_MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.3.1"
MR_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.4"
US = "1.2.840.10008.5.1.4.1.1.6.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
XA = "1.2.840.10008.5.1.4.1.1.12.1"
RF = "1.2.840.10008.5.1.4.1.1.12.2"
NM = "1.2.840.10008.5.1.4.1.1.20"
BASIC_TEXT_SR = "1.2.840.10008.5.1.4.1.1.88.11"
ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
PET = "1.2.840.10008.5.1.4.1.1.128"
RT_PLAN = "1.2.840.10008.5.1.4.1.1.481.5"

IMPLEMENTATION_CLASS_UID = "2.25.225387272449190193663267149406474268536"
"""Leadglass's own, made once from a random UUID (PS3.5 B.2): any administrator can tell our calls by it."""
IMPLEMENTATION_VERSION_NAME = "LEADGLASS_0_1"
"""At most 16 characters (PS3.7 D.3.3.2.4)."""

NAMES: Mapping[str, str] = {
    APPLICATION_CONTEXT: "DICOM Application Context Name",
    VERIFICATION: "Verification SOP Class",
    IMPLICIT_VR_LE: "Implicit VR Little Endian",
    EXPLICIT_VR_LE: "Explicit VR Little Endian",
    DEFLATED_EXPLICIT_VR_LE: "Deflated Explicit VR Little Endian",
    EXPLICIT_VR_BE: "Explicit VR Big Endian",
    JPEG_BASELINE: "JPEG Baseline (Process 1)",
    JPEG_LOSSLESS: (
        "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])"
    ),
    JPIP_REFERENCED_DEFLATE: "JPIP Referenced Deflate",
    JPIP_HTJ2K_REFERENCED_DEFLATE: "JPIP HTJ2K Referenced Deflate",
    PATIENT_ROOT_FIND: "Patient Root Query/Retrieve Information Model - FIND",
    PATIENT_ROOT_MOVE: "Patient Root Query/Retrieve Information Model - MOVE",
    PATIENT_ROOT_GET: "Patient Root Query/Retrieve Information Model - GET",
    STUDY_ROOT_FIND: "Study Root Query/Retrieve Information Model - FIND",
    STUDY_ROOT_MOVE: "Study Root Query/Retrieve Information Model - MOVE",
    STUDY_ROOT_GET: "Study Root Query/Retrieve Information Model - GET",
    PATIENT_STUDY_ONLY_FIND: "Patient/Study Only Query/Retrieve Information Model - FIND",
    PATIENT_STUDY_ONLY_MOVE: "Patient/Study Only Query/Retrieve Information Model - MOVE",
    PATIENT_STUDY_ONLY_GET: "Patient/Study Only Query/Retrieve Information Model - GET",
    MODALITY_WORKLIST_FIND: "Modality Worklist Information Model - FIND",
    MPPS: "Modality Performed Procedure Step SOP Class",
    STORAGE_COMMITMENT: "Storage Commitment Push Model SOP Class",
    CR: "Computed Radiography Image Storage",
    DX: "Digital X-Ray Image Storage - For Presentation",
    MG: "Digital Mammography X-Ray Image Storage - For Presentation",
    CT_IMAGE_STORAGE: "CT Image Storage",
    US_MULTI_FRAME: "Ultrasound Multi-frame Image Storage",
    MR_IMAGE_STORAGE: "MR Image Storage",
    US: "Ultrasound Image Storage",
    SECONDARY_CAPTURE: "Secondary Capture Image Storage",
    XA: "X-Ray Angiographic Image Storage",
    RF: "X-Ray Radiofluoroscopic Image Storage",
    NM: "Nuclear Medicine Image Storage",
    BASIC_TEXT_SR: "Basic Text SR Storage",
    ENCAPSULATED_PDF: "Encapsulated PDF Storage",
    PET: "Positron Emission Tomography Image Storage",
    RT_PLAN: "RT Plan Storage",
}
"""UID -> name as PS3.6 annex A prints it."""


def is_valid(uid: str) -> bool:
    """Whether ``uid`` obeys PS3.5 9.1: at most 64 characters, numbers without leading zeros, dots between."""
    return len(uid) <= 64 and uid.isascii() and "." in uid and all(map(_is_component, uid.split(".")))


def _is_component(part: str) -> bool:
    return part.isdigit() and (part == "0" or not part.startswith("0"))
