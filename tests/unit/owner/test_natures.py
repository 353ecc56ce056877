"""What is known around a server moves what stands behind it."""

from __future__ import annotations

from tests.unit.report.samples import whole_scan

from leadglass.model.verdict import Kind
from leadglass.owner.clues import Clue, Source
from leadglass.owner.natures import natures

RECORDS = whole_scan()


def test_a_hospitals_name_makes_a_clinic_likelier_and_a_hosting_network_a_honeypot() -> None:
    address = RECORDS[0].endpoint.address
    plain = natures(RECORDS, address, ())
    named = natures(RECORDS, address, [Clue(Source.CONFIRMED_NAME, "pacs.hospital-sur.example")])
    hosted = natures(RECORDS, address, [Clue(Source.NETWORK, "Contabo Hosting")])

    for port, nature in plain.items():
        assert named[port].shares[Kind.CLINICAL] > nature.shares[Kind.CLINICAL]
        assert hosted[port].shares[Kind.HONEYPOT] > nature.shares[Kind.HONEYPOT]


def test_ten_others_that_answer_alike_are_a_fleet() -> None:
    one = RECORDS[0]
    others = [
        one.model_copy(update={"endpoint": one.endpoint.model_copy(update={"address": f"198.51.100.{n}"})})
        for n in range(10)
    ]

    alone, among = (natures(seen, one.endpoint.address, ()) for seen in ([one], [one, *others]))

    port = one.endpoint.port
    assert among[port].shares[Kind.HONEYPOT] > 2 * alone[port].shares[Kind.HONEYPOT]


def test_where_nobody_answers_nothing_stands_behind() -> None:
    assert natures(RECORDS, "192.0.2.14", ()) == {}
