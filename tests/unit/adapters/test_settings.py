"""Settings: a bad or unknown one stops the start with a line of its own."""

from pathlib import Path

import pytest

from entrypoints.settings import BadSettings, read_settings

SECRET = "s" * 32


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(BadSettings) as error:
        read_settings(environ)
    return error.value.problems


def test_nothing_set_means_embedded_with_a_secret_of_its_own(tmp_path: Path) -> None:
    settings = read_settings({"BOTTOMLINE_DATA_DIR": str(tmp_path / "var"), "PATH": "/bin"})
    assert settings.is_embedded
    assert settings.public_url == "http://localhost:8000"
    assert (tmp_path / "var" / "secret").stat().st_mode & 0o777 == 0o600
    assert settings.secret_keys == read_settings({"BOTTOMLINE_DATA_DIR": str(tmp_path / "var")}).secret_keys


def test_every_problem_is_named_at_once() -> None:
    lines = problems(
        {
            "BOTTOMLINE_PORT": "http",
            "BOTTOMLINE_REDIS_ULR": "redis://localhost",
            "BOTTOMLINE_SECRET_KEYS": "short",
            "BOTTOMLINE_DATABASE_URL": "mysql://localhost/x",
        }
    )
    assert [line.split(":")[0] for line in sorted(lines)] == [
        "BOTTOMLINE_DATABASE_URL",
        "BOTTOMLINE_PORT",
        "BOTTOMLINE_REDIS_ULR",
        "BOTTOMLINE_SECRET_KEYS",
    ]


def test_a_database_file_of_ones_own_needs_no_secret(tmp_path: Path) -> None:
    environ = {"BOTTOMLINE_DATABASE_URL": f"sqlite:///{tmp_path}/own.db", "BOTTOMLINE_DATA_DIR": str(tmp_path)}
    assert read_settings(environ).is_embedded


def test_what_speaks_to_the_tests_is_left_alone(tmp_path: Path) -> None:
    read_settings({"BOTTOMLINE_TEST_POSTGRES_URL": "x", "BOTTOMLINE_DATA_DIR": str(tmp_path)})


def test_a_misspelt_setting_is_recognised() -> None:
    assert problems({"BOTTOMLINE_REDIS_ULR": "x"}) == [
        "BOTTOMLINE_REDIS_ULR: there is no such setting. Did you mean BOTTOMLINE_REDIS_URL?"
    ]


def test_a_bad_secret_is_not_repeated() -> None:
    assert "hunter2" not in "".join(problems({"BOTTOMLINE_SECRET_KEYS": "hunter2"}))


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql://u:p@localhost/b"),
        ("REDIS_URL", "redis://localhost"),
        ("SMTP_URL", "smtp://localhost"),
    ],
)
def test_a_server_needs_a_secret(name: str, url: str) -> None:
    (line,) = problems({f"BOTTOMLINE_{name}": url})
    assert line.startswith("BOTTOMLINE_SECRET_KEYS: needed with BOTTOMLINE_")
    read_settings({f"BOTTOMLINE_{name}": url, "BOTTOMLINE_SECRET_KEYS": SECRET})


