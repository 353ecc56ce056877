"""What is known of container images: ``knowledge/images.toml``, read at first use, once."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import resources
from typing import Any

from leadglass.configs.reading import Login, Service
from leadglass.model.verdict import Access

__all__ = ["Image", "Listens", "Product", "Secret", "image_of", "product_of", "usual"]

_LONGEST = 4096
"""Characters of a name, and of what a container is built from, mounts and runs, that are looked at."""


@dataclass(frozen=True, slots=True)
class Image:
    """The name of an image, taken apart."""

    repository: str
    """Without registry, in lower case: ``orthancteam/orthanc``."""
    tag: str


@dataclass(frozen=True, slots=True)
class Listens:
    """A port that a product opens in its container."""

    port: int
    name: str
    service: Service
    exposure: Access
    login: Login | None = None
    tls: bool = False
    certificate: bool = False


@dataclass(frozen=True, slots=True)
class Secret:
    """A variable that sets a password."""

    variable: str
    user: str
    """Whose it is, when nothing names another."""
    listener: str | None = None
    """What it opens; None: of another container."""
    named: str = ""
    """The variable that names the user."""
    factory: str | None = None
    """The user's password when the variable is not set."""
    older: str = ""
    """Another variable that sets the same."""


@dataclass(frozen=True, slots=True)
class Product:
    """A family of images."""

    name: str
    images: tuple[str, ...]
    tag: str
    marks: re.Pattern[str] | None
    listens: tuple[Listens, ...]
    secrets: tuple[Secret, ...]
    needs: tuple[str, ...]
    flag: str
    open: Mapping[str, str] | None
    ended: str
    documentation: str

    def is_of(self, image: Image) -> bool:
        """Whether an image is one of the family."""
        return fnmatchcase(image.tag, self.tag) and any(
            fnmatchcase(image.repository, name) for name in self.images
        )


def image_of(reference: str) -> Image:
    """``registry:5000/name:tag@digest`` as repository and tag."""
    name = reference[:_LONGEST].strip().partition("@")[0].lower()
    head, slash, rest = name.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        name = rest if head not in {"quay.io", "docker.elastic.co", "mcr.microsoft.com"} else name
    repository, colon, tag = name.rpartition(":")
    repository, tag = (repository, tag) if colon and "/" not in tag else (name, "latest")
    return Image(repository.removeprefix("library/"), tag)


def product_of(image: Image | None, texts: str) -> Product | None:
    """The family of a container: by its image, or else by marks in what it is built from, mounts or runs."""
    if image is not None:
        found = _by_image(image)
        if found is not None:
            return found
    part = texts[:_LONGEST]
    return next((one for one in _products() if one.marks and one.marks.search(part)), None)


def usual(port: int) -> Listens | None:
    """What listens on a port by custom, when the image is not known."""
    return _USUAL.get(port)


@functools.lru_cache(maxsize=1024)
def _by_image(image: Image) -> Product | None:
    return next((product for product in _products() if product.is_of(image)), None)


@functools.cache
def _products() -> Sequence[Product]:
    text = resources.files("leadglass.configs").joinpath("knowledge", "images.toml").read_text("utf-8")
    return [_product(row) for row in tomllib.loads(text)["image"]]


def _product(row: Mapping[str, Any]) -> Product:
    return Product(
        name=row["product"],
        images=tuple(row["images"]),
        tag=row.get("tag", "*"),
        marks=re.compile(row["marks"]) if "marks" in row else None,
        listens=tuple(_listens(one) for one in row["listens"]),
        secrets=tuple(Secret(**one) for one in row["secrets"]),
        needs=tuple(row.get("needs", ())),
        flag=row.get("flag", ""),
        open=row.get("open"),
        ended=row.get("ended", ""),
        documentation=row["documentation"],
    )


def _listens(row: Mapping[str, Any]) -> Listens:
    login = row.get("login")
    return Listens(
        port=row["port"],
        name=row["name"],
        service=Service(row["service"]),
        exposure=Access(row["exposure"]),
        login=None if login is None else Login(login),
        tls=row.get("tls", False),
        certificate=row.get("certificate", False),
    )


def _customary(service: Service, exposure: Access, ports: str, name: str) -> dict[int, Listens]:
    found = [int(port) for port in ports.split()]
    return {port: Listens(port, f"{name}-{port}", service, exposure) for port in found}


_USUAL: Mapping[int, Listens] = {
    **_customary(Service.DICOM, Access.OFFERS_STORAGE, "104 4242 5678 8104 11112", "dicom"),
    **_customary(Service.DATABASE, Access.DEMANDS_LOGIN, "1433 1521 3306 5432 6379 9200 27017", "database"),
    **_customary(Service.DIRECTORY, Access.DEMANDS_LOGIN, "389", "ldap"),
    **_customary(Service.HL7, Access.OFFERS_STORAGE, "2575", "hl7"),
    **_customary(Service.WEB, Access.DEMANDS_LOGIN, "8042", "web"),
    **_customary(Service.ADMIN, Access.DEMANDS_LOGIN, "2375 9990", "admin"),
}
