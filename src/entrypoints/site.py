"""The static site: what the pages folder holds, read once and made ready to be served."""

import hashlib
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from entrypoints.settings import Settings

HTML = "text/html; charset=utf-8"
TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml; charset=utf-8",
    ".webmanifest": "application/manifest+json; charset=utf-8",
    ".woff2": "font/woff2",
}
"""What the pages may load, by the ends of names; other files in the folder are left alone."""
GZIP = 31
"""zlib's word for the format of RFC 1952 with the largest window."""
_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


class BadPage(Exception):
    """A page that cannot be served; the message says which, and why."""


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is served: plain and, where that is shorter, compressed (gzip). Its digest tells contents apart."""

    content: bytes
    zipped: bytes | None
    media_type: str
    digest: str

    @classmethod
    def of(cls, content: bytes, media_type: str) -> "File":
        """A file of this content, compressed as far as it goes."""
        packer = zlib.compressobj(9, zlib.DEFLATED, GZIP)
        zipped = packer.compress(content) + packer.flush()
        digest = hashlib.sha256(content).hexdigest()[:16]
        return cls(content, zipped if len(zipped) < len(content) else None, media_type, digest)


@dataclass(frozen=True, slots=True)
class Site:
    """Pages and the assets that they load, each by the name of its file.

    `version` is one digest over all assets: their modules load each other by relative paths, so they belong together.
    """

    version: str
    assets: Mapping[str, File]
    pages: Mapping[str, File]

    def write_assets(self, folder: Path) -> Path:
        """Write the assets into the folder of this version within `folder`, and name it. Raises OSError."""
        versioned = folder / self.version
        versioned.mkdir(parents=True, exist_ok=True)
        for name, file in self.assets.items():
            (versioned / name).write_bytes(file.content)
        return versioned


def read_site(settings: Settings, folder: Traversable | None = None) -> Site:
    """The site with the operator's settings filled in. Raises BadPage on a placeholder that stands for nothing."""
    found = {file.name: file for file in (folder or files("entrypoints") / "pages").iterdir()}
    assets = {name: found[name].read_bytes() for name in sorted(found) if Path(name).suffix in TYPES}
    version = _version(assets)
    base = f"{settings.assets_url or '/assets'}/{version}"
    filling = {
        "brand": settings.brand,
        "contact": settings.contact_url or "",
        "password_min_length": str(settings.password_min_length),
    }
    return Site(
        version,
        {name: File.of(content, TYPES[Path(name).suffix]) for name, content in assets.items()},
        {
            name: File.of(_filled(name, file.read_text("utf-8"), base, filling).encode(), HTML)
            for name, file in found.items()
            if name.endswith(".html")
        },
    )


def _version(assets: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name, content in assets.items():
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()[:12]


def _filled(name: str, html: str, base: str, filling: Mapping[str, str]) -> str:
    """The page with the assets of this version and the settings in it, which stay text whatever they hold."""

    def value(placeholder: re.Match[str]) -> str:
        if placeholder[1] not in filling:
            raise BadPage(f"{name}: nothing is known of {placeholder[0]}; there are {', '.join(filling)}")
        return escape(filling[placeholder[1]])

    return _PLACEHOLDER.sub(value, html.replace('="/assets/', f'="{escape(base)}/'))