def test_a_broker_needs_a_database_that_its_worker_can_share() -> None:
    broker = {"BOTTOMLINE_RABBITMQ_URL": "amqp://localhost", "BOTTOMLINE_SECRET_KEYS": SECRET}
    (line,) = problems(broker)
    assert line.startswith("BOTTOMLINE_RABBITMQ_URL: its worker is a second process")
    read_settings({**broker, "BOTTOMLINE_DATABASE_URL": "postgresql://u:p@localhost/b"})


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("PUBLIC_URL", "example.org"),
        ("PUBLIC_URL", "ftp://example.org"),
        ("PUBLIC_URL", "https://example.org/a?b#c"),
        ("PUBLIC_URL", "https://user@example.org"),
        ("ASSETS_URL", "cdn.example.org"),
        ("ASSETS_URL", "//cdn.example.org"),
        ("ASSETS_URL", "http://cdn.example.org"),
        ("ASSETS_URL", "https://user@cdn.example.org"),
        ("ASSETS_URL", "https://cdn.example.org/x?y"),
        ("ASSETS_URL", "https://cdn.example.org/x#y"),
        ("ASSETS_URL", "https://cdn.example.org; script-src *"),
        ("ASSETS_URL", "https://cdn.example.org/a b"),
        ("ASSETS_URL", 'https://cdn.example.org/"><script>'),
        ("ASSETS_URL", "https://cdn.example.org:x"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "redis://h:abc"),
        ("RABBITMQ_URL", "amqp://"),
        ("DATABASE_URL", "postgresql://u@h:abc/b"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "postgresql://u@h/b?ssl=require"),
        ("SMTP_URL", "smtp://:25"),
        ("SMTP_URL", "smtp://h:99999"),
        ("SMTP_URL", "localhost"),
        ("SMTP_URL", "smtp://ann@mail.example.org"),
        ("HOST", "example.org"),
        ("HOST", "[::1]"),
        ("METRICS_PORT", "8000"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "８０"),
        ("PASSWORD_MIN_LENGTH", "7"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "hello@bücher.example"),
        ("MAIL_FROM", "Eve <eve@example.org>\r\nBcc: x@example.org"),
        ("BRAND", "two\nlines"),
        ("BRAND", "x" * 81),
        ("CONTACT_URL", "javascript:alert(1)"),
        ("WORKERS", "2"),
        ("SESSION_IDLE_DAYS", "15"),
        ("RATE_LIMITS", "no"),
        ("TRUSTED_PROXIES", "proxy.example.org"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "10.0.0.7, *"),
        ("TRUSTED_PROXIES", "0.0.0.0/0"),
        ("TRUSTED_PROXIES", "::/0"),
    ],
)
def test_a_bad_value_is_refused_with_what_to_write(name: str, bad: str) -> None:
    (line,) = problems({f"BOTTOMLINE_{name}": bad})
    assert line.startswith(f"BOTTOMLINE_{name}: ")


def test_a_cdn_is_an_address_without_a_slash_at_its_end(tmp_path: Path) -> None:
    environ = {"BOTTOMLINE_DATA_DIR": str(tmp_path)}
    for url in (
        "https://cdn.example.org/",
        "https://cdn.example.org:8443/a/b/",
        "http://localhost:9000",
        "http://[::1]/a",
    ):
        assert read_settings({**environ, "BOTTOMLINE_ASSETS_URL": url}).assets_url == url.rstrip("/")
    assert read_settings(environ).assets_url is None


def test_a_password_is_not_sent_in_the_clear_to_another_machine(tmp_path: Path) -> None:
    (line,) = problems({"BOTTOMLINE_SMTP_URL": "smtp://ann:hunter2@mail.example.org:587"})
    assert line.startswith("BOTTOMLINE_SMTP_URL: use smtps:// or smtp+starttls://")
    assert "hunter2" not in line
    environ = {"BOTTOMLINE_SECRET_KEYS": SECRET, "BOTTOMLINE_DATA_DIR": str(tmp_path)}
    for url in (
        "smtps://ann:hunter2@mail.example.org",
        "smtp+starttls://ann:hunter2@mail.example.org",
        "smtp://mail.example.org",
        "smtp://ann:hunter2@localhost:1025",
        "smtp://ann:hunter2@[::1]",
    ):
        assert read_settings({**environ, "BOTTOMLINE_SMTP_URL": url}).smtp_url == url


def test_everybody_is_no_proxy() -> None:
    (line,) = problems({"BOTTOMLINE_TRUSTED_PROXIES": "*"})
    assert line.startswith("BOTTOMLINE_TRUSTED_PROXIES: write the proxies alone")


def test_proxies_are_addresses_and_networks(tmp_path: Path) -> None:
    environ = {"BOTTOMLINE_TRUSTED_PROXIES": "10.0.0.7, fd00::/8", "BOTTOMLINE_DATA_DIR": str(tmp_path)}
    assert [str(network) for network in read_settings(environ).trusted_proxies] == ["10.0.0.7/32", "fd00::/8"]


def test_settings_do_not_show_their_secrets() -> None:
    environ = {"BOTTOMLINE_DATABASE_URL": "postgresql://u:hunter2@h/b", "BOTTOMLINE_SECRET_KEYS": SECRET}
    assert "hunter2" not in repr(read_settings(environ))
    assert SECRET not in repr(read_settings(environ))


def test_a_damaged_secret_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("")
    (line,) = problems({"BOTTOMLINE_DATA_DIR": str(tmp_path)})
    assert line == (
        f"BOTTOMLINE_DATA_DIR: {tmp_path / 'secret'} is damaged. Restore it, or delete it to make a new one."
    )
