"""As much of PowerShell's grammar as a rule is written in: words and strings in single quotes, in lines."""

from __future__ import annotations

import re

__all__ = ["rules"]

_QUOTE = "['\u2018\u2019\u201a\u201b]"
"""PowerShell takes all of these for a single quote, and two of them for one in the string."""
_TEXT = rf"{_QUOTE}(?:[^'\u2018\u2019\u201a\u201b\n]|{_QUOTE}{{2}})*{_QUOTE}"
_ARRAY = rf"@\({_TEXT}(?:, {_TEXT})*\)"
_RULE = re.compile(
    rf"New-NetFirewallRule(?P<options>(?: -[A-Za-z]+ (?:{_TEXT}|{_ARRAY}|[A-Za-z]+))+) \| Out-Null"
)
_OPTION = re.compile(rf" -([A-Za-z]+) ({_TEXT}|{_ARRAY}|[A-Za-z]+)")
_OTHER = (
    re.compile(r"#[^\n]*"),
    re.compile(r"\$ErrorActionPreference = 'Stop'"),
    re.compile(
        r"Get-NetFirewallRule -Group 'Leadglass' -ErrorAction SilentlyContinue \| Remove-NetFirewallRule"
    ),
    re.compile(r"Set-NetFirewallProfile -All -LogMaxSizeKilobytes 32767 -Log(Blocked|Allowed) True"),
)


def rules(script: str) -> list[dict[str, list[str]]]:
    """The options of each rule; ``ValueError`` for a line that is anything but what the script may do."""
    found = []
    for line in script.splitlines():
        match = _RULE.fullmatch(line)
        if match is not None:
            found.append({name: _values(value) for name, value in _OPTION.findall(match["options"])})
        elif not any(other.fullmatch(line) for other in _OTHER):
            raise ValueError(f"no line of such a script: {line!r}")
    return found


def _values(text: str) -> list[str]:
    return [one[1:-1] for one in re.findall(_TEXT, text)] or [text]
