"""What becomes here of somebody for whom the identity provider vouches: an account of his own, with the role of his claim.

Accounts are found by issuer and subject and by nothing else. A name that is taken here stays whose it is.
"""

from __future__ import annotations

from dataclasses import replace

from leadglass.access.id_token import Person
from leadglass.errors import UsageError
from leadglass.model.account import Account, Role
from leadglass.settings.serve import OidcSettings
from leadglass.store import accounts, web_sessions
from leadglass.web.secrets import digest_of
from leadglass.web.signin import is_name
from leadglass.web.visit import Visit

__all__ = ["account_for", "role_of"]

_NO_ROLE = (
    "You are known there, but nothing that you are there is a role here. Ask whoever looks after this server."
)
_DISABLED = "Your account is disabled here."
_LONGEST_BEGINNING = 50


def role_of(person: Person, settings: OidcSettings) -> Role | None:
    """The first of the configured values that the person has; None: there is none."""
    return next((role for value, role in settings.roles.items() if value in person.roles), None)


def account_for(visit: Visit, person: Person, settings: OidcSettings) -> Account | str:
    """The account, made or brought up to date; or why there is none, in words for the person.

    Whoever lost his role is signed out everywhere, and his tokens count no more.
    """
    kept = accounts.account_of_subject(visit.site.database, person.identifier)
    role = role_of(person, settings)
    visit.deed.on = person.identifier if kept is None else kept.name
    if role is None:
        if kept is not None:
            _shut_out(visit, kept)
        return _NO_ROLE
    if kept is None:
        return _made(visit, person, role)
    visit.deed.who = kept.name
    return _DISABLED if kept.disabled else _brought_up_to_date(visit, kept, person, role)


def _made(visit: Visit, person: Person, role: Role) -> Account:
    account = Account(_name_for(visit, person), role, person.full_name, subject=person.identifier)
    accounts.add_account(visit.site.database, account)
    visit.deed.who = account.name
    visit.deed.detail = f"made, as {role.value}"
    return account


def _brought_up_to_date(visit: Visit, kept: Account, person: Person, role: Role) -> Account:
    wanted = replace(kept, role=role, full_name=person.full_name or kept.full_name)
    if wanted == kept:
        return kept
    try:
        accounts.change_account(visit.site.database, wanted)
    except UsageError:
        # The last administrator stays one, but not signed in with a role that was taken away.
        _shut_out(visit, kept)
        raise
    visit.deed.detail = "" if role is kept.role else f"{role.value} instead of {kept.role.value}"
    return wanted


def _shut_out(visit: Visit, account: Account) -> None:
    store = visit.site.database
    web_sessions.end_sessions(store, account.name)
    for token in web_sessions.tokens(store, account.name):
        web_sessions.revoke_token(store, token.id)
    visit.deed.detail = "signed out everywhere, tokens revoked"


def _name_for(visit: Visit, person: Person) -> str:
    """What he is called there, if that can be a name and is nobody's here; else told apart by the subject."""
    called = next(
        (name for name in (person.called.casefold(), person.subject.casefold()) if is_name(name)), ""
    )
    if called and accounts.account_of(visit.site.database, called) is None:
        return called
    return f"{called[:_LONGEST_BEGINNING] or 'person'}.{digest_of(person.identifier)[:12]}"
