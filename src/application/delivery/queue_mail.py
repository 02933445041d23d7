"""Queue mails for events."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from application.ports import Begin, Clock, Ids, Message, Work
from domain.email_address import EmailAddress
from domain.events import ConfirmationRequested, Event, InviteIssued, KnownAddressSignedUp
from domain.mail import Mail, MailKind
from domain.token import Purpose, Token
from domain.user import User

CONSUMER = "mails"
EVENTS = frozenset(event.type for event in (ConfirmationRequested, KnownAddressSignedUp, InviteIssued))
"""What `QueueMail` wants to hear of."""
RESEND_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class QueueMail:
    """Turn an event into the mail that it asks for, as a consumer of events: once per event, however often it comes.

    Here, away from any request, it is found out whether there is anyone to write to.
    """

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, message: Message, event: Event) -> None:
        """Queue the mail, if any, and note the message as done, in one transaction."""
        async with self.begin() as work:
            if not await work.inbox.add(CONSUMER, message.id, self.clock.now()):
                return
            mail = await self._mail(message.id, event, work)
            if mail is not None:
                await work.mails.add(mail)

    async def _mail(self, mail_id: UUID, event: Event, work: Work) -> Mail | None:
        match event:
            case ConfirmationRequested(user_id=user_id, token_id=token_id):
                user, token = await work.users.get(user_id), await work.tokens.get(token_id)
                return self._confirmation(mail_id, user, token) if user and token else None
            case KnownAddressSignedUp(email=email):
                return await self._known_address(mail_id, EmailAddress(email), work)
            case InviteIssued(invite_id=invite_id):
                return await self._invite(mail_id, invite_id, work)
            case _:
                return None

    async def _known_address(self, mail_id: UUID, email: EmailAddress, work: Work) -> Mail | None:
        """The confirmation again for whoever has not confirmed; else the word that there is an account."""
        user = await work.users.by_email(email)
        if user is None:
            return None
        now = self.clock.now()
        if user.is_confirmed:
            return Mail(mail_id, MailKind.ACCOUNT_EXISTS, user.email, now, username=user.username.name)
        last = await work.tokens.newest(user.id, Purpose.CONFIRMATION)
        if last and now - last.created_at < RESEND_AFTER:
            return None
        token = Token.issue(Purpose.CONFIRMATION, id=self.ids.new(), user_id=user.id, at=now)
        await work.tokens.add(token)
        return self._confirmation(mail_id, user, token)

    async def _invite(self, mail_id: UUID, invite_id: UUID, work: Work) -> Mail | None:
        invite = await work.invites.get(invite_id)
        if invite is None or invite.email is None:
            return None
        issuer = await work.users.get(invite.issued_by) if invite.issued_by else None
        return Mail(
            mail_id,
            MailKind.INVITE,
            invite.email,
            self.clock.now(),
            link_id=invite.id,
            link_expires_at=invite.expires_at,
            invited_by=issuer.username.name if issuer else None,
        )

    def _confirmation(self, mail_id: UUID, user: User, token: Token) -> Mail:
        return Mail(
            mail_id,
            MailKind.CONFIRMATION,
            user.email,
            self.clock.now(),
            link_id=token.id,
            link_expires_at=token.expires_at,
            username=user.username.name,
        )
