"""Mails as MIME messages."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from textwrap import dedent
from urllib.parse import urlsplit
from uuid import UUID

from adapters.crypto.links import Links
from application.ports import MailRefused
from domain.mail import Mail, MailKind

_POLICY = SMTP.clone(max_line_length=998)
"""RFC 5322, 2.1.1: links stay whole."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A message and what it is about: its subject, and the link that the reader is to follow."""

    message: EmailMessage
    subject: str
    link: str


@dataclass(frozen=True, slots=True)
class Composer:
    """Writes the mails. Links, and so the tokens in them, are made here from ids, and exist nowhere before."""

    links: Links
    sender: str
    brand: str
    contact: str | None

    def compose(self, mail: Mail) -> Composed:
        """The mail as a message with a Message-ID that is the same each time. Raises MailRefused on bad headers."""
        try:
            return self._composed(mail)
        except Exception as error:  # the standard library raises what it likes on headers that it cannot write
            raise MailRefused(f"cannot be written: {error!r}") from error

    def _composed(self, mail: Mail) -> Composed:
        subject, text, link = self._content(mail)
        message = EmailMessage(policy=_POLICY)
        message["From"] = self.sender
        message["To"] = mail.to.address
        message["Subject"] = subject
        message["Date"] = format_datetime(mail.created_at)
        message["Message-ID"] = f"<{mail.id}@{urlsplit(self.links.public_url).hostname}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
        body = f"{text}\n-- \n{self._signature()}\n"
        message.set_content(body, cte="7bit" if body.isascii() else "quoted-printable")
        return Composed(message, subject, link)

    def _content(self, mail: Mail) -> tuple[str, str, str]:
        write = {
            MailKind.CONFIRMATION: self._confirmation,
            MailKind.ACCOUNT_EXISTS: self._account_exists,
            MailKind.INVITE: self._invite,
            MailKind.RESET: self._reset,
            MailKind.PASSWORD_CHANGED: self._password_changed,
            MailKind.EMAIL_CHANGE: self._email_change,
            MailKind.EMAIL_CHANGED: self._email_changed,
            MailKind.FAREWELL: self._farewell,
        }[mail.kind]
        return write(mail)

    def _confirmation(self, mail: Mail) -> tuple[str, str, str]:
        link = self.links.confirm(_id(mail))
        text = f"""\
            Hello {mail.username},

            You signed up for {self.brand} with this address. Open this page and press the button to confirm it:

            {link}

            {_until(mail.link_expires_at)} If you did not sign up, ignore this mail: without the confirmation
            nobody can use the account.
            """
        return f"Confirm your address for {self.brand}", dedent(text), link

    def _account_exists(self, mail: Mail) -> tuple[str, str, str]:
        link = self.links.reset(_id(mail))
        text = f"""\
            Hello {mail.username},

            Somebody wanted to use this address for {self.brand}, which has an account already. Log in here:

            {self.links.login()}

            If you do not remember your password, set another one here:

            {link}

            {_until(mail.link_expires_at)} If it was not you, ignore this mail: nothing about your account has
            changed.
            """
        return f"You already have an account at {self.brand}", dedent(text), link

    def _reset(self, mail: Mail) -> tuple[str, str, str]:
        link = self.links.reset(_id(mail))
        text = f"""\
            Hello {mail.username},

            Somebody asked for another password for your account at {self.brand}. Set it here:

            {link}

            {_until(mail.link_expires_at)} All your sessions will end. If you did not ask for it, ignore this mail:
            your password stays as it is.
            """
        return f"Set another password for {self.brand}", dedent(text), link

    def _password_changed(self, mail: Mail) -> tuple[str, str, str]:
        link = self.links.forgot()
        text = f"""\
            Hello {mail.username},

            The password of your account at {self.brand} was changed, and your other sessions were ended.

            If it was not you, somebody else knows your password or reads your mail. Set another password at once:

            {link}
            """
        return f"Your password for {self.brand} was changed", dedent(text), link

    def _email_change(self, mail: Mail) -> tuple[str, str, str]:
        link = self.links.confirm_email(_id(mail))
        text = f"""\
            Hello {mail.username},

            You want to use this address for your account at {self.brand} from now on. Open this page and press the
            button to confirm it:

            {link}

            {_until(mail.link_expires_at)} If you do not know what this is about, ignore this mail: without the
            confirmation nothing changes.
            """
        return f"Confirm your new address for {self.brand}", dedent(text), link

    def _email_changed(self, mail: Mail) -> tuple[str, str, str]:
        link = self.links.undo_email_change(_id(mail))
        text = f"""\
            Hello {mail.username},

            Your account at {self.brand} has another mail address from now on; nothing more will be sent to this one.

            If it was not you, take your account back here:

            {link}

            {_until(mail.link_expires_at)} Your account will have this address again, all sessions will end, and you
            will be sent a link to set another password.
            """
        return f"Your address for {self.brand} was changed", dedent(text), link

    def _farewell(self, mail: Mail) -> tuple[str, str, str]:
        link = self.links.public_url
        text = f"""\
            Hello {mail.username},

            Your account at {self.brand} is deleted, as you asked for, and your sessions and open invites with it.
            Your username is kept from others for 90 days. There is nothing for you to do. Goodbye, and thank you.
            """
        return f"Your account at {self.brand} is deleted", dedent(text), link

    def _invite(self, mail: Mail) -> tuple[str, str, str]:
        link = self.links.signup(_id(mail))
        who = f"{mail.invited_by} invites you" if mail.invited_by else "You are invited"
        text = f"""\
            Hello,

            {who} to {self.brand}. Sign up here with this mail address:

            {link}

            {_until(mail.link_expires_at)} If you do not know what this is about, ignore this mail.
            """
        return f"{who} to {self.brand}", dedent(text), link

    def _signature(self) -> str:
        return f"{self.brand}\n{self.links.public_url}" + (f"\nQuestions: {self.contact}" if self.contact else "")


def _id(mail: Mail) -> UUID:
    if mail.link_id is None:
        raise ValueError(f"a {mail.kind} mail needs a token")
    return mail.link_id


def _until(expires_at: datetime | None) -> str:
    return f"The link works until {expires_at:%d %B %Y, %H:%M} UTC." if expires_at else ""
