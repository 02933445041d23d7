"""Claim an invite and create a user: sign up."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from application.guesses import bad_invites_counted
from application.password_check import PasswordCheck
from application.ports import (
    Begin,
    Bucket,
    Clock,
    Holder,
    Ids,
    PasswordHasher,
    RateLimiter,
    TokenSigner,
    Turns,
    Usernames,
    Work,
)
from domain.client_address import ClientAddress
from domain.email_address import EmailAddress
from domain.errors import InviteSpent, InviteUnknown, Refusal, UsernameTaken
from domain.events import ConfirmationRequested, InviteClaimed, KnownAddressSignedUp, UserCreated
from domain.invite import Claim, Invite
from domain.limits import SIGN_UP_BY_ADDRESS
from domain.password import NewPassword
from domain.token import Purpose, Token
from domain.user import User
from domain.username import HOLD, Username


@dataclass(frozen=True, slots=True)
class ClaimInviteAndCreateUser:
    """Spend a claim of an invite on a new account, in one transaction: both, or neither.

    Whether the address has an account already shows nowhere: the invite is claimed, the username held and the same
    hash spent either way; only the mail differs. The very same sign-up again (same invite, address, username and
    password) changes nothing and succeeds until it is confirmed, so a client with an unknown outcome may repeat it.
    One that differs in anything is another sign-up: nobody finds out, or takes over, what others have signed up with.
    """

    begin: Begin
    read: Begin
    signer: TokenSigner
    check: PasswordCheck
    hasher: PasswordHasher
    clock: Clock
    ids: Ids
    turns: Turns
    usernames: Usernames
    limiter: RateLimiter

    async def __call__(
        self, *, invite: str, email: EmailAddress, username: Username, password: NewPassword, client: ClientAddress
    ) -> None:
        """Raises InviteInvalid, InviteForAnotherAddress, UsernameTaken, TooManyRequests, InvalidFields (password)."""
        async with bad_invites_counted(self.limiter, client, Bucket(SIGN_UP_BY_ADDRESS, client.network)):
            invite_id = self.signer.read(Purpose.INVITE, invite)
            if invite_id is None:
                raise InviteUnknown
            async with self.turns(invite_id):
                if await self._has_claimed(invite_id, email, username, password):
                    return
                try:
                    await self._sign_up(await self._claimable(invite_id, email), email, username, password)
                except InviteSpent:  # maybe by this very sign-up, under way elsewhere
                    if not await self._has_claimed(invite_id, email, username, password):
                        raise

    async def _has_claimed(
        self, invite_id: UUID, email: EmailAddress, username: Username, password: NewPassword
    ) -> bool:
        """Whether this very sign-up has been made already."""
        async with self.read() as work:
            claim = await work.claims.get(invite_id, email, username)
        if claim is None or claim.is_stale(self.clock.now()):
            return False
        return await self.hasher.verify(password, claim.password_hash)

    async def _claimable(self, invite_id: UUID, email: EmailAddress) -> Invite:
        """The invite, worth hashing a password for."""
        async with self.read() as work:
            invite = await work.invites.get(invite_id)
        if invite is None:
            raise InviteUnknown
        invite.check_claimable(by=email, at=self.clock.now())
        return invite

    async def _sign_up(self, invite: Invite, email: EmailAddress, username: Username, password: NewPassword) -> None:
        """Claim with the name reserved, so a rival costs no hash; where the outcome is unknown it lapses."""
        await self.check(password, words=(username.name, email.address))
        owner = _owner(invite.id, email)
        if not await self.usernames.add(username, Holder(owner)):
            raise UsernameTaken
        try:
            is_claimed = await self._claim(invite, email, username, await self.hasher.hash(password))
            if not is_claimed and not await self._has_claimed(invite.id, email, username, password):
                raise UsernameTaken
        except Refusal:
            await self.usernames.delete(username, owner)
            raise
        await self.usernames.add(username, Holder(owner, is_taken=True))

    async def _claim(self, invite: Invite, email: EmailAddress, username: Username, password_hash: str) -> bool:
        """Whether this call has claimed the invite; False where a sign-up with this address and name had."""
        now = self.clock.now()
        async with self.begin() as work:
            if not await work.claims.add(Claim(invite.id, email, username, password_hash, now)):
                return False
            if not await work.invites.claim(invite.id, now):
                raise InviteSpent
            await work.username_holds.hold(username, until=now + HOLD, at=now)
            user = User(self.ids.new(), email, username, password_hash, invite.role, invite.id, now)
            if await work.users.add(user):
                await self._welcome(user, work)
            else:
                await work.outbox.add(InviteClaimed(invite.id), KnownAddressSignedUp(email.address), at=now)
        return True

    async def _welcome(self, user: User, work: Work) -> None:
        now = user.created_at
        token = Token.issue(Purpose.CONFIRMATION, id=self.ids.new(), user_id=user.id, at=now)
        await work.tokens.add(token)
        await work.outbox.add(
            InviteClaimed(user.invite_id),
            UserCreated(user.id, user.username.name),
            ConfirmationRequested(user.id, token.id, token.expires_at),
            at=now,
        )


def _owner(invite_id: UUID, email: EmailAddress) -> bytes:
    """Whom a name is reserved for: the same for the same sign-up again, and nothing that tells the address."""
    return hashlib.sha256(invite_id.bytes + email.key.encode()).digest()[:16]
