"""The parts of a scan record, as models that describe each field and validate what is read back.

What a field means stands here and in the JSON Schema that comes of it, and nowhere else.
"""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from leadglass.model.endpoint import Endpoint
from leadglass.model.evidence import TcpOutcome
from leadglass.model.finding import Cause
from leadglass.model.verdict import ClientCertificate, Data, Kind, Position, State

__all__ = [
    "SCHEMA",
    "CapabilityMap",
    "CertificateFacts",
    "EndpointFacts",
    "EvidenceFact",
    "Part",
    "ScopeNote",
    "Share",
    "SoftwareFacts",
    "StatedFacts",
    "Tlp",
    "TlsFacts",
    "TransportFacts",
    "VantageFacts",
]

SCHEMA: Final = "leadglass.scan-record/1"

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """Frozen; fields that it does not know are ignored, and all that it has are always written."""

    model_config = ConfigDict(
        frozen=True, populate_by_name=True, json_schema_serialization_defaults_required=True
    )


class EndpointFacts(Part):
    """The endpoint that was looked at."""

    address: str = Field(description="IPv4 or IPv6 literal in canonical form.")
    port: int = Field(ge=0, le=65535, description="TCP port.")
    name: str | None = Field(default=None, description="The DNS name that the address was resolved from.")

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        ipaddress.ip_address(address)
        return address

    def __str__(self) -> str:
        return str(Endpoint(self.address, self.port))


class VantageFacts(Part):
    """From where it was seen. What was seen from here may look different from elsewhere."""

    source: str | None = Field(
        default=None, description="Local address of the connection; null when none was made."
    )
    position: Position = Field(description="Side of the owner's network, as the scope declares it.")
    name: str | None = Field(default=None, description="Name that its operator gave to the place.")


class CertificateFacts(Part):
    """The server's certificate."""

    subject: str = Field(description="RFC 4514 string.")
    issuer: str = Field(description="RFC 4514 string.")
    not_after: str = Field(description="End of validity, ISO 8601 UTC.")
    sans: tuple[str, ...] = Field(default=(), description="Subject alternative names.")
    sha256: str = Field(description="SHA-256 fingerprint, hexadecimal.")


class TlsFacts(Part):
    """What TLS answered."""

    version: str | None = Field(default=None, description="Negotiated version, e.g. TLSv1.3.")
    cipher: str | None = Field(default=None, description="IANA name of the negotiated suite.")
    client_certificate: ClientCertificate = Field(description="Whether the server asks who is calling.")
    acceptable_cas: tuple[str, ...] = Field(
        default=(), description="Authorities the server would accept, RFC 4514."
    )
    certificate: CertificateFacts | None = Field(default=None, description="The server's own certificate.")
    retired: tuple[str, ...] = Field(default=(), description="Retired versions and suites still accepted.")


class TransportFacts(Part):
    """Below the application: TCP and TLS."""

    tcp: TcpOutcome | None = Field(description="Outcome of the connection; null when none was attempted.")
    tls: TlsFacts | None = Field(description="Null when TLS did not answer.")


class CapabilityMap(Part):
    """How far each capability was established for a stranger."""

    associate: State = Field(description="A DICOM association (PS3.8 7.1).")
    verification: State = Field(description="C-ECHO (PS3.4 A).")
    query: State = Field(description="C-FIND on patients and studies (PS3.4 C).")
    retrieve: State = Field(description="C-MOVE or C-GET; never tried, at most granted.")
    storage: State = Field(description="C-STORE; never tried, at most granted.")
    worklist: State = Field(description="Modality worklist C-FIND; never tried, at most granted.")
    web_query: State = Field(alias="web-query", description="QIDO-RS (PS3.18 10.6).")
    web_api: State = Field(alias="web-api", description="A product's own REST interface, without login.")


class SoftwareFacts(Part):
    """The product, as far as the evidence goes."""

    product: str | None = Field(default=None, description="Null when nothing tells.")
    version: str | None = Field(default=None, description="Null when nothing tells.")
    confidence: Share = Field(description="Between 0 and 1.")
    why: str = Field(default="", description="What told.")


class ScopeNote(Part):
    """By whose leave the question was asked."""

    name: str = Field(description="Name of the scope.")
    basis: str = Field(description="Basis of the authorisation, e.g. owner, mandate, research.")
    granted_by: str | None = Field(default=None, description="Who said yes.")
    reference: str | None = Field(default=None, description="Where that is written down.")


class StatedFacts(Part):
    """What the owner says of it. Nature and data of the record stay what the evidence says."""

    nature: Kind | None = Field(
        default=None, description="What stands behind it; null when nothing was said."
    )
    data: Data | None = Field(default=None, description="Whose data it holds; null when nothing was said.")
    cause: Cause | None = Field(
        default=None, description="How it came to stand open; null when nothing was said."
    )
    by: str = Field(description="Who said so.")
    reference: str = Field(description="Where that is written down.")
    on: dt.date = Field(description="The day on which it was said, UTC.")
    contradicts: tuple[str, ...] = Field(
        default=(), description="What the evidence says otherwise: nature, data; each in a sentence."
    )


class Tlp(enum.StrEnum):
    """How far a record may be passed on (FIRST, Traffic Light Protocol 2.0), least restricted first."""

    CLEAR = "clear"
    GREEN = "green"
    AMBER = "amber"
    AMBER_STRICT = "amber+strict"
    RED = "red"

    @property
    def label(self) -> str:
        """As it must be written: capitals, no space (TLP 2.0, 1 b)."""
        return f"TLP:{self.value.upper()}"


class EvidenceFact(Part):
    """One observed fact."""

    id: str = Field(description="probe/fact, unique within a record; reasons cite it.")
    probe: str = Field(description="Which question; numbered from the second time it was asked.")
    fact: str = Field(description="Which part of the answer.")
    value: JsonValue = Field(description="What was seen.")
    sha256: str = Field(description="Digest of the canonical JSON of [probe, fact, value], hexadecimal.")
