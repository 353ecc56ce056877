"""Time stamps by a real authority (``openssl ts``), and by ones that are not to be believed."""

from __future__ import annotations

import base64
import datetime as dt
import ssl
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import decode_timestamp_response
from tests.peers.authority import Answer, Signer, reply, reply_of_another, serving, signer
from tests.peers.certificates import certificates
from tests.unit.register.dossiers import ENTRIES, lines

from leadglass.errors import LeadglassError, RemoteProtocolError, TransportError
from leadglass.ledger.chain import read_entry
from leadglass.net.timestamp import LARGEST, ask
from leadglass.register.stamping import Question, accepted, judge_of, question_about, roots_of

pytestmark = pytest.mark.peer("openssl")

LINE = lines(*ENTRIES)[-1]
SECONDS = 5.0


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return signer(tmp_path_factory.mktemp("honest"))


@pytest.fixture(scope="module")
def answered(honest: Signer) -> tuple[Question, bytes]:
    question = question_about(LINE)
    return question, reply(honest, question.request)


def told(answer: Answer, timeout: float = SECONDS) -> bytes:
    with serving(lambda _: answer) as authority:
        return ask(authority.url, b"question", "leadglass/test", timeout)


# ---- an honest one


def test_an_authority_is_asked_about_the_digest_alone_and_believed_by_its_root(honest: Signer) -> None:
    question = question_about(LINE)
    with serving(lambda body: Answer(reply(honest, body))) as authority:
        answer = ask(authority.url, question.request, "leadglass/test")
    roots = roots_of(honest.roots.read_bytes(), "roots")

    stamp = accepted(question, answer, authority.url, roots)

    entry = read_entry(LINE)
    assert entry is not None
    assert (stamp.n, stamp.digest) == (entry.n, entry.digest)
    assert abs(stamp.at - time.time()) < 60
    assert judge_of(roots)(stamp) == ""
    ((kind, asked),) = authority.asked
    assert kind == "application/timestamp-query"
    assert bytes.fromhex(entry.digest) in asked
    assert len(asked) < 100


def test_openssl_verifies_the_stamp_by_the_digest_of_the_entry(
    honest: Signer, answered: tuple[Question, bytes], tmp_path: Path
) -> None:
    question, answer = answered
    (tmp_path / "a.tsr").write_bytes(answer)
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-digest", question.digest, "-in", tmp_path / "a.tsr", "-CAfile", honest.roots,
         "-untrusted", honest.home / "chain.pem"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "Verification: OK" in done.stdout


def test_a_stamp_outlives_the_certificate_that_made_it(tmp_path: Path) -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)
    brief = signer(tmp_path, until=soon)
    question = question_about(LINE)
    roots = roots_of(brief.roots.read_bytes(), "roots")
    stamp = accepted(question, reply(brief, question.request), "http://tsa.example/", roots)
    while dt.datetime.now(dt.UTC) < soon + dt.timedelta(seconds=1):
        time.sleep(0.1)

    assert judge_of(roots)(stamp) == ""


def test_an_answer_whose_certificates_are_out_of_order_is_read_and_kept_as_it_came(
    answered: tuple[Question, bytes], honest: Signer
) -> None:
    question, answer = answered
    with pytest.raises(ValueError, match="InvalidSetOrdering"):
        decode_timestamp_response(answer)

    stamp = accepted(question, answer, "http://tsa.example/", roots_of(honest.roots.read_bytes(), "roots"))

    assert base64.b64decode(stamp.answer) == answer


# ---- what is not believed


