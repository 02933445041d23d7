"""The rules of sessions."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.session import Session, SessionKey, SessionLife

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIFE = SessionLife(absolute=timedelta(days=14), idle=timedelta(days=3))


def a_session(life: SessionLife = LIFE) -> Session:
    key = SessionKey(bytes(32))
    return Session.start(id=UUID(int=1), user_id=UUID(int=2), key=key, at=NOW, life=life, user_agent=None, ip=None)


def test_a_session_ends_when_it_is_not_used() -> None:
    assert a_session().is_live(NOW + timedelta(days=3) - timedelta(seconds=1))
    assert not a_session().is_live(NOW + timedelta(days=3))


def test_use_keeps_a_session_alive_but_not_beyond_its_absolute_end() -> None:
    session, now = a_session(), NOW
    while session.is_live(now):
        session, now = session.seen(now, LIFE), now + timedelta(days=1)
    assert now == NOW + timedelta(days=14)


def test_the_last_use_is_kept_to_the_hour() -> None:
    session = a_session()
    assert session.seen(NOW + timedelta(minutes=59), LIFE) is session
    assert session.seen(NOW + timedelta(hours=1), LIFE).last_seen_at == NOW + timedelta(hours=1)


def test_a_short_life_bounds_the_idle_time() -> None:
    session = a_session(SessionLife(absolute=timedelta(days=1), idle=timedelta(days=3)))
    assert not session.is_live(NOW + timedelta(days=1))


def test_storage_knows_a_hash_of_the_key_and_logs_neither() -> None:
    key = SessionKey(b"k" * 32)
    assert key.hash != key.secret
    assert "kkk" not in repr(key)
    assert key.hash.hex() not in repr(a_session())
