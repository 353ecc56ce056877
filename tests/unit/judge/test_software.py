"""Which product answers: identities, patterns, web interfaces, contradictions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.judge.vectors import (
    DCMQRSCP_GRANTS,
    DCMTK,
    OPEN,
    ORTHANC_GRANTS,
    PYNETDICOM,
    SERVERS,
    STORAGE_GRANTS,
    accepted,
    granted,
    page,
    verdict,
    web,
)

from leadglass.judge import implementations
from leadglass.model.evidence import WebEvidence
from leadglass.model.rung import Rung
from leadglass.model.verdict import Software
from leadglass.probe.negotiate import OFFERED
from leadglass.wire import uids


def told(uid: str | None, name: str | None, length: int | None = 16384) -> Software:
    """What is told by an identity alone."""
    announced = accepted(
        implementation_class_uid=uid, implementation_version_name=name, maximum_length=length
    )
    return verdict(announced).software


@pytest.mark.parametrize(
    ("uid", "name", "product", "version"),
    [
        ("1.2.276.0.7230010.3.0.3.6.7", "OFFIS_DCMTK_367", "DCMTK-based", "3.6.7"),
        ("1.2.276.0.7230010.3.0.3.7.0", "OFFIS_DCMTK_370", "DCMTK-based", "3.7.0"),
        ("1.2.276.0.7230010.3.0.3.6.10", "OFFIS_DCMTK_3610", "DCMTK-based", "3.6.10"),
        ("1.2.826.0.1.3680043.9.3811.3.0.4", "PYNETDICOM_304", "pynetdicom", "3.0.4"),
        ("1.2.40.0.13.1.3", "dcm4che-5.34.0", "dcm4che-based", "5.34.0"),
        ("1.2.40.0.13.1.3", "dcm4che-dcm4chee", "dcm4chee-arc", None),
        ("1.2.40.0.13.1.1", "dcm4che-2.0", "dcm4che-based", "2.0"),
        ("1.2.40.0.13.1.1.1", "dcm4che-1.4.35", "dcm4che-based", "1.4.35"),
        ("1.3.6.1.4.1.30071.8", "fo-dicom 5.0.3", "fo-dicom-based", "5.0.3"),
        ("1.2.826.0.1.3680043.2.135.1066.101", "1.5.0/WIN32", "Conquest", "1.5.0"),
        ("1.2.826.0.1.3680043.2.135.1066.101", "1.4.19b/OTHER", "Conquest", "1.4.19b"),
        ("1.3.6.1.4.1.25403.1.1.1", "Dicom 0.1", "ClearCanvas", None),
        ("1.2.276.0.7238010.5.0.3.5.4", "OSIRIX", "OsiriX or Horos", None),
        ("1.2.276.0.7230010.3.0.3.6.1", "OSIRIX_361", "OsiriX", None),
        ("1.2.840.113845.1.1", "Syn7,3,0,258", "Synapse", "7.3.0.258"),
        ("1.2.410.200010.99.3.5", "INFINITT_3.5", "INFINITT PACS", "3.5"),
        ("2.16.840.1.113669.2.1.1", "MergeCOM3_390", "MergeCOM-3-based", "3.9.0"),
        ("1.2.840.114257.1123456", "LTPACSF V19", "LEADTOOLS PACS Framework", "19"),
        ("1.2.840.114257.1123456", "1", "LEADTOOLS-based", None),
        ("1.3.12.2.1107.5.2", "MR_VB15A", "Siemens MAGNETOM", None),
        ("1.3.12.2.1107.5.2", "another", "a Siemens Healthineers product", None),
        ("1.2.840.113619.6.999", None, "a GE Healthcare product", None),
        ("1.2.392.200036.9116.1", None, "a Canon Medical product", None),
    ],
)
def test_an_identity_names_the_product_and_its_version(
    uid: str, name: str | None, product: str, version: str | None
) -> None:
    software = told(uid, name)

    assert (software.product, software.version) == (product, version)
    assert software.confidence > 0.3
    assert software.why


@pytest.mark.parametrize("uid", [None, "1.2.3", "2.25.1", "1.2.276.0.7230010.3", "1.2.392.200036.1"])
def test_an_identity_that_nobody_knows_names_nothing(uid: str | None) -> None:
    assert told(uid, "WHATEVER") == Software(None, None, 0.0)


def test_without_an_association_there_is_no_software() -> None:
    assert verdict(OPEN).software == Software(None, None, 0.0)


# ---- products that announce the same toolkit


@pytest.mark.parametrize(
    ("server", "product", "version"),
    [
        ("orthanc", "Orthanc", None),
        ("orthanc-find-allowed", "Orthanc", None),
        ("dcmqrscp-any", "DCMTK dcmqrscp", "3.6.7"),
        ("dcmqrscp-readonly", "DCMTK dcmqrscp", "3.6.7"),
        ("storescp", "DCMTK storescp", "3.6.7"),
        ("pynetdicom-qrscp", "pynetdicom", "3.0.4"),
        ("pynetdicom-echoscp", "pynetdicom", "3.0.4"),
    ],
)
def test_what_is_granted_tells_products_on_one_toolkit_apart(
    server: str, product: str, version: str | None
) -> None:
    software = verdict(*SERVERS[server]).software

    assert (software.product, software.version) == (product, version)


@pytest.mark.parametrize("server", ["orthanc", "dcmqrscp-any", "storescp"])
def test_before_the_negotiation_they_are_one_toolkit_and_it_says_why(server: str) -> None:
    software = verdict(*SERVERS[server], rung=Rung.ASSOCIATE).software

    assert (software.product, software.version) == ("DCMTK-based", "3.6.7")
    assert "Orthanc" in software.why


def test_an_order_that_follows_the_question_is_not_dcmqrscps() -> None:
    in_order = granted(*(c.abstract_syntax for c in DCMQRSCP_GRANTS.contexts if c.result == 0))

    assert verdict(accepted(), in_order).software.product == "DCMTK-based"


def test_a_worklist_plugin_does_not_hide_orthanc() -> None:
    with_worklist = granted(
        *(c.abstract_syntax for c in ORTHANC_GRANTS.contexts if c.result == 0), uids.MODALITY_WORKLIST_FIND
    )

    assert verdict(accepted(), with_worklist).software.product == "Orthanc"


def test_orthancs_pattern_on_another_toolkit_is_not_orthanc() -> None:
    assert verdict(accepted(PYNETDICOM), ORTHANC_GRANTS).software.product == "pynetdicom"


def test_a_pattern_means_nothing_where_anything_is_accepted() -> None:
    everything = granted(*OFFERED, invented=0)

    assert verdict(accepted(), everything).software.product == "DCMTK-based"


def test_orthanc_that_was_told_to_take_unknown_classes_is_orthanc() -> None:
    lenient = replace(ORTHANC_GRANTS, invented=0)

    assert verdict(accepted(), lenient).software.product == "Orthanc"


def test_a_default_port_is_a_hint_in_words_and_makes_nothing_surer() -> None:
    here, elsewhere = verdict(accepted(), port=4242).software, verdict(accepted(), port=11112).software

    assert "4242" in here.why
    assert "proves nothing" in here.why
    assert (here.product, here.confidence) == (elsewhere.product, elsewhere.confidence)


# ---- contradictions


@pytest.mark.parametrize(
    ("uid", "name", "length"),
    [
        ("1.2.826.0.1.3680043.9.3811.2.0.1", "ORTHANC", 16382),
        ("1.2.276.0.7230010.3.0.3.6.7", "EIGEN_361", 16384),
        ("1.2.276.0.7230010.3.0.3.6.7", "OFFIS_DCMTK_367", 16382),
        ("1.2.840.113619.6.96", "GE_PACS_REV_24", 16382),
    ],
)
def test_what_contradicts_itself_is_said_and_makes_less_sure(uid: str, name: str, length: int) -> None:
    announced = accepted(
        implementation_class_uid=uid, implementation_version_name=name, maximum_length=length
    )

    seen = verdict(announced)

    assert "software.contradiction" in {reason.rule for reason in seen.reasons}
    assert seen.software.confidence < 0.6


def test_a_contradicted_identity_is_not_matched_with_a_pattern() -> None:
    doubtful = accepted(("1.2.276.0.7230010.3.0.3.6.7", "EIGEN_361", 16384))

    assert verdict(doubtful, STORAGE_GRANTS).software.product == "DCMTK-based"


def test_pynetdicoms_maximum_length_alone_is_a_weak_sign() -> None:
    software = told("1.2.3.4", "MINE", 16382)

    assert software.product == "pynetdicom"
    assert software.confidence < 0.5


def test_a_common_maximum_length_is_no_sign() -> None:
    assert told("1.2.3.4", "MINE", 16384).product is None


# ---- the web


@pytest.mark.parametrize(
    ("fingerprint", "product"),
    [
        ("orthanc-realm", "Orthanc"),
        ("orthanc-explorer-2", "Orthanc"),
        ("dcm4chee-ui2", "dcm4chee-arc"),
        ("ohif", "OHIF Viewer"),
    ],
)
def test_a_web_interface_names_its_product(fingerprint: str, product: str) -> None:
    software = verdict(web(page("/", 200, fingerprint))).software

    assert (software.product, software.version) == (product, None)


def test_a_version_is_taken_from_the_interface_that_publishes_it() -> None:
    system = page("/system", 200, "orthanc-system", content="json-object")
    published = WebEvidence(web().reply, answers=(system,), software_version="1.10.1")
    of_another = WebEvidence(web().reply, answers=(page("/", 200, "ohif"),), software_version="9")

    assert verdict(published).software.version == "1.10.1"
    assert verdict(of_another).software.version is None


def test_the_product_itself_outweighs_its_viewer() -> None:
    both = web(page("/", 200, "ohif"), page("/system", 200, "orthanc-system"))

    assert verdict(both).software.product == "Orthanc"


def test_an_imitation_that_gave_itself_away_names_no_product() -> None:
    assert verdict(web(page("/", 200, "dicomhawk-synapse"))).software.product is None


# ---- the table


@pytest.mark.parametrize(
    ("uid", "claim"),
    [
        ("1.2.826.0.1.3680043.8.641.1", "Orthanc"),
        ("1.2.826.0.1.3680043.8.1057.1", "OsiriX"),
        ("1.2.840.114257.99", "Agfa"),
        ("1.2.392.200036.9116.1", "Fujifilm"),
    ],
)
def test_what_other_tables_say_wrongly_is_not_said_here(uid: str, claim: str) -> None:
    assert claim.lower() not in (told(uid, None).product or "").lower()


def test_the_longest_uid_wins() -> None:
    found = implementations.match("1.3.46.670589.5.2.23", "ViewForum R7.4")

    assert found is not None
    assert (found.row.product, found.version) == ("Philips ViewForum", "7.4")


def test_identities_of_the_measured_servers_are_exactly_those() -> None:
    assert (DCMTK[0], PYNETDICOM[0]) == ("1.2.276.0.7230010.3.0.3.6.7", "1.2.826.0.1.3680043.9.3811.3.0.4")
