"""Settings: read from the environment once, checked whole, then fixed."""

import difflib
import os
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

import msgspec

PREFIX = "BOTTOMLINE_"
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class BadSettings(Exception):
    """One line for each setting that is wrong, ready to print."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an operator may set. An absent server URL means the adapter that needs no server."""

    public_url: str
    assets_url: str | None
    secret_keys: tuple[str, ...]
    database_url: str
    redis_url: str | None
    rabbitmq_url: str | None
    smtp_url: str | None
    data_dir: Path
    host: str
    port: int
    workers: int
    mail_from: str
    mail_reply_to: str | None
    brand: str
    contact_url: str | None
    session_days: int
    session_idle_days: int
    password_min_length: int
    breached_passwords: Path | None
    invites_per_user: int
    argon2_time: int
    argon2_memory_kib: int
    rate_limits: bool
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    log_format: str
    metrics_port: int | None

    @property
    def is_embedded(self) -> bool:
        """Whether the record is a file of this machine, so that this process is the only one."""
        return self.database_url.startswith("sqlite:")

    @property
    def mail_folder(self) -> Path:
        """Where mails lie that no server takes."""
        return self.data_dir / "mail"

    @property
    def has_mailbox(self) -> bool:
        """Whether the mails are shown to whoever sits at this machine: they carry what opens accounts.

        So only where nobody else is meant to come here, be it by another address, or by a proxy.
        """
        is_for_one = self.is_embedded and not self.smtp_url and not self.trusted_proxies
        return is_for_one and ip_address(self.host).is_loopback and urlsplit(self.public_url).hostname in LOCAL_HOSTS

    @property
    def session_life(self) -> timedelta:
        """How long a session lasts at most."""
        return timedelta(days=self.session_days)

    @property
    def has_secure_origin(self) -> bool:
        """Whether browsers take `__Host-` cookies from PUBLIC_URL: https, or this very machine."""
        url = urlsplit(self.public_url)
        return url.scheme == "https" or url.hostname in LOCAL_HOSTS

    def __repr__(self) -> str:
        """Not the secrets."""
        return f"Settings(public_url={self.public_url!r})"


class Setting(msgspec.Struct, frozen=True):
    """One setting: how its text is read (raising ValueError with what to write), its default, and its meaning."""

    read: Callable[[str], Any]
    default: str | None
    meaning: str


def _address(text: str) -> str:
    try:
        return str(ip_address("127.0.0.1" if text == "localhost" else text))
    except ValueError:
        raise ValueError("write an address such as 127.0.0.1, or 0.0.0.0 for all that this machine has") from None


def _server(*schemes: str) -> Callable[[str], str]:
    """Reads the address of a server: a scheme, a host, and a port that is one."""

    def read(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in schemes or not parts.hostname or not _has_port_or_none(parts):
            raise ValueError("write " + " or ".join(f"{scheme}://host[:port]" for scheme in schemes))
        return text

    return read


def _database(text: str) -> str:
    if text.startswith("sqlite:///") and len(text) > len("sqlite:///"):
        return text
    if "ssl" in parse_qs(urlsplit(text).query):
        raise ValueError("write sslmode=… for ssl=…, as libpq does")
    return _server("postgresql", "postgres", "postgresql+asyncpg")(text)


def _smtp(text: str) -> str:
    parts = urlsplit(_server("smtp", "smtps", "smtp+starttls")(text))
    is_logging_in = bool(parts.username or parts.password)
    if is_logging_in and parts.scheme == "smtp" and parts.hostname not in LOCAL_HOSTS:
        raise ValueError("use smtps:// or smtp+starttls://, or anybody on the way can read the password")
    return text


def _public_url(text: str) -> str:
    parts = urlsplit(_server("https", "http")(text))
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise ValueError("write https://host[:port] and nothing behind it")
    return text.rstrip("/")


def _assets_url(text: str) -> str:
    """Stands in pages and in a policy as it is: nothing that means something there is taken."""
    parts = urlsplit(_server("https", "http")(text))
    is_encrypted = parts.scheme == "https" or parts.hostname in LOCAL_HOSTS
    if not is_encrypted or not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?", text):
        raise ValueError("write https://host[:port][/path] and nothing behind it")
    return text.rstrip("/")


def _has_port_or_none(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"write a whole number from {least:,} to {most:,}")
        return int(text)

    return read


def _secret_keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(","))
    if any(len(key) < 32 for key in keys):
        raise ValueError("write one or more secrets of at least 32 characters, comma-separated (openssl rand -hex 32)")
    return keys


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"write {' or '.join(words)}")
        return text

    return read


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise ValueError("write the path of a file that is there")
    return Path(text)


