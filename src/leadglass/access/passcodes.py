"""Passcodes of persons (user identity type 2): kept as Argon2id, compared in even time, counted when wrong.

Comparing takes some 25 ms and 19 MiB, for those who are enrolled and for those who are not; the caller
has it done in a thread, and asks ``Attempts`` before.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from leadglass.access.identity import MOST_PASSCODE, IdentityRefusal, NeedsPasscode, person_of
from leadglass.access.strict import plain_text
from leadglass.model.access import Principal
from leadglass.model.enrolment import User

__all__ = ["SALT_BYTES", "Attempts", "check_passcode", "hash_passcode", "matches"]

SALT_BYTES = 16

# RFC 9106 4 leaves the choice between memory and passes; these are small enough for many logins at once.
_KIBIBYTES = 19 * 1024
_PASSES = 2
_LANES = 1
_HASH_BYTES = 32

_NOBODY = f"$argon2id$v=19$m={_KIBIBYTES},t={_PASSES},p={_LANES}${'A' * 22}${'A' * 43}"
"""What a stranger's passcode is compared with, so that it takes as long: all zeros, of which nobody knows a passcode."""


def hash_passcode(passcode: str, salt: bytes) -> str:
    """What is kept of a passcode: Argon2id (RFC 9106) in PHC form.

    ``salt`` is ``SALT_BYTES`` random bytes. ``ValueError``: the passcode is empty, too long, or holds
    characters that cannot be seen.
    """
    kdf = Argon2id(salt=salt, length=_HASH_BYTES, iterations=_PASSES, lanes=_LANES, memory_cost=_KIBIBYTES)
    return kdf.derive_phc_encoded(plain_text(passcode, MOST_PASSCODE).encode())


def check_passcode(claimed: NeedsPasscode, users: Mapping[str, User]) -> Principal | IdentityRefusal:
    """The person, if name and passcode belong together. Slow on purpose, and equally for every name."""
    user = users.get(claimed.user)
    right = matches(claimed.passcode, user.password_hash if user else None)
    if user is None or not right:
        return IdentityRefusal("the user name or the passcode is wrong", "passcode-wrong")
    return person_of(user)


def matches(passcode: str, phc: str | None) -> bool:
    """Whether ``phc`` is kept of ``passcode``; for None as much work, and never."""
    try:
        Argon2id.verify_phc_encoded(passcode.encode(), phc or _NOBODY)
    except (InvalidKey, ValueError):
        # ValueError: what is kept is no hash; nobody has that passcode.
        return False
    return True


@dataclass(slots=True)
class _Count:
    wrong: int = 0
    last: float = 0.0


class Attempts:
    """Wrong passcodes, per user at an address and per address; too many are locked out for a while.

    An attempt counts as wrong from its beginning, so that many at once are not more than many in turn.
    Times are monotonic seconds. Memory is bounded: the longest untouched is forgotten first.
    """

    per_user = 5
    per_address = 20
    lock = 60.0
    """Seconds for which nobody is heard after too many; each further wrong one begins them anew."""
    memory = 900.0
    """Seconds after which earlier attempts are forgotten."""
    most = 10_000
    """Counts that are kept."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[str, str | None], _Count] = OrderedDict()

    def begin(self, user: str, address: str, now: float) -> bool:
        """Count an attempt; False: locked out, and nothing is to be compared."""
        limits = {(address, user): self.per_user, (address, None): self.per_address}
        if any(self._locked(key, limit, now) for key, limit in limits.items()):
            return False
        for key in limits:
            count = self._counts.setdefault(key, _Count())
            count.wrong += 1
            count.last = now
            self._counts.move_to_end(key)
        while len(self._counts) > self.most:
            self._counts.popitem(last=False)
        return True

    def succeeded(self, user: str, address: str) -> None:
        """The attempt was right: this user begins anew here, and the address has one less."""
        self._counts.pop((address, user), None)
        count = self._counts.get((address, None))
        if count is not None:
            count.wrong = max(count.wrong - 1, 0)

    def _locked(self, key: tuple[str, str | None], limit: int, now: float) -> bool:
        count = self._counts.get(key)
        if count is None:
            return False
        if now - count.last >= self.memory:
            del self._counts[key]
            return False
        return count.wrong >= limit and now - count.last < self.lock
