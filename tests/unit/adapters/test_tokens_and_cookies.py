"""Tokens and cookies: what is ours is read, all else is nothing."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.crypto.cookies import AesGcmCookieSeal
from adapters.crypto.tokens import HmacTokenSigner
from domain.session import SessionKey
from domain.token import Purpose

OLD, NEW = "o" * 32, "n" * 32
SIGNER = HmacTokenSigner([NEW])
SEAL = AesGcmCookieSeal([NEW])
ID = UUID(int=0x0123456789ABCDEF0123456789ABCDEF)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(st.uuids(), st.sampled_from(Purpose))
def test_a_token_brings_its_id_back_for_its_purpose_alone(id: UUID, purpose: Purpose) -> None:
    token = SIGNER.sign(purpose, id)
    assert {other: SIGNER.read(other, token) for other in Purpose} == {
        other: id if other is purpose else None for other in Purpose
    }


def test_a_token_is_the_same_each_time_and_fits_a_link() -> None:
    token = SIGNER.sign(Purpose.INVITE, ID)
    assert token == SIGNER.sign(Purpose.INVITE, ID)
    assert len(token) == 46
    assert set(token) <= set(ALPHABET)


@pytest.mark.parametrize("place", range(46))
def test_a_token_with_another_character_anywhere_is_nothing(place: int) -> None:
    token = SIGNER.sign(Purpose.INVITE, ID)
    for other in ALPHABET:
        changed = token[:place] + other + token[place + 1 :]
        assert SIGNER.read(Purpose.INVITE, changed) == (ID if changed == token else None)


@given(st.text())
def test_any_text_can_be_asked_about(text: str) -> None:
    assert SIGNER.read(Purpose.INVITE, text) is None
    assert SEAL.open(text) is None


def test_a_token_of_an_older_key_is_read_until_the_key_is_dropped() -> None:
    token = HmacTokenSigner([OLD]).sign(Purpose.INVITE, ID)
    assert HmacTokenSigner([NEW, OLD]).read(Purpose.INVITE, token) == ID
    assert HmacTokenSigner([NEW]).read(Purpose.INVITE, token) is None
    assert HmacTokenSigner([NEW, OLD]).sign(Purpose.INVITE, ID) == HmacTokenSigner([NEW]).sign(Purpose.INVITE, ID)


def test_keys_that_share_an_id_byte_are_both_tried() -> None:
    first, second = two_secrets_of_one_id()
    token = HmacTokenSigner([second]).sign(Purpose.INVITE, ID)
    assert HmacTokenSigner([first, second]).read(Purpose.INVITE, token) == ID


def two_secrets_of_one_id() -> tuple[str, str]:
    by_id: dict[int, str] = {}
    for secret in (f"{number:032}" for number in range(300)):
        first = by_id.setdefault(HmacTokenSigner([secret])._keys[0].id, secret)
        if first != secret:
            return first, secret
    raise AssertionError("300 secrets have no two of 256 ids in common")


@given(st.binary(min_size=32, max_size=32))
def test_a_cookie_brings_its_key_back(secret: bytes) -> None:
    assert SEAL.open(SEAL.seal(SessionKey(secret))) == SessionKey(secret)


def test_a_cookie_tells_nothing_of_its_key_and_is_never_the_same() -> None:
    key = SessionKey(bytes(32))
    assert len({SEAL.seal(key) for _ in range(100)}) == 100


@pytest.mark.parametrize("place", range(82))
def test_a_cookie_with_another_character_anywhere_opens_nothing(place: int) -> None:
    key = SessionKey(b"k" * 32)
    value = SEAL.seal(key)
    for other in ALPHABET:
        changed = value[:place] + other + value[place + 1 :]
        assert SEAL.open(changed) == (key if changed == value else None)


def test_a_cookie_of_an_older_key_opens_until_the_key_is_dropped() -> None:
    value = AesGcmCookieSeal([OLD]).seal(SessionKey(bytes(32)))
    assert AesGcmCookieSeal([NEW, OLD]).open(value) == SessionKey(bytes(32))
    assert AesGcmCookieSeal([NEW]).open(value) is None


def test_a_token_is_no_cookie_and_secrets_for_one_are_not_the_others() -> None:
    assert SEAL.open(SIGNER.sign(Purpose.INVITE, ID)) is None
    assert SIGNER.read(Purpose.INVITE, SEAL.seal(SessionKey(bytes(32)))) is None
