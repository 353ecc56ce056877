"""Every format that a plan can be written in."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping

from leadglass.configs.firewall.clouds import amazon, azure, google
from leadglass.configs.firewall.iptables import iptables
from leadglass.configs.firewall.nftables import Style, nftables
from leadglass.configs.firewall.pf import pf
from leadglass.configs.firewall.plan import Plan
from leadglass.configs.firewall.windows import windows
from leadglass.configs.firewall.words import Written

__all__ = ["Form", "written"]


class Form(enum.StrEnum):
    """A firewall's language."""

    NFTABLES = "nftables"
    IPTABLES = "iptables"
    IP6TABLES = "ip6tables"
    PF = "pf"
    WINDOWS = "windows"
    AWS = "aws"
    AZURE = "azure"
    GCP = "gcp"


def written(plan: Plan, form: Form, *, log_only: bool = False) -> Written:
    """``plan`` in the language ``form``; ``UsageError`` where that language cannot say it."""
    return _WRITERS[form](plan, log_only)


_WRITERS: Mapping[Form, Callable[[Plan, bool], Written]] = {
    Form.NFTABLES: lambda plan, log_only: nftables(plan, Style(log_only=log_only)),
    Form.IPTABLES: lambda plan, log_only: iptables(plan, 4, log_only=log_only),
    Form.IP6TABLES: lambda plan, log_only: iptables(plan, 6, log_only=log_only),
    Form.PF: lambda plan, log_only: pf(plan, log_only=log_only),
    Form.WINDOWS: lambda plan, log_only: windows(plan, log_only=log_only),
    Form.AWS: lambda plan, log_only: amazon(plan, log_only=log_only),
    Form.AZURE: lambda plan, log_only: azure(plan, log_only=log_only),
    Form.GCP: lambda plan, log_only: google(plan, log_only=log_only),
}
