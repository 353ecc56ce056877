"""How much a peer may make us hold or work: every number a stranger could otherwise choose.

Each limit is far above what real peers were seen to send and far below what hurts. Nesting needs no
number: association items nest three deep by their grammar, and a command set has no sequences.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT", "Limits"]


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """Limits on a peer's bytes; a peer beyond one is met with ``RemoteProtocolError``.

    Compared by identity (``eq=False``), because decoders use the object as a key of their caches.
    """

    associate: int = 128 * 1024
    """Bytes in the body of an A-ASSOCIATE-RQ or -AC."""
    p_data: int = 128 * 1024 + 6
    """Bytes in the body of a P-DATA-TF, if we announced no smaller maximum length: 128 KiB, and the
    6 bytes of one PDV header, for peers that count only the data."""
    items: int = 160
    """Items in an A-ASSOCIATE body: 128 contexts, the two single items, and room for the unknown."""
    contexts: int = 128
    """Presentation contexts: as many as there are odd ids (PS3.8 9.3.2.2)."""
    transfer_syntaxes: int = 64
    """Transfer syntaxes in one proposed context; PS3.6 has fewer in use."""
    user_items: int = 512
    """User information sub-items: a role and an extended negotiation for each context, and the rest."""
    text: int = 64
    """Bytes in one UID (PS3.5 9.1) or name, without padding."""
    user_identity: int = 32 * 1024
    """Bytes in the primary and secondary fields of a user identity, together."""
    pdvs: int = 256
    """Presentation data values in one P-DATA-TF."""
    command: int = 16 * 1024
    """Bytes in one command set."""
    command_elements: int = 256
    """Elements in one command set; PS3.7 annex E defines fewer than 60."""
    data_set: int = 4 * 1024 * 1024
    """Bytes in one data set that is kept in memory."""


DEFAULT = Limits()
"""The limits unless somebody says otherwise; one object, so that caches are shared."""
