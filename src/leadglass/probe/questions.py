"""What is the same for every endpoint of a scan."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from leadglass.ports.world import Randomness
from leadglass.probe.associate import AssociateConversation
from leadglass.probe.remembered import Memory, RememberedConversation

__all__ = ["Questions"]


@dataclass(frozen=True, slots=True)
class Questions:
    """What is the same for every endpoint of a scan: who asks, and how patiently."""

    randomness: Randomness
    invented_sop_class: str
    """Minted once per scan; no product can know it."""
    calling_ae: str = "LEADGLASS"
    user_agent: str = "Leadglass"
    connections: int = 6
    """The budget per endpoint: TCP, TLS, web and associations together."""
    patience: float = 5.0
    """Seconds to wait for an answer."""
    today: dt.date | None = None
    """The day of the scan; a sample is drawn from the days before it, and none is drawn without."""
    _memories: dict[str, Memory] = field(default_factory=dict, repr=False, compare=False)

    def first(self, called_ae: str) -> RememberedConversation:
        """The first question to a port where DICOM is the likeliest."""
        memory = self._memories.get(called_ae)
        if memory is None:
            memory = self._memories[called_ae] = Memory(lambda: self.associate(called_ae))
        return RememberedConversation(memory)

    def associate(self, called_ae: str, *, over_tls: bool = False) -> AssociateConversation:
        """The same question, not yet put."""
        return AssociateConversation(called_ae, self.calling_ae, over_tls=over_tls, patience=self.patience)
