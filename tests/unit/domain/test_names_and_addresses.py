"""The rules of usernames, mail addresses and passwords."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.email_address import EmailAddress
from domain.errors import InvalidFields
from domain.password import Password, PasswordPolicy
from domain.username import Username


@pytest.mark.parametrize("raw", ["ann", "Ann_Smith", "a-b-c", "用户名字", "Ζεύς", "x2y", "a" * 30, "  ann "])
def test_usernames_of_one_script_are_taken(raw: str) -> None:
    assert Username.parse(raw).name == raw.strip()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("ab", "username_length"),
        ("a" * 31, "username_length"),
        ("_ann", "username_characters"),
        ("ann-", "username_characters"),
        ("ann smith", "username_characters"),
        ("ann@home", "username_characters"),
        ("ann\x00x", "username_characters"),
        ("ann\u202ex", "username_characters"),
        ("pаypal", "username_characters"),
        ("admin", "username_reserved"),
        ("Ａｄｍｉｎ", "username_reserved"),
        ("mailer_daemon", "username_reserved"),
    ],
)
def test_other_usernames_are_refused_with_a_code(raw: str, code: str) -> None:
    with pytest.raises(InvalidFields) as refusal:
        Username.parse(raw)
    assert [field.code for field in refusal.value.fields] == [code]


@pytest.mark.parametrize(("one", "other"), [("Ann", "aNN"), ("a_b_c", "a-b-c"), ("straße", "STRASSE")])
def test_names_that_people_would_take_for_one_have_one_key(one: str, other: str) -> None:
    assert Username.parse(one).key == Username.parse(other).key


@given(st.text(max_size=40))
def test_parsing_a_username_gives_a_stable_name_or_a_refusal(raw: str) -> None:
    try:
        name = Username.parse(raw)
    except InvalidFields:
        return
    assert Username.parse(name.name) == name
    assert 3 <= len(name.name) <= 30


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("ann@example.org", "ann@example.org"),
        (" Ann@Example.ORG ", "Ann@example.org"),
        ("a.b+c@sub.example.org", "a.b+c@sub.example.org"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
    ],
)
def test_addresses_keep_their_local_part_and_a_plain_domain(raw: str, address: str) -> None:
    assert EmailAddress.parse(raw).address == address


@pytest.mark.parametrize(
    "raw",
    [
        *("", "ann", "ann@", "@example.org", "ann@localhost", "a..b@example.org", ".a@example.org", "ann@example..org"),
        *("ann@-x.org", "ann@10.0.0.1", "ann b@example.org", "ann@exa mple.org", "ann@example.org\r\nBcc: x@y.org"),
        *("ann\u2028@example.org", "ann\x00@example.org", "<ann@example.org>", "x" * 65 + "@example.org"),
        *(
            "ann@" + "x" * 250 + ".org",
            "ann@example.org,bob@example.org",
            "ann@\ud800.org",
            "ann@faß.de",
            "=?utf-8?q??=@example.org",
        ),
    ],
)
def test_other_addresses_are_refused(raw: str) -> None:
    with pytest.raises(InvalidFields):
        EmailAddress.parse(raw)


@given(st.text(max_size=80))
def test_parsing_an_address_gives_a_stable_one_or_a_refusal(raw: str) -> None:
    try:
        email = EmailAddress.parse(raw)
    except InvalidFields:
        return
    assert EmailAddress.parse(email.address) == email
    assert email.address.isascii()
    assert email.address.isprintable()


def test_a_password_of_1024_bytes_is_taken_and_one_more_is_not() -> None:
    assert len(Password.parse("x" * 1024).text) == 1024
    with pytest.raises(InvalidFields):
        Password.parse("x" * 1025)
    with pytest.raises(InvalidFields):
        Password.parse("é" * 513)


def test_a_password_is_the_same_however_its_accents_are_typed() -> None:
    assert Password.parse("cafe\u0301") == Password.parse("café")


def test_a_password_is_not_shown() -> None:
    assert "hunter2" not in repr(Password.parse("hunter2"))


def test_a_new_password_is_long_enough_in_characters() -> None:
    policy = PasswordPolicy(min_length=15)
    assert policy.accept("ééééééééééééééé").text == "ééééééééééééééé"
    with pytest.raises(InvalidFields) as refusal:
        policy.accept("x" * 14)
    assert [field.code for field in refusal.value.fields] == ["password_too_short"]


@pytest.mark.parametrize("parse", [Username.parse, EmailAddress.parse, Password.parse])
def test_marks_without_end_are_refused_before_they_are_normalised(parse: Callable[[str], object]) -> None:
    """Sorting combining marks takes the square of their number; a thousand are harmless, a million are not."""
    started = time.perf_counter()
    with pytest.raises(InvalidFields):
        parse("a" + "\u0315\u0300" * 500_000)
    assert time.perf_counter() - started < 1, "unbounded, it would take minutes"
