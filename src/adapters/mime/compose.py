"""Mails as MIME messages: each as text and as HTML, for the reader's program to choose from."""

from dataclasses import dataclass
from email.headerregistry import BaseHeader, HeaderRegistry
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from urllib.parse import urlsplit

from adapters.crypto.links import Links
from adapters.mime.words import Wording
from application.ports import MailRefused
from domain.mail import Mail

_LONGEST = 998
"""Characters of a line (RFC 5322, 2.1.1)."""


class _Headers(HeaderRegistry):
    """Keeps the class of each header, which the registry makes anew each time: a third of what a mail takes."""

    @cache  # noqa: B019  there is one, and a mail has few headers
    def __getitem__(self, name: str) -> type[BaseHeader]:
        return super().__getitem__(name)


_POLICY = SMTP.clone(max_line_length=_LONGEST, header_factory=_Headers())
"""Links stay whole."""


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
    reply_to: str | None = None

    def compose(self, mail: Mail) -> Composed:
        """The mail as a message that is the same each time, byte for byte. Raises MailRefused on bad headers."""
        from adapters.mime.layout import Frame, as_html, as_text  # a broken installation is no fault of the mail

        try:
            words = Wording(self.links, self.brand, has_contact=self.contact is not None).of(mail)
            frame = Frame(self.brand, self.links.public_url, self.contact)
            message = self._with_headers(mail, words.subject)
            message.set_payload([_part(as_text(words, frame), "plain"), _part(as_html(words, frame), "html")])
        except Exception as error:  # the standard library raises what it likes on headers that it cannot write
            raise MailRefused(f"cannot be written: {error!r}") from error
        return Composed(message, words.subject, words.link)

    def _with_headers(self, mail: Mail, subject: str) -> EmailMessage:
        message = EmailMessage(policy=_POLICY)
        message["From"] = self.sender
        message["To"] = mail.to.address
        if self.reply_to:
            message["Reply-To"] = self.reply_to
        message["Subject"] = subject
        message["Date"] = format_datetime(mail.created_at)
        message["Message-ID"] = f"<{mail.id}@{urlsplit(self.links.public_url).hostname}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
        message["MIME-Version"] = "1.0"
        # Made by chance, the boundary would differ with each try. Who chooses a name does not know the id.
        message["Content-Type"] = f'multipart/alternative; boundary="={mail.id}"'
        return message


def _part(content: str, subtype: str) -> MIMEPart:
    """A part with its text as it is where that may be, for whoever looks at the bytes."""
    part = MIMEPart(policy=_POLICY)
    is_plain = content.isascii() and max(map(len, content.splitlines())) <= _LONGEST
    part.set_content(content, subtype=subtype, cte="7bit" if is_plain else "quoted-printable")
    return part
