"""Limits: how often something may be tried. The whole policy stands here.

Addresses are counted by their network (`ClientAddress.network`). A limit slows down, it locks nobody out: the tries
come back one by one, and what an attacker uses up at one address is not missing at another, but for a ceiling over all
log-ins and for what is counted by user: it takes one of their sessions, which they can end.
"""

from dataclasses import dataclass
from datetime import timedelta

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries at once; each that is used comes back after `interval`, so all of them after `per`.

    This is the generic cell rate algorithm: one time says everything about a bucket, and no window's end lets twice as
    many through in a moment.
    """

    name: str
    tries: int
    per: timedelta

    @property
    def interval(self) -> timedelta:
        """The time in which one try comes back."""
        return self.per // self.tries

    def wait(self, cost: int, full_in: timedelta) -> timedelta:
        """How long until `cost` tries are there, where all of them are in `full_in`; zero or less: they are there now.

        Cost 0 only looks, whether one is there.
        """
        return full_in + self.interval * max(cost, 1) - self.per


LOG_IN_BY_ACCOUNT_AND_ADDRESS = Limit("log_in_by_account_and_address", 10, 5 * _MINUTE)
"""Guessing one account's password. By the address as well, so that nobody can keep the owner out from elsewhere."""

LOG_IN_BY_ADDRESS = Limit("log_in_by_address", 30, _MINUTE)
"""One password on many accounts. Enough for an office behind one address; a success gives nothing back, or an attacker
with an account of their own would fill the bucket with it."""

LOG_IN_BY_ALL = Limit("log_in_by_all", 3_000, _MINUTE)
"""Guessing from many addresses at once: 50 a second, over all replicas.

High, because whoever empties this bucket keeps everybody out. It is a little more than one core can hash (42 a
second), so who can empty it could as well keep the hasher busy; and it lets 50,000 members, all logged out at once,
back in within 17 minutes."""

SIGN_UP_BY_ADDRESS = Limit("sign_up_by_address", 20, _MINUTE)
"""Each try with an open invite costs a password hash. Enough for a class that signs up together."""

BAD_INVITES_BY_ADDRESS = Limit("bad_invites_by_address", 10, 10 * _MINUTE)
"""Guessing invites, at sign-up and when verifying. Only those that cannot be used count; a spent link opened again is
one."""

CONFIRM_BY_ADDRESS = Limit("confirm_by_address", 20, 10 * _MINUTE)
"""Guessing confirmations, of accounts and of addresses. Their MAC has 128 bits, so this only keeps the noise down."""

RESET_BY_ADDRESS = Limit("reset_by_address", 20, 10 * _MINUTE)
"""Guessing password resets, as with confirmations; each with a live token costs a password hash."""

MAIL_REQUESTS_BY_ADDRESS = Limit("mail_requests_by_address", 10, 10 * _MINUTE)
"""Asking for mails to anybody: forgotten passwords and repeated confirmations, together. How many one mailbox gets is
counted in the database; this one keeps a single client from writing to many."""

USERNAME_CHECKS_BY_ADDRESS = Limit("username_checks_by_address", 60, _MINUTE)
"""Collecting usernames. Enough for a form that asks while somebody types."""

PASSWORD_CHECKS_BY_USER = Limit("password_checks_by_user", 10, 5 * _MINUTE)
"""Guessing the password from within a stolen session: before changing it or the address, and before deleting. By the
user, whatever the address: the session is what was stolen."""

INVITES_BY_USER = Limit("invites_by_user", 30, timedelta(hours=1))
"""Issuing invites: each may be a mail to a stranger, and revoking makes room for another. A class at once; for more
there are invites with several claims, and the command line."""

ALL = (
    LOG_IN_BY_ACCOUNT_AND_ADDRESS,
    LOG_IN_BY_ADDRESS,
    LOG_IN_BY_ALL,
    SIGN_UP_BY_ADDRESS,
    BAD_INVITES_BY_ADDRESS,
    CONFIRM_BY_ADDRESS,
    RESET_BY_ADDRESS,
    MAIL_REQUESTS_BY_ADDRESS,
    USERNAME_CHECKS_BY_ADDRESS,
    PASSWORD_CHECKS_BY_USER,
    INVITES_BY_USER,
)
