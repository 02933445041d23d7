"""How long what is over is kept."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from domain.username import HOLD


class Leftover(StrEnum):
    """A kind of thing that is over, and kept for a while for whoever asks what has happened."""

    EVENT = "published event"
    MESSAGE = "handled message"
    MAIL = "sent or failed mail"
    TOKEN = "expired token"  # noqa: S105  a kind of thing
    SESSION = "expired session"
    HOLD = "lapsed hold on a username"
    CLAIM = "claim of an invite that was never confirmed"
    QUOTA = "quota of mails that is whole again"


KEPT: Mapping[Leftover, timedelta] = {
    Leftover.EVENT: timedelta(days=7),
    Leftover.MESSAGE: timedelta(days=30),
    Leftover.MAIL: timedelta(days=30),
    Leftover.TOKEN: timedelta(days=7),
    Leftover.SESSION: timedelta(days=1),
    Leftover.HOLD: timedelta(0),
    Leftover.CLAIM: HOLD,
    Leftover.QUOTA: timedelta(days=1),
}
"""How long after it is over. A message is kept for longer than any broker brings it again."""
