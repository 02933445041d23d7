"""No mail looks like spam to SpamAssassin, with the rules that it comes with and nothing asked of the network."""

import os
import re
import shutil
import subprocess
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from mailbox import mbox
from pathlib import Path

import pytest

from domain.mail import MailKind
from tests.integration.servers import debian
from tests.mails import COMPOSER, MAILS, SENT

ENOUGH = 2.0
"""Points below which every mail must stay; filters usually take 5 for spam."""
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
"""What every spam filter takes for spam: https://spamassassin.apache.org/gtube/."""
_STATUS = re.compile(r"\w+, score=(-?[0-9.]+) required=\S+ tests=([A-Z0-9_,\s]+)\sautolearn=")


@dataclass(frozen=True)
class Score:
    """The points of a mail, and the rules that gave them."""

    points: float
    rules: frozenset[str]


@pytest.fixture(scope="session")
def spamassassin() -> str:
    """Where it is; on Debian, as root, it is installed if it is missing."""
    if not shutil.which("spamassassin") and debian.can_install():
        debian.install(["spamassassin"])
    return shutil.which("spamassassin") or pytest.skip("the scores need SpamAssassin: install spamassassin")


@pytest.fixture
def score(spamassassin: str, tmp_path: Path) -> "Filter":
    return Filter(spamassassin, tmp_path)


@dataclass(frozen=True)
class Filter:
    """The filter of a mail server that was handed mails in by another, across the Internet."""

    program: str
    folder: Path

    def __call__(self, mails: list[EmailMessage]) -> list[Score]:
        """Score the mails, all in one run. Nothing that this machine has learned or prefers plays a part."""
        received, scored, preferences = (self.folder / name for name in ("received", "scored", "preferences"))
        received.write_bytes(b"".join(map(_as_received, mails)))
        preferences.write_text("use_bayes 0\nreport_safe 0\n")
        command = [
            self.program,
            "--local",
            "--nocreate-prefs",
            "--prefspath",
            str(preferences),
            "--mbox",
            str(received),
        ]
        environment = {**os.environ, "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        with scored.open("wb") as output:
            subprocess.run(  # noqa: S603 - the filter, on mails of ours
                command, stdout=output, check=True, timeout=60, env=environment
            )
        with closing(mbox(scored)) as found:  # in an order of its own
            scores = {mail["Message-ID"]: _score(mail["X-Spam-Status"]) for mail in found}
        return [scores[mail["Message-ID"]] for mail in mails]


def _score(status: str) -> Score:
    found = _STATUS.match(status)
    assert found, status
    return Score(float(found[1]), frozenset(re.split(r",\s*", found[2].strip())))


def _as_received(mail: EmailMessage) -> bytes:
    """The mail with what a mail server puts on top, as a mailbox of many keeps it."""
    at = format_datetime(SENT + timedelta(seconds=2))
    headers = (
        f"From accounts@example.org {SENT:%a %b %d %H:%M:%S %Y}\n"
        "Return-Path: <accounts@example.org>\n"
        "Received: from mail.example.org (mail.example.org [93.184.216.34])\n"
        f"\tby mx.example.net (Postfix) with ESMTPS id 4dhQ1x2Vz9\n\tfor <ann@example.org>; {at}\n"
    )
    return headers.encode() + mail.as_bytes().replace(b"\r\n", b"\n") + b"\n"


def test_no_mail_looks_like_spam(score: Filter) -> None:
    scores = dict(zip(MailKind, score([COMPOSER.compose(MAILS[kind]).message for kind in MailKind]), strict=True))
    table = "\n".join(f"{kind:20} {one.points:5.1f}  {' '.join(sorted(one.rules))}" for kind, one in scores.items())
    assert max(one.points for one in scores.values()) < ENOUGH, f"\n{table}"
    for one in scores.values():
        assert "HTML_MESSAGE" in one.rules, f"the filter has not read the HTML:\n{table}"
        assert not one.rules & {"ALL_TRUSTED", "NO_RELAYS"}, f"the filter takes us for its own:\n{table}"


def test_what_is_spam_is_seen_as_such(score: Filter) -> None:
    """So that the test above could fail: by the words, and by the looks."""
    usual, spam, hidden = (
        COMPOSER.compose(MAILS[kind]).message for kind in (MailKind.CONFIRMATION, MailKind.INVITE, MailKind.RESET)
    )
    text, _ = spam.iter_parts()
    text.set_content(GTUBE)
    _, html = hidden.iter_parts()
    html.set_content(html.get_content().replace("max-height: 0;", "display: none;"), subtype="html")
    as_usual, as_spam, as_hidden = score([usual, spam, hidden])
    assert as_spam.points > 5
    assert "GTUBE" in as_spam.rules
    assert as_hidden.points > as_usual.points
