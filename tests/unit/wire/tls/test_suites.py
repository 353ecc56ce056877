from __future__ import annotations

import pytest

from leadglass.wire.tls.suites import (
    SUITES,
    Standing,
    offered_old,
    offered_retired,
    offered_tls12,
    standing,
    suite_name,
)

# Numbers as the RFCs print them, one or more of every family in the table.
PRINTED = {
    0x0001: "TLS_RSA_WITH_NULL_MD5",  # RFC 5246 A.5
    0x0003: "TLS_RSA_EXPORT_WITH_RC4_40_MD5",  # RFC 4346 A.5
    0x0005: "TLS_RSA_WITH_RC4_128_SHA",
    0x0006: "TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5",
    0x0007: "TLS_RSA_WITH_IDEA_CBC_SHA",
    0x0009: "TLS_RSA_WITH_DES_CBC_SHA",
    0x000A: "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    0x0010: "TLS_DH_RSA_WITH_3DES_EDE_CBC_SHA",
    0x0014: "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA",
    0x0016: "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA",
    0x0017: "TLS_DH_anon_EXPORT_WITH_RC4_40_MD5",
    0x001B: "TLS_DH_anon_WITH_3DES_EDE_CBC_SHA",
    0x002F: "TLS_RSA_WITH_AES_128_CBC_SHA",
    0x003A: "TLS_DH_anon_WITH_AES_256_CBC_SHA",
    0x003B: "TLS_RSA_WITH_NULL_SHA256",
    0x003D: "TLS_RSA_WITH_AES_256_CBC_SHA256",
    0x0040: "TLS_DHE_DSS_WITH_AES_128_CBC_SHA256",
    0x0067: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
    0x006B: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
    0x006D: "TLS_DH_anon_WITH_AES_256_CBC_SHA256",
    0x0041: "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA",  # RFC 5932
    0x0089: "TLS_DH_anon_WITH_CAMELLIA_256_CBC_SHA",
    0x00BE: "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA256",
    0x00C4: "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA256",
    0x009A: "TLS_DHE_RSA_WITH_SEED_CBC_SHA",  # RFC 4162
    0x009C: "TLS_RSA_WITH_AES_128_GCM_SHA256",  # RFC 5288
    0x009F: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
    0x00A7: "TLS_DH_anon_WITH_AES_256_GCM_SHA384",
    0xC002: "TLS_ECDH_ECDSA_WITH_RC4_128_SHA",  # RFC 8422 6
    0xC00A: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    0xC012: "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    0xC019: "TLS_ECDH_anon_WITH_AES_256_CBC_SHA",
    0xC028: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",  # RFC 5289
    0xC02B: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    0xC02F: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    0xC030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    0xC03C: "TLS_RSA_WITH_ARIA_128_CBC_SHA256",  # RFC 6209
    0xC063: "TLS_ECDH_RSA_WITH_ARIA_256_GCM_SHA384",
    0xC077: "TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384",  # RFC 6367
    0xC08B: "TLS_ECDHE_RSA_WITH_CAMELLIA_256_GCM_SHA384",
    0xC09D: "TLS_RSA_WITH_AES_256_CCM",  # RFC 6655
    0xC0A3: "TLS_DHE_RSA_WITH_AES_256_CCM_8",
    0xC0AF: "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8",  # RFC 7251
    0xCCA8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",  # RFC 7905
    0xCCAA: "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0x1301: "TLS_AES_128_GCM_SHA256",  # RFC 8446 B.4
    0x1305: "TLS_AES_128_CCM_8_SHA256",
}


@pytest.mark.parametrize(("number", "name"), PRINTED.items())
def test_a_number_has_the_name_that_its_rfc_prints(number: int, name: str) -> None:
    assert suite_name(number) == name


def test_no_two_numbers_share_a_name() -> None:
    assert len(set(SUITES.values())) == len(SUITES)


def test_a_number_without_a_name_is_told_as_a_number() -> None:
    assert suite_name(0x0A0A) == "unknown(0x0A0A)"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TLS_RSA_WITH_NULL_SHA", Standing.RETIRED),
        ("TLS_DH_anon_WITH_AES_256_GCM_SHA384", Standing.RETIRED),
        ("TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", Standing.RETIRED),
        ("TLS_RSA_EXPORT1024_WITH_RC4_56_SHA", Standing.RETIRED),
        ("TLS_RSA_WITH_DES_CBC_SHA", Standing.RETIRED),
        ("TLS_ECDHE_RSA_WITH_RC4_128_SHA", Standing.RETIRED),
        ("TLS_RSA_WITH_IDEA_CBC_SHA", Standing.RETIRED),
        ("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", Standing.RETIRED),
        ("TLS_RSA_WITH_AES_256_GCM_SHA384", Standing.DISCOURAGED),
        ("TLS_DH_RSA_WITH_AES_128_GCM_SHA256", Standing.DISCOURAGED),
        ("TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256", Standing.DISCOURAGED),
        ("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", Standing.DISCOURAGED),
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Standing.ACCEPTABLE),
        ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", Standing.ACCEPTABLE),
        ("TLS_AES_128_GCM_SHA256", Standing.ACCEPTABLE),
        ("unknown(0x0A0A)", Standing.ACCEPTABLE),
    ],
)
def test_a_suite_stands_as_rfc_9325_says(name: str, expected: Standing) -> None:
    found, why = standing(name)

    assert found is expected
    assert bool(why) == (expected is not Standing.ACCEPTABLE)


def test_what_dcmtk_proposes_for_the_current_profile_is_acceptable() -> None:
    proposed = (0xC02F, 0xC02B, 0xC030, 0xC02C, 0x1301, 0x1302, 0x1303)

    assert {standing(SUITES[number])[0] for number in proposed} == {Standing.ACCEPTABLE}


def test_offers_overlap_only_where_versions_do() -> None:
    assert not set(offered_tls12()) & set(offered_retired())
    assert {n for n in offered_old() if n in offered_retired()} == {
        n for n in offered_retired() if not SUITES[n].endswith(("SHA256", "SHA384"))
    }


def test_no_offer_holds_a_suite_that_cannot_be_chosen() -> None:
    for number in {*offered_tls12(), *offered_retired(), *offered_old()}:
        assert number < 0x1301 or number > 0x1305
        assert "_anon_" in SUITES[number] or not SUITES[number].startswith(("TLS_DH_", "TLS_ECDH_"))


def test_the_best_comes_first_except_where_the_worst_should() -> None:
    assert suite_name(offered_tls12()[0]) == "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    assert suite_name(offered_old()[0]) == "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
    assert suite_name(offered_retired()[0]) == "TLS_RSA_WITH_NULL_MD5"
    assert "_3DES_" in suite_name(offered_retired()[-1])
