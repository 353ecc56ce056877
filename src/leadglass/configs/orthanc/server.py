"""What the options come to: who may do what at the two ports, and with which password."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from leadglass.configs.json_nodes import Array, Member, Node, Object
from leadglass.configs.orthanc.settings import Settings
from leadglass.configs.passwords import quality, worst
from leadglass.configs.reading import Fact, Listener, Login, Reach, Service
from leadglass.model.verdict import Access

__all__ = ["COMMANDS", "Peer", "Server", "User"]

COMMANDS = ("Store", "Echo", "Find", "Get", "Move", "FindWorklist")
"""What ``DicomAlwaysAllow...`` names."""

_LISTED = 3
"""Title, host and port of a peer that is written as a list."""
_PORT = re.compile(r"[0-9]{1,5}")
_MOST = 1_000
"""Users and peers that are looked at; no file written by a person has more."""
_GUESSED = {Login.DEFAULT: "default", Login.PLACEHOLDER: "placeholder", Login.WEAK: "weak"}
_VERDICTS: Mapping[Login, tuple[str, str]] = {
    Login.NONE: ("open-no-auth", "yes"),
    **dict.fromkeys(_GUESSED, ("guessable-credentials", "yes(default/weak credentials)")),
    Login.PUBLISHED: ("credentials-published", "yes(credentials in public repo)"),
    Login.EXTERNAL: ("auth-external-creds", "no(plaintext unless proxied)"),
}


@dataclass(frozen=True, slots=True)
class User:
    """One of ``RegisteredUsers``."""

    member: Member
    login: Login


@dataclass(frozen=True, slots=True)
class Peer:
    """One of ``DicomModalities``: who may call."""

    name: str
    title: str
    host: str
    port: int | None
    refused: tuple[str, ...] = ()
    """Commands that it may not use: ``Allow...`` is false."""
    node: Node = field(kw_only=True)

    def __str__(self) -> str:
        """As ``TITLE@host:port``, and what it may not do."""
        without = f" without {', '.join(self.refused)}" if self.refused else ""
        return f"{self.title}@{self.host}:{self.port}{without}"


@dataclass(frozen=True)
class Server:
    """One Orthanc, as its files make it."""

    settings: Settings

    # ---- the web interface

    @property
    def web(self) -> bool:
        """Whether it listens for HTTP."""
        return self.settings.on("HttpServerEnabled")

    @property
    def remote(self) -> bool:
        """Whether other machines are let in there."""
        return self.web and self.settings.on("RemoteAccessAllowed")

    @cached_property
    def authenticated(self) -> bool:
        """Whether a login is asked for; unset, it is where other machines are let in (since 1.5.8)."""
        said = self.settings.flag("AuthenticationEnabled")
        return said if said is not None else self.settings.on("RemoteAccessAllowed")

    @cached_property
    def users(self) -> Sequence[User]:
        """Those who may log in."""
        members = {member.name: member for member in self._members("RegisteredUsers")}
        return [User(member, self._login(member)) for member in members.values()]

    @cached_property
    def logins(self) -> Sequence[Login]:
        """Of its users, those included that no file names but the image of its container."""
        outside = self.settings.outside("RegisteredUsers").items()
        return [*(user.login for user in self.users), *(self._quality(*one) for one in outside)]

    @cached_property
    def login(self) -> Login:
        """How a stranger gets past the login, where there is one."""
        if not self.authenticated:
            return Login.EXTERNAL if self.authorised else Login.NONE
        if self.logins:
            return worst(*self.logins)
        declared = self.settings.declares("RegisteredUsers")
        explicit = self.settings.flag("AuthenticationEnabled") is not None
        return Login.EXTERNAL if explicit and not declared else Login.DEFAULT

    @cached_property
    def authorised(self) -> bool:
        """Whether the authorization plugin is asked about each request."""
        section = self.settings.section("Authorization")
        outside = self.settings.layers.over.get("Authorization")
        if isinstance(outside, Mapping) and (section is None or "Enable" in outside):
            return outside.get("Enable") is not False
        enabled = section and self.settings.value(section.get("Enable"))
        return section is not None and enabled is not False

    @property
    def web_exposure(self) -> Access:
        """For a stranger who gets as far as the machine's own programs do, or further where others are let in."""
        if self.settings.on("SslEnabled") and self.settings.on("SslVerifyPeers"):
            return Access.DEMANDS_CERTIFICATE
        asked = self.authenticated or self.authorised or self._left_to_an_image
        return Access.DEMANDS_LOGIN if asked else Access.ANSWERS_QUERY

    @property
    def web_reach(self) -> Reach:
        """Loopback where other machines are refused (with 403); an image opens it where nothing is said."""
        if self.remote or self._left_to_an_image or self.settings.flag("AuthenticationEnabled") is not None:
            refused = self.settings.flag("RemoteAccessAllowed") is False
            return Reach.LOOPBACK if refused else Reach.UNKNOWN
        return Reach.LOOPBACK

    @property
    def _left_to_an_image(self) -> bool:
        """Whether users are declared and nothing is said of who is let in: container images let others in."""
        unsaid = all(
            self.settings.flag(name) is None for name in ("RemoteAccessAllowed", "AuthenticationEnabled")
        )
        return unsaid and bool(self.logins)

    # ---- DICOM

    @property
    def dicom(self) -> bool:
        """Whether it listens for DICOM."""
        return self.settings.on("DicomServerEnabled")

    @cached_property
    def anybody(self) -> Sequence[str]:
        """What callers may do that it does not know."""
        return [command for command in COMMANDS if self.settings.on(f"DicomAlwaysAllow{command}")]

    @property
    def worklists(self) -> bool:
        """Whether the plugin of worklists is on."""
        section = self.settings.section("Worklists")
        return section is not None and self.settings.value(section.get("Enable")) is True

    @cached_property
    def peers(self) -> Sequence[Peer]:
        """Those whom it knows by its files."""
        if self.settings.on("DicomModalitiesInDatabase"):
            return []
        found = (self._peer(member) for member in self._members("DicomModalities"))
        return [peer for peer in found if peer]

    @property
    def names_peers(self) -> bool:
        """Whether it knows any, by its files or otherwise."""
        return bool(self.peers or self.settings.outside("DicomModalities"))

    @property
    def certified(self) -> bool:
        """Whether callers have to show a certificate."""
        return self.settings.on("DicomTlsEnabled") and self.settings.on("DicomTlsRemoteCertificateRequired")

    @property
    def dicom_exposure(self) -> Access:
        """For a stranger who reaches the port: every context is granted to whom any command is permitted."""
        if self.certified:
            return Access.DEMANDS_CERTIFICATE
        if self.settings.on("DicomCheckCalledAet") or not self.anybody:
            return Access.WANTS_TITLE
        if "Find" in self.anybody:
            return Access.ANSWERS_QUERY
        return (
            Access.OFFERS_QUERY
            if "FindWorklist" in self.anybody and self.worklists
            else Access.OFFERS_STORAGE
        )

    # ---- together

    def listeners(self) -> tuple[Listener, ...]:
        """Its two ports."""
        return (*self._web_listener(), *self._dicom_listener())

    def facts(self) -> Mapping[str, Fact]:
        """One word for each thing that matters; ``unset`` where nothing is said."""
        verdict, exposed = self._verdict()
        return {
            "remote_http": self._said("RemoteAccessAllowed"),
            "auth": self._said("AuthenticationEnabled", "unset" if self.remote else "unset(=remote)"),
            "cred": self.login.value if self.remote else None,
            "tls_http": self._said("SslEnabled"),
            "tls_dicom": self._said("DicomTlsEnabled"),
            "check_called_ae": self._said("DicomCheckCalledAet"),
            "check_host": self._said("DicomCheckModalityHost"),
            "store_any": self._said("DicomAlwaysAllowStore", "unset(default true)"),
            "find_any": self._said("DicomAlwaysAllowFind", "unset(default false)"),
            "unknown_keys": tuple(entry.name for entry in self.settings.unknown),
            "verdict": verdict,
            "exposed_http_if_public": exposed,
            "dicom_if_public": self._dicom_words(),
            "peers": tuple(map(str, self.peers)),
        }

    def _verdict(self) -> tuple[str, str | None]:
        if self.remote and self.web_exposure is Access.DEMANDS_CERTIFICATE:
            return "demands-certificate", "no(client certificate)"
        return _VERDICTS[self.login] if self.remote else ("closed-http(loopback)", None)

    def _dicom_words(self) -> str:
        if not self.dicom:
            return "closed"
        if self.certified:
            return "client certificate"
        if not {"Store", "Find"} & set(self.anybody):
            return "anonymous C-ECHO" if self.anybody else "AE-title gate only"
        word = "anonymous C-STORE" if "Store" in self.anybody else "anonymous C-FIND"
        # Where the web is closed this is all there is to say, and it is said in full.
        return word if self.remote or "Echo" not in self.anybody else word.replace(" ", " C-ECHO + ", 1)

    def _said(self, name: str, unset: str = "unset") -> bool | str:
        said = self.settings.flag(name)
        return unset if said is None else said

    def _web_listener(self) -> tuple[Listener, ...]:
        if not self.web:
            return ()
        tls = self.settings.on("SslEnabled")
        return (
            Listener(
                "web", Service.WEB, self.settings.number("HttpPort"), "orthanc", self.web_exposure, self.web_reach,
                login=self.login, tls=tls, client_certificate=tls and self.settings.on("SslVerifyPeers"),
            ),
        )  # fmt: skip

    def _dicom_listener(self) -> tuple[Listener, ...]:
        if not self.dicom:
            return ()
        port, tls = self.settings.number("DicomPort"), self.settings.on("DicomTlsEnabled")
        return (
            Listener(
                "dicom",
                Service.DICOM,
                port,
                "orthanc",
                self.dicom_exposure,
                tls=tls,
                client_certificate=self.certified,
            ),
        )

    def _members(self, name: str) -> Sequence[Member]:
        section = self.settings.section(name)
        return section.members[:_MOST] if section else ()

    def _login(self, member: Member) -> Login:
        """``Login`` of one user; a password that comes from a variable with a word of its own is that word."""
        value = self.settings.value(member.node)
        return Login.EXTERNAL if value is None else quality(str(value), self.settings.text(member.name) or "")

    def _quality(self, name: str, password: object) -> Login:
        text = self.settings.text(str(password))
        return Login.EXTERNAL if text is None else quality(text, name)

    def _peer(self, member: Member) -> Peer | None:
        node = member.node
        if isinstance(node, Array) and len(node.items) >= _LISTED:
            return self._made(member, *node.items[:_LISTED], refused=())
        if not isinstance(node, Object):
            return None
        refused = (name for name in COMMANDS if self.settings.value(node.get(f"Allow{name}")) is False)
        title, host, port = (node.get(name) for name in ("AET", "Host", "Port"))
        return self._made(member, title, host, port, refused=tuple(refused))

    def _made(
        self,
        member: Member,
        title: Node | None,
        host: Node | None,
        port: Node | None,
        *,
        refused: tuple[str, ...],
    ) -> Peer | None:
        named, at, number = (self.settings.value(node) for node in (title, host, port))
        if not isinstance(named, str) or not isinstance(at, str):
            return None
        known = isinstance(number, int | str) and _PORT.fullmatch(str(number))
        return Peer(member.name, named, at, int(str(number)) if known else None, refused, node=member.node)
