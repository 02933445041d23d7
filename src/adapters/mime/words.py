"""What each mail says."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from adapters.crypto.links import Links
from domain.mail import Mail, MailKind


@dataclass(frozen=True, slots=True)
class Way:
    """Something that the reader can do: the sentence that leads to it, its name, and where it is done."""

    lead: str
    label: str
    link: str


@dataclass(frozen=True, slots=True)
class Words:
    """One mail, whatever it is shown in. Each sentence is plain text; the first of the ways is the one to offer.

    `link` is the one that the mail is about: where it carries a token, that one.
    """

    subject: str
    greeting: str
    happened: str
    ways: tuple[Way, ...]
    notes: tuple[str, ...]
    link: str


@dataclass(frozen=True, slots=True)
class Wording:
    """Finds the words for a mail."""

    links: Links
    brand: str
    has_contact: bool

    def of(self, mail: Mail) -> Words:
        """The words of its kind. Raises ValueError where it needs a token and names none."""
        write: Callable[[Mail], Words] = {
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

    def _confirmation(self, mail: Mail) -> Words:
        return _words(
            f"Confirm your address for {self.brand}",
            _hello(mail),
            f"You signed up for {self.brand} with this address.",
            Way("Confirm that it is yours:", "Confirm my address", self.links.confirm(_id(mail))),
            _until(mail.link_expires_at),
            "If you did not sign up, ignore this mail: without the confirmation nobody can use the account.",
        )

    def _account_exists(self, mail: Mail) -> Words:
        """Offers the log-in first: it needs no link of ours that works but once, and leads to the reset as well."""
        another = self.links.reset(_id(mail))
        return Words(
            f"You already have an account at {self.brand}",
            _hello(mail),
            f"Somebody wanted to sign up for {self.brand} with this address, which has an account already.",
            (
                Way("Log in here:", "Log in", self.links.login()),
                Way("If you do not remember your password, set another one here:", "Set another password", another),
            ),
            (
                _until(mail.link_expires_at, "The link to set another password"),
                "If it was not you, ignore this mail: nothing about your account has changed.",
            ),
            another,
        )

    def _reset(self, mail: Mail) -> Words:
        return _words(
            f"Set another password for {self.brand}",
            _hello(mail),
            f"Somebody asked for another password for your account at {self.brand}.",
            Way("Set it here:", "Set another password", self.links.reset(_id(mail))),
            f"{_until(mail.link_expires_at)} All your sessions will end.",
            "If you did not ask for it, ignore this mail: your password stays as it is.",
        )

    def _password_changed(self, mail: Mail) -> Words:
        return _words(
            f"Your password for {self.brand} was changed",
            _hello(mail),
            f"The password of your account at {self.brand} was changed, and your other sessions were ended.",
            Way(
                "If it was not you, somebody else knows your password or reads your mail."
                " Set another password at once:",
                "Set another password",
                self.links.forgot(),
            ),
            "If it was you, ignore this mail.",
        )

    def _email_change(self, mail: Mail) -> Words:
        return _words(
            f"Confirm your new address for {self.brand}",
            _hello(mail),
            f"You want to use this address for your account at {self.brand} from now on.",
            Way("Confirm that it is yours:", "Confirm my new address", self.links.confirm_email(_id(mail))),
            _until(mail.link_expires_at),
            "If you do not know what this is about, ignore this mail: without the confirmation nothing changes.",
        )

    def _email_changed(self, mail: Mail) -> Words:
        return _words(
            f"Your address for {self.brand} was changed",
            _hello(mail),
            f"Your account at {self.brand} has another mail address from now on; nothing more is sent to this one.",
            Way(
                "If it was not you, take your account back here:",
                "Take my account back",
                self.links.undo_email_change(_id(mail)),
            ),
            f"{_until(mail.link_expires_at)} Your account will have this address again, all sessions will end, and"
            " you will be sent a link to set another password.",
            "If it was you, ignore this mail.",
        )

    def _farewell(self, mail: Mail) -> Words:
        not_you = "If it was not you who asked, write to us: the way is at the end of this mail."
        return Words(
            f"Your account at {self.brand} is deleted",
            _hello(mail),
            f"Your account at {self.brand} is deleted, as you asked for, and your sessions and open invites with it.",
            (),
            (
                "Your username is kept from others for 90 days. There is nothing for you to do.",
                *([not_you] if self.has_contact else []),
                "Goodbye, and thank you.",
            ),
            self.links.public_url,
        )

    def _invite(self, mail: Mail) -> Words:
        by, account = mail.invited_by, f"an account at {self.brand}"
        return _words(
            f"{by} invites you to {self.brand}" if by else f"You are invited to {self.brand}",
            "Hello,",
            f"{by} has {account} and invites you to one of your own." if by else f"You are invited to {account}.",
            Way("Sign up with this mail address here:", "Accept the invite", self.links.signup(_id(mail))),
            _until(mail.link_expires_at),
            "If you do not know what this is about, ignore this mail.",
        )


def _words(subject: str, greeting: str, happened: str, way: Way, *notes: str) -> Words:
    """Those of a mail with one way."""
    return Words(subject, greeting, happened, (way,), tuple(note.strip() for note in notes if note), way.link)


def _hello(mail: Mail) -> str:
    return f"Hello {mail.username}," if mail.username else "Hello,"


def _id(mail: Mail) -> UUID:
    if mail.link_id is None:
        raise ValueError(f"a {mail.kind} mail needs a token")
    return mail.link_id


def _until(expires_at: datetime | None, what: str = "The link") -> str:
    return f"{what} works until {expires_at.day} {expires_at:%B %Y, %H:%M} UTC." if expires_at else ""