def _mail_address(text: str) -> str:
    address = parseaddr(text)[1]
    if "@" not in address or not address.isascii() or _has_controls(text):
        raise ValueError("write an address such as Name <name@example.org>")
    return text


def _line(text: str) -> str:
    if _has_controls(text) or not 1 <= len(text) <= 80:
        raise ValueError("write one line of at most 80 characters")
    return text


def _contact(text: str) -> str:
    if not text.startswith(("https://", "http://", "mailto:")) or _has_controls(text):
        raise ValueError("write https://…, http://… or mailto:…")
    return text


def _switch(text: str) -> bool:
    if text not in {"on", "off"}:
        raise ValueError("write on or off")
    return text == "on"


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    parts = [part for part in map(str.strip, text.split(",")) if part]
    try:
        networks = tuple(ip_network("0.0.0.0/0" if part == "*" else part) for part in parts)
    except ValueError:
        raise ValueError(
            "write addresses or networks such as 10.0.0.7, 10.0.0.0/8 or fd00::/8, comma-separated"
        ) from None
    if any(network.prefixlen == 0 for network in networks):
        raise ValueError("write the proxies alone: trusting everybody lets every client choose its own address")
    return networks


def _has_controls(text: str) -> bool:
    return any(not character.isprintable() for character in text)