def test_what_is_signed_otherwise_is_not_kept(
    honest: Signer, answered: tuple[Question, bytes], tmp_path: Path
) -> None:
    question, answer = answered
    roots = roots_of(honest.roots.read_bytes(), "roots")
    other = roots_of(signer(tmp_path / "other").roots.read_bytes(), "roots")
    expired = signer(tmp_path / "expired", until=dt.datetime.now(dt.UTC) - dt.timedelta(days=1))
    web = signer(tmp_path / "web", usage=ExtendedKeyUsageOID.SERVER_AUTH)
    of_web = roots_of((web.home / "chain.pem").read_bytes() + web.roots.read_bytes(), "roots")

    def refused(why: str, said: bytes, by: object, asked: Question = question) -> None:
        with pytest.raises(RemoteProtocolError, match=why) as caught:
            accepted(asked, said, "http://tsa.example/", by)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)

    refused("not signed by whom the roots vouch for", answer, other)
    refused(
        "not signed by whom", reply(expired, question.request), roots_of(expired.roots.read_bytes(), "roots")
    )
    refused("EKU|certificate verify error", reply_of_another(honest, web, question.request), of_web)
    refused("[Nn]once", answer, roots, question_about(LINE))
    refused("over something else", answer, roots, question_about(lines(*ENTRIES[:-1])[-1]))
    refused("status", b"\x30\x05\x30\x03\x02\x01\x02", roots)
    refused("no TimeStampResp", b"", roots)
    refused("no TimeStampResp", answer[:-1], roots)
    refused("no TimeStampResp", b"<html>" * 100, roots)


def test_an_entry_that_tells_of_another_stamp_is_found(
    honest: Signer, answered: tuple[Question, bytes]
) -> None:
    question, answer = answered
    roots = roots_of(honest.roots.read_bytes(), "roots")
    stamp = accepted(question, answer, "http://tsa.example/", roots)
    judge = judge_of(roots)

    assert judge(replace(stamp, at=stamp.at - 86_400)) == "it says another time than the entry"
    assert judge(replace(stamp, digest="00" * 32)) == "it is over something else"
    assert judge(replace(stamp, answer="?")) == "its answer is no base64"
    signed = bytearray(base64.b64decode(stamp.answer))
    signed[-1] ^= 1
    assert "not signed" in judge(replace(stamp, answer=base64.b64encode(signed).decode()))
    # Without roots only what it says is looked at.
    assert judge_of(None)(replace(stamp, digest="00" * 32)) == "it is over something else"


# ---- the way there


@pytest.mark.parametrize(
    ("answer", "error", "why"),
    [
        (Answer(b"x" * (LARGEST + 1)), RemoteProtocolError, "more than 65,536 bytes"),
        (Answer(b"hello", kind="text/html"), RemoteProtocolError, "answers with 'text/html'"),
        (Answer(b"hello", kind=""), RemoteProtocolError, "no content type"),
        (Answer(b"", status=302, location="http://192.0.2.1/"), TransportError, "redirects"),
        (Answer(b"", status=500), TransportError, "it answers 500"),
    ],
)
def test_what_is_no_stamp_is_refused_in_one_line(
    answer: Answer, error: type[LeadglassError], why: str
) -> None:
    with pytest.raises(error, match=why) as caught:
        told(answer)

    assert "\n" not in str(caught.value)


def test_an_answer_that_never_ends_is_given_up() -> None:
    began = time.monotonic()

    with pytest.raises(TransportError, match=r"did not answer within 0\.5 s"):
        told(Answer(b"x", is_endless=True), timeout=0.5)

    assert time.monotonic() - began < SECONDS


def test_over_tls_only_a_certificate_that_this_machine_believes_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    papers = certificates(tmp_path, "127.0.0.1")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(papers.server, papers.server_key)
    with serving(lambda _: Answer(b"stamp"), tls) as authority:
        with pytest.raises(TransportError, match="certificate verify failed"):
            ask(authority.url, b"question", "leadglass/test", SECONDS)
        assert authority.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(papers.authority))

        assert ask(authority.url, b"question", "leadglass/test", SECONDS) == b"stamp"


def test_where_nobody_listens_that_is_said() -> None:
    with pytest.raises(TransportError, match="cannot be reached"):
        ask("http://127.0.0.1:1/", b"x", "leadglass/test", 1.0)
