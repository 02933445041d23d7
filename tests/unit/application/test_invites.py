"""Issuing, listing and revoking invites."""

import pytest

from application.invites.offer_first_invite import AT_A_TIME
from domain.errors import InviteInvalid, InviteNotFound, InviteQuotaReached
from domain.invite import InviteTerms, Issued
from domain.token import Purpose
from domain.user import Role
from entrypoints.container import Container
from tests.unit.people import ANN, BOB, CLIENT, a_member, an_invite, deliver_everything, sign_up


async def test_the_holder_of_an_invite_learns_who_invites(container: Container) -> None:
    ann = await a_member(container, ANN)
    invite = await container.issue_invite()(terms=InviteTerms(email=BOB.email), by=ann.profile)
    found = await container.verify_invite()(invite=container.signer().sign(Purpose.INVITE, invite.id), client=CLIENT)
    assert (found.email, found.invited_by) == (BOB.email, "ann")


async def test_verifying_spends_nothing(container: Container) -> None:
    invite = await an_invite(container)
    for _ in range(3):
        await container.verify_invite()(invite=invite, client=CLIENT)
    await sign_up(container, ANN, invite)


@pytest.mark.parametrize("token", ["", "x", "A" * 46, "\ud800", "ünïcödé"])
async def test_what_is_no_token_of_ours_is_no_invite(container: Container, token: str) -> None:
    with pytest.raises(InviteInvalid):
        await container.verify_invite()(invite=token, client=CLIENT)


async def test_a_member_has_a_handful_of_open_invites_and_an_operator_any_number(container: Container) -> None:
    ann, bob = await a_member(container, ANN), await a_member(container, BOB, Role.ADMIN)
    for _ in range(5):
        await container.issue_invite()(terms=InviteTerms(), by=ann.profile)
    with pytest.raises(InviteQuotaReached):
        await container.issue_invite()(terms=InviteTerms(), by=ann.profile)
    await container.issue_invite()(terms=InviteTerms(max_claims=100), by=bob.profile)


async def test_a_revoked_invite_makes_room_for_another(container: Container) -> None:
    ann = await a_member(container, ANN)
    invite = await container.issue_invite()(terms=InviteTerms(max_claims=5), by=ann.profile)
    await container.revoke_invite()(invite_id=invite.id, by=ann.profile)
    await container.issue_invite()(terms=InviteTerms(max_claims=5), by=ann.profile)


async def test_members_see_and_revoke_their_own_invites_and_operators_all(container: Container) -> None:
    ann, bob = await a_member(container, ANN), await a_member(container, BOB, Role.ADMIN)
    mine = await container.issue_invite()(terms=InviteTerms(), by=ann.profile)
    other = await container.issue_invite()(terms=InviteTerms(), by=bob.profile)
    assert (await container.list_invites()(to=ann.profile)).invites == [Issued(mine, ann.username)]
    assert (await container.list_invites()(to=bob.profile, only_own=True)).invites == [Issued(other, bob.username)]
    everybodys = (await container.list_invites()(to=bob.profile)).invites
    assert {Issued(mine, ann.username), Issued(other, bob.username)} < set(everybodys)
    with pytest.raises(InviteNotFound):
        await container.revoke_invite()(invite_id=other.id, by=ann.profile)
    await container.revoke_invite()(invite_id=mine.id, by=bob.profile)


async def test_an_invite_for_an_address_is_mailed_there(container: Container, said: list[str]) -> None:
    ann = await a_member(container, ANN)
    await container.issue_invite()(terms=InviteTerms(email=BOB.email), by=ann.profile)
    await deliver_everything(container)
    assert [line for line in said if line.startswith("Mail to bob@example.org: ann invites you to Bottomline http")]


async def test_the_first_invite_is_the_same_until_somebody_has_an_account(container: Container) -> None:
    first = await container.offer_first_invite()()
    assert first is not None
    assert first == await container.offer_first_invite()()
    for _ in range(AT_A_TIME + 1):
        await an_invite(container)
    assert first == await container.offer_first_invite()()
    await sign_up(container, ANN, container.signer().sign(Purpose.INVITE, first.id))
    assert await container.offer_first_invite()() is None
    async with container.read()() as work:
        user = await work.users.by_email(ANN.email)
    assert user is not None
    assert user.role is Role.ADMIN
