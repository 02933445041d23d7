"""The rules of invites."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.email_address import EmailAddress
from domain.errors import InvalidFields, InviteExpired, InviteForAnotherAddress, InviteRevoked, InviteSpent
from domain.invite import Invite, InviteState, InviteTerms

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANN, BOB = EmailAddress("ann@example.org"), EmailAddress("bob@example.org")


def an_invite(terms: InviteTerms | None = None) -> Invite:
    return Invite.issue(terms or InviteTerms(), id=UUID(int=1), by=None, at=NOW)


def test_a_fresh_invite_is_open_for_seven_days() -> None:
    assert an_invite().state(NOW + timedelta(days=7) - timedelta(microseconds=1)) is InviteState.OPEN
    assert an_invite().state(NOW + timedelta(days=7)) is InviteState.EXPIRED


def test_an_open_invite_can_be_claimed_by_anybody() -> None:
    an_invite().check_claimable(by=ANN, at=NOW)


def test_a_spent_invite_cannot_be_claimed() -> None:
    with pytest.raises(InviteSpent):
        replace(an_invite(), claims=1).check_claimable(by=BOB, at=NOW)


def test_an_expired_invite_cannot_be_claimed() -> None:
    with pytest.raises(InviteExpired):
        an_invite().check_claimable(by=ANN, at=NOW + timedelta(days=8))


def test_a_revoked_invite_cannot_be_claimed() -> None:
    with pytest.raises(InviteRevoked):
        replace(an_invite(), revoked_at=NOW).check_claimable(by=ANN, at=NOW)


def test_a_spent_invite_stays_spent_when_its_time_is_over() -> None:
    spent = replace(an_invite(), claims=1)
    assert spent.state(NOW + timedelta(days=400)) is InviteState.SPENT


def test_a_bound_invite_is_for_its_address_alone_whatever_the_case() -> None:
    bound = an_invite(InviteTerms(email=ANN))
    bound.check_claimable(by=EmailAddress("Ann@Example.org"), at=NOW)
    with pytest.raises(InviteForAnotherAddress):
        bound.check_claimable(by=BOB, at=NOW)


def test_an_invite_for_many_is_spent_with_its_last_claim() -> None:
    invite = replace(an_invite(InviteTerms(max_claims=3)), claims=2)
    assert invite.state(NOW) is InviteState.OPEN
    assert replace(invite, claims=3).state(NOW) is InviteState.SPENT


@pytest.mark.parametrize(
    ("terms", "fields"),
    [
        ({"max_claims": 0}, ["max_claims"]),
        ({"max_claims": 10_001}, ["max_claims"]),
        ({"email": ANN, "max_claims": 2}, ["max_claims"]),
        ({"expires_in_days": 0}, ["expires_in_days"]),
        ({"expires_in_days": 10**12}, ["expires_in_days"]),
        ({"note": "x" * 201}, ["note"]),
        ({"note": "x" * 201, "max_claims": 0, "expires_in_days": -1}, ["max_claims", "expires_in_days", "note"]),
    ],
)
def test_terms_out_of_range_are_refused_by_name(terms: dict[str, object], fields: list[str]) -> None:
    with pytest.raises(InvalidFields) as refusal:
        InviteTerms(**terms)  # type: ignore[arg-type]
    assert [field.field for field in refusal.value.fields] == fields
