"""Ids."""

import time

from adapters.system.randomness import RandomSessionKeys, Uuid7Ids


def test_ids_are_uuid7_of_now_in_the_order_they_were_made() -> None:
    ids = Uuid7Ids()
    before = time.time_ns() // 1_000_000
    made = [ids.new() for _ in range(10_000)]
    after = time.time_ns() // 1_000_000
    assert made == sorted(set(made))
    assert {made_id.version for made_id in made} == {7}
    assert {made_id.variant for made_id in made} == {"specified in RFC 4122"}
    assert before <= made[0].int >> 80 <= made[-1].int >> 80 <= after + 1


def test_session_keys_are_32_bytes_and_never_the_same() -> None:
    keys = {RandomSessionKeys().new().secret for _ in range(1_000)}
    assert {len(key) for key in keys} == {32}
    assert len(keys) == 1_000
