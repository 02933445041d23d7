"""What can be seen of a world, written down so that two of them can be compared byte for byte."""

import re
from email.message import EmailMessage

import httpx

from tests.mails import html_of, text_of

_ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16}"
_RANDOM = re.compile(rf"(?<![\w-])([\w-]{{82}}|[\w-]{{46}}|{_ID})(?![\w-])")
"""Cookies, tokens, ids and request ids. Times are compared as they are: both worlds have one clock."""


class Transcript:
    """Answers and mails in the order in which they came; what is random is replaced by its number of appearance."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}
        self._lines: list[str] = []

    def answer(self, answer: httpx.Response, known: str) -> None:
        """Note an answer. `known` is what only its reader knows of themselves, and may see."""
        headers = "".join(f"{name}: {value}\n" for name, value in sorted(answer.headers.multi_items()))
        self._note(f"{answer.status_code}\n{headers}\n{answer.text}".replace(known, "<theirs>"))

    def mail(self, mail: EmailMessage) -> None:
        """Note a mail."""
        headers = "".join(f"{name}: {value}\n" for name, value in mail.items())
        self._note(f"{headers}\n{text_of(mail)}\n{html_of(mail)}")

    def collect(self) -> list[str]:
        """What came since last time."""
        lines, self._lines = self._lines, []
        return lines

    def _note(self, text: str) -> None:
        self._lines.append(_RANDOM.sub(lambda found: self._seen.setdefault(found[0], f"<{len(self._seen)}>"), text))