SETTINGS: Mapping[str, Setting] = {
    "PUBLIC_URL": Setting(
        _public_url,
        None,
        "Where people reach the service; all links start with it. Default: http://localhost:PORT",
    ),
    "ASSETS_URL": Setting(
        _assets_url,
        None,
        "Where pages load their scripts and styles from: a CDN, https://host[/path]. Default: the service itself",
    ),
    "SECRET_KEYS": Setting(
        _secret_keys,
        None,
        "Secrets for cookies and links, comma-separated: the first makes, all are accepted. Needed with any server URL;"
        " else one is made and kept in the data folder",
    ),
    "DATABASE_URL": Setting(
        _database,
        None,
        "postgresql://user:password@host/name, encrypted with ?sslmode=verify-full; or sqlite:///path. Default: SQLite"
        " in the data folder",
    ),
    "REDIS_URL": Setting(
        _server("redis", "rediss"), None, "redis://host:6379/0. Default: a cache in the process, or none with Postgres"
    ),
    "RABBITMQ_URL": Setting(
        _server("amqp", "amqps"), None, "amqp://user:password@host/. Default: events stay in the process"
    ),
    "SMTP_URL": Setting(
        _smtp,
        None,
        "smtp://host:25, or to log in, encrypted, smtps://user:password@host or smtp+starttls://…. Default: mails are"
        " files in the data folder",
    ),
    "DATA_DIR": Setting(Path, "var", "The folder for what no server keeps: database, mails, secret"),
    "HOST": Setting(_address, "127.0.0.1", "The address to listen on"),
    "PORT": Setting(_whole(1, 65_535), "8000", "The port to listen on"),
    "WORKERS": Setting(_whole(1, 256), "1", "Web processes; more than one needs Postgres"),
    "MAIL_FROM": Setting(_mail_address, "Bottomline <bottomline@localhost>", "The sender of mails"),
    "MAIL_REPLY_TO": Setting(_mail_address, None, "Where answers to mails go. Default: to the sender"),
    "BRAND": Setting(_line, "Bottomline", "What the service calls itself in pages and mails"),
    "CONTACT_URL": Setting(_contact, None, "Where people get help: https://… or mailto:…"),
    "SESSION_DAYS": Setting(_whole(1, 365), "14", "Days after which a session ends"),
    "SESSION_IDLE_DAYS": Setting(_whole(1, 365), "3", "Days without use after which a session ends"),
    "PASSWORD_MIN_LENGTH": Setting(_whole(8, 128), "15", "The shortest password, in characters"),
    "BREACHED_PASSWORDS": Setting(
        _file,
        None,
        "A file of stolen passwords to refuse: the SHA-1 list of Pwned Passwords, ordered by hash. Default: no list",
    ),
    "INVITES_PER_USER": Setting(
        _whole(0, 10_000),
        "5",
        "Accounts that a user's open invites may be good for; operators have no limit. 0: only operators invite",
    ),
    "ARGON2_TIME": Setting(_whole(1, 100), "2", "Passes of the password hash"),
    "ARGON2_MEMORY_KIB": Setting(_whole(8, 4_194_304), "19456", "Memory of one password hash in KiB"),
    "RATE_LIMITS": Setting(_switch, "on", "`off` lets everybody try as often as they like: for load tests only"),
    "TRUSTED_PROXIES": Setting(
        _networks,
        "",
        "Addresses and networks of the proxies in front, comma-separated: only their X-Forwarded-For is believed."
        " Default: none",
    ),
    "METRICS_PORT": Setting(
        _whole(1, 65_535),
        None,
        "A port for GET /metrics, for Prometheus, where events are delivered; keep it from the public. Default: none",
    ),
    "LOG_FORMAT": Setting(
        _one_of("auto", "json", "text"), "auto", "How the log is written: json, text, or auto: text on a terminal only"
    ),
}


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in an environment. Raises BadSettings with every problem at once; values of secrets stay out of it.

    Embedded, a missing secret is made on the first run and kept in the data folder.
    """
    problems = [_unknown(name) for name in environ if name.startswith(PREFIX) and not _is_known(name)]
    found: dict[str, Any] = {}
    for name, setting in SETTINGS.items():
        text = environ.get(PREFIX + name) or setting.default
        try:
            found[name.lower()] = None if text is None else setting.read(text)
        except ValueError as error:
            problems.append(f"{PREFIX}{name}: {error}.")
    if not problems:
        problems = _contradictions(found)
    if problems:
        raise BadSettings(problems)
    return Settings(**_with_defaults(found))


def _is_known(name: str) -> bool:
    """Whether there is such a setting; BOTTOMLINE_TEST_… speaks to the tests."""
    return name.removeprefix(PREFIX) in SETTINGS or name.startswith(f"{PREFIX}TEST_")


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, [PREFIX + known for known in SETTINGS], n=1)
    return f"{name}: there is no such setting." + (f" Did you mean {close[0]}?" if close else "")


def _contradictions(found: Mapping[str, Any]) -> list[str]:
    problems = []
    is_sqlite = (found["database_url"] or "sqlite:").startswith("sqlite:")
    servers = [name for name in ("redis_url", "rabbitmq_url", "smtp_url") if found[name]]
    servers = servers if is_sqlite else ["database_url", *servers]
    if servers and not found["secret_keys"]:
        problems.append(
            f"{PREFIX}SECRET_KEYS: needed with {PREFIX}{servers[0].upper()}. Make one with: openssl rand -hex 32"
        )
    if found["rabbitmq_url"] and is_sqlite:
        problems.append(
            f"{PREFIX}RABBITMQ_URL: its worker is a second process and needs {PREFIX}DATABASE_URL=postgresql://…."
        )
    if found["workers"] > 1 and is_sqlite:
        problems.append(f"{PREFIX}WORKERS: several processes need {PREFIX}DATABASE_URL=postgresql://….")
    if found["metrics_port"] == found["port"]:
        problems.append(f"{PREFIX}METRICS_PORT: write another than {PREFIX}PORT ({found['port']}).")
    if found["session_idle_days"] > found["session_days"]:
        problems.append(f"{PREFIX}SESSION_IDLE_DAYS: write at most {PREFIX}SESSION_DAYS ({found['session_days']}).")
    return problems


def _with_defaults(found: dict[str, Any]) -> dict[str, Any]:
    folder: Path = found["data_dir"]
    found["public_url"] = found["public_url"] or f"http://localhost:{found['port']}"
    found["database_url"] = found["database_url"] or f"sqlite:///{folder.absolute() / 'bottomline.db'}"
    found["secret_keys"] = found["secret_keys"] or (_kept_secret(folder),)
    return found


def _kept_secret(folder: Path) -> str:
    """The secret in the data folder, made where there is none; readable by its owner alone."""
    file = folder / "secret"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            _make_secret(file)
        (secret,) = _secret_keys(file.read_text().strip())
    except OSError as error:
        raise BadSettings([f"{PREFIX}DATA_DIR: cannot keep the secret in {folder}: {error.strerror}."]) from error
    except ValueError as error:
        raise BadSettings(
            [f"{PREFIX}DATA_DIR: {file} is damaged. Restore it, or delete it to make a new one."]
        ) from error
    return secret


def _make_secret(file: Path) -> None:
    """Make the file whole and on disk, or not at all; of two that start at once, the first one's stays."""
    unfinished = file.with_name(f".secret.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(32).encode())
        os.fsync(descriptor)
        with suppress(FileExistsError):
            file.hardlink_to(unfinished)
    finally:
        os.close(descriptor)
        unfinished.unlink()
