"""Queue mails for events."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from application.ports import Begin, Clock, Ids, Message, Work
from domain.email_address import EmailAddress
from domain.events import (
    ConfirmationRequested,
    ConfirmationResendRequested,
    EmailChanged,
    EmailChangeRequested,
    Event,
    InviteIssued,
    KnownAddressSignedUp,
    PasswordChanged,
    PasswordResetRequested,
)
from domain.mail import Mail, MailKind
from domain.token import Purpose, Token
from domain.user import User

CONSUMER = "mails"
Write: TypeAlias = Callable[["QueueMail", UUID, Any, Work], Awaitable[Mail | None]]


@dataclass(frozen=True, slots=True)
class QueueMail:
    """Turn an event into the mail that it asks for, as a consumer of events: once per event, however often it comes.

    Here, away from any request, it is found out whether there is anyone to write to, and whether they have been
    written to enough: what a stranger can ask for keeps to the address's quota.
    """

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self, message: Message, event: Event) -> None:
        """Queue the mail, if any, and note the message as done, in one transaction."""
        write = WRITERS.get(type(event))
        if write is None:
            return
        async with self.begin() as work:
            if not await work.inbox.add(CONSUMER, message.id, self.clock.now()):
                return
            mail = await write(self, message.id, event, work)
            if mail is not None:
                await work.mails.add(mail)

    async def confirmation(self, mail_id: UUID, event: ConfirmationRequested, work: Work) -> Mail | None:
        """To whoever has signed up."""
        user, token = await work.users.get(event.user_id), await work.tokens.get(event.token_id)
        if user is None or token is None:
            return None
        return await self._within_quota(_linked(mail_id, MailKind.CONFIRMATION, user, token, self.clock.now()), work)

    async def confirmation_again(self, mail_id: UUID, event: ConfirmationResendRequested, work: Work) -> Mail | None:
        """To whoever has signed up, if they have not confirmed yet."""
        user = await work.users.by_email(EmailAddress(event.email))
        if user is None or user.is_confirmed:
            return None
        return await self._with_new_token(mail_id, MailKind.CONFIRMATION, Purpose.CONFIRMATION, user, work)

    async def account_exists(self, mail_id: UUID, event: KnownAddressSignedUp, work: Work) -> Mail | None:
        """To whoever has an account already."""
        return await self._way_back(mail_id, MailKind.ACCOUNT_EXISTS, EmailAddress(event.email), work)

    async def reset(self, mail_id: UUID, event: PasswordResetRequested, work: Work) -> Mail | None:
        """To whoever has forgotten the password."""
        return await self._way_back(mail_id, MailKind.RESET, EmailAddress(event.email), work)

    async def password_changed(self, mail_id: UUID, event: PasswordChanged, work: Work) -> Mail | None:
        """To the user, who may not have done it."""
        user = await work.users.get(event.user_id)
        if user is None:
            return None
        return Mail(mail_id, MailKind.PASSWORD_CHANGED, user.email, self.clock.now(), username=user.username.name)

    async def email_change(self, mail_id: UUID, event: EmailChangeRequested, work: Work) -> Mail | None:
        """To the new address: the confirmation, or the word that it has an account already."""
        token, user = await work.tokens.get(event.token_id), await work.users.get(event.user_id)
        if token is None or token.email is None or user is None:
            return None
        holder = await work.users.by_email(token.email)
        if holder is not None and holder.is_confirmed and holder.id != user.id:
            return await self._with_new_token(mail_id, MailKind.ACCOUNT_EXISTS, Purpose.RESET, holder, work)
        mail = _linked(mail_id, MailKind.EMAIL_CHANGE, user, token, self.clock.now())
        return await self._within_quota(replace(mail, to=token.email), work)

    async def email_changed(self, mail_id: UUID, event: EmailChanged, work: Work) -> Mail | None:
        """To the old address, which may undo it."""
        token, user = await work.tokens.get(event.undo_token_id), await work.users.get(event.user_id)
        if token is None or token.email is None or user is None:
            return None
        return replace(_linked(mail_id, MailKind.EMAIL_CHANGED, user, token, self.clock.now()), to=token.email)

    async def invite(self, mail_id: UUID, event: InviteIssued, work: Work) -> Mail | None:
        """To the address that an invite is bound to."""
        invite = await work.invites.get(event.invite_id)
        if invite is None or invite.email is None:
            return None
        issuer = await work.users.get(invite.issued_by) if invite.issued_by else None
        mail = Mail(
            mail_id,
            MailKind.INVITE,
            invite.email,
            self.clock.now(),
            link_id=invite.id,
            link_expires_at=invite.expires_at,
            invited_by=issuer.username.name if issuer else None,
        )
        return await self._within_quota(mail, work)

    async def _way_back(self, mail_id: UUID, kind: MailKind, email: EmailAddress, work: Work) -> Mail | None:
        """A reset; for whoever has not confirmed yet, the confirmation again."""
        user = await work.users.by_email(email)
        if user is None:
            return None
        if not user.is_confirmed:
            return await self._with_new_token(mail_id, MailKind.CONFIRMATION, Purpose.CONFIRMATION, user, work)
        return await self._with_new_token(mail_id, kind, Purpose.RESET, user, work)

    async def _with_new_token(
        self, mail_id: UUID, kind: MailKind, purpose: Purpose, user: User, work: Work
    ) -> Mail | None:
        """A mail with a fresh token; the older one goes on working where there is to be no mail."""
        token = Token.issue(purpose, id=self.ids.new(), user_id=user.id, at=self.clock.now())
        mail = await self._within_quota(_linked(mail_id, kind, user, token, token.created_at), work)
        locked = await work.users.lock(user.id)  # before its tokens, as everywhere
        if mail is None or locked is None or locked.email != user.email:  # gone, or somewhere else by now
            return None
        await work.tokens.add(token)
        return mail

    async def _within_quota(self, mail: Mail, work: Work) -> Mail | None:
        """The mail, unless its address has been sent enough of the kind."""
        return mail if await work.mail_quotas.take(mail.to, mail.kind, self.clock.now()) else None


def _linked(mail_id: UUID, kind: MailKind, user: User, token: Token, at: datetime) -> Mail:
    """A mail to a user with a link that carries a token."""
    return Mail(mail_id, kind, user.email, at, token.id, token.expires_at, user.username.name)


WRITERS: Mapping[type[Event], Write] = {
    ConfirmationRequested: QueueMail.confirmation,
    ConfirmationResendRequested: QueueMail.confirmation_again,
    KnownAddressSignedUp: QueueMail.account_exists,
    PasswordResetRequested: QueueMail.reset,
    PasswordChanged: QueueMail.password_changed,
    EmailChangeRequested: QueueMail.email_change,
    EmailChanged: QueueMail.email_changed,
    InviteIssued: QueueMail.invite,
}
EVENTS = frozenset(event.type for event in WRITERS)
"""What `QueueMail` wants to hear of."""
