"""The whole outside world: every port that a use case may lean on. Adapters promise what stands here."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import NewType, Protocol
from uuid import UUID

from domain.email_address import EmailAddress
from domain.events import Event
from domain.invite import Claim, Invite, Issued
from domain.limits import Limit
from domain.mail import Mail, MailKind, MailState
from domain.password import NewPassword, Password
from domain.retention import Leftover
from domain.session import LoggedIn, Session, SessionKey
from domain.token import Purpose, Token
from domain.user import User
from domain.username import Username

# What may go wrong out there


class Unavailable(Exception):
    """A server that is needed did not answer in time. Whether a write took effect is unknown; repeating it is safe."""

    retry_after = timedelta(seconds=1)
    """When it is worth asking again."""


class Overloaded(Unavailable):
    """There is more work than this process can do soon; nothing was begun."""

    def __init__(self, what: str = "", retry_after: timedelta = Unavailable.retry_after) -> None:
        super().__init__(what)
        self.retry_after = retry_after


class MailDeferred(Exception):
    """The mail was not taken this time; it may be later."""


class MailUnanswered(MailDeferred):
    """The server was given the mail, and did not say in time what it does with it: it may send it."""


class MailRefused(Exception):
    """The mail will never be taken."""


# Time, chance, secrets


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The time in UTC, aware."""


class Ids(Protocol):
    """Makes ids."""

    def new(self) -> UUID:
        """A fresh UUIDv7 (RFC 9562): ordered by time, unguessable enough only where a MAC stands beside it."""


class SessionKeys(Protocol):
    """Makes session keys."""

    def new(self) -> SessionKey:
        """32 bytes from the system's cryptographic source."""


class TokenSigner(Protocol):
    """Turns ids into tokens for links and back. Nothing of it is stored."""

    def sign(self, purpose: Purpose, id: UUID) -> str:
        """The token of this id and purpose, URL-safe; the same each time under the same key."""

    def read(self, purpose: Purpose, token: str) -> UUID | None:
        """The id in a token of ours; None for anything else: another purpose, another key, one bit changed."""


Place = NewType("Place", float)
"""A place in a queue: the moment, of a monotonic clock, by which it has its turn, or is of no use any more."""


class PasswordHasher(Protocol):
    """Hashes passwords, slowly by design. Raises Overloaded where too many wait."""

    async def hash(self, password: NewPassword) -> str:
        """The hash with its parameters and salt (PHC string)."""

    def admit(self, under_way: int) -> None:
        """Return where one more can be done in time. Raises Overloaded where so many are under way that it cannot."""

    def place(self) -> AbstractContextManager[Place]:
        """A place in the queue, taken before anything is read for the password, so that a flood costs little."""

    async def verify(self, password: Password, hash: str | None, place: Place | None = None) -> bool:
        """Whether the password is the hash's; None costs as much as any hash and is wrong (no timing oracle).

        Whoever has a `place` waits there; others are given one.
        """

    async def renew(self, password: Password, hash: str) -> str | None:
        """A new hash of the password that `hash` is of; None where that one has today's parameters already."""


class PasswordStrength(Protocol):
    """Judges how hard a password is to guess."""

    async def is_guessable(self, password: NewPassword, words: Collection[str]) -> bool:
        """Whether it would be guessed soon by somebody who knows the words: those are worth nothing in it.

        Raises Overloaded where too many wait.
        """


class BreachedPasswords(Protocol):
    """Passwords that are on lists of stolen ones."""

    async def has(self, password: NewPassword) -> bool:
        """Whether the password is on a list. Raises Unavailable: nobody gets past a list that cannot be read."""


class Turns(Protocol):
    """Lets a few callers at a time in for each key, in this process.

    So a crowd with one invite costs as many password hashes as there are cores, and the rest find it spent.
    """

    def __call__(self, key: UUID) -> AbstractAsyncContextManager[None]:
        """Wait for the turn; it ends with the block. Raises Overloaded where it does not come in time."""


# The record


class Users(Protocol):
    """All accounts: for each address at most one that is confirmed, beside sign-ups that wait for confirmation.

    More methods than other ports have, for one account is one aggregate, whatever is done to it.
    """

    async def add(self, user: User) -> bool:
        """Add an account; False, and nothing done, where the address has a confirmed one. Raises UsernameTaken."""

    async def get(self, id: UUID) -> User | None:
        """The account of this id."""

    async def lock(self, id: UUID) -> User | None:
        """The account of this id, which nobody else changes, deletes or starts a session of until this work ends."""

    async def by_email(self, email: EmailAddress) -> User | None:
        """The confirmed account of this address; else the sign-up that waits since last."""

    async def confirm(self, id: UUID, at: datetime) -> bool:
        """Note that the address is the user's, and drop other sign-ups with it that wait; the first time stays.

        False, and the work is to be given up, where there is no such account or another has the address.
        """

    async def update(self, user: User) -> bool:
        """Write address and password hash of a confirmed account; sign-ups with the address that wait are dropped.

        False, and the work is to be given up, where another confirmed account has the address.
        """

    async def delete(self, id: UUID) -> None:
        """Delete the account, and with it its tokens and sessions."""

    async def rehash(self, id: UUID, *, old: str, new: str) -> bool:
        """Put a new hash of the same password in the place of the old one; False where that is not there any more."""

    async def any(self) -> bool:
        """Whether there is any account at all."""


class UsernameHolds(Protocol):
    """Names held so that nobody else takes them."""

    async def hold(self, username: Username, *, until: datetime, at: datetime) -> None:
        """Hold a name that no account has and no live hold names. Raises UsernameTaken.

        A sign-up that still waits when its hold is over is dropped for it: names come free alike, whoever held them.
        """

    async def extend(self, username: Username, until: datetime) -> None:
        """Hold a name on behalf of the account that is about to let it go."""

    async def has(self, username: Username, at: datetime) -> bool:
        """Whether a confirmed account has the name or a live hold names it: out of others' reach either way."""


class Invites(Protocol):
    """All invites and who has used them."""

    async def add(self, invite: Invite) -> None:
        """Add a fresh invite."""

    async def get(self, id: UUID) -> Invite | None:
        """The invite of this id."""

    async def issued(self, by: UUID | None = None, *, before: UUID | None = None, limit: int) -> Sequence[Issued]:
        """Up to `limit` invites of one issuer, or everybody's, newest first: those of ids below `before`, if given.

        Ids sort as time does, so a page begins before the last id of the page above, whatever is issued meanwhile.
        """

    async def open_claims(self, by: UUID, at: datetime) -> int:
        """For how many more accounts the issuer's open invites are good."""

    async def claim(self, id: UUID, at: datetime) -> bool:
        """Count a claim in one conditional statement; False where the invite is not open at that time."""

    async def revoke(self, id: UUID, at: datetime) -> bool:
        """Take an invite back; False where it was not open."""

    async def delete_open(self, by: UUID, at: datetime) -> None:
        """Delete the issuer's open invites."""


class Claims(Protocol):
    """Who has signed up with which invite and is not confirmed."""

    async def add(self, claim: Claim) -> bool:
        """Note a claim; False where address and name have one already that is no older than a username is held.

        Waits for a rival in flight. Raises InviteUnknown where the invite is gone.
        """

    async def get(self, invite_id: UUID, email: EmailAddress, username: Username) -> Claim | None:
        """The claim of this invite by this address and name."""

    async def forget(self, invite_id: UUID, email: EmailAddress, username: Username) -> None:
        """Forget the claim of this invite by this address and name; it stays counted."""


class Sessions(Protocol):
    """The record of sessions."""

    async def add(self, session: Session) -> None:
        """Add a fresh session."""

    async def start(self, session: Session, *, password_hash: str | None, beside: int) -> bool:
        """Add a fresh session in one conditional statement, once nobody has its user locked.

        False, and nothing added, where the user has another password hash, or more than `beside` sessions.
        """

    async def get(self, key_hash: bytes) -> LoggedIn | None:
        """The session of this key, with its user."""

    async def update(self, session: Session) -> None:
        """Write when a session was last seen; an ended one stays ended."""

    async def delete(self, key_hash: bytes) -> Session | None:
        """End the session of this key; it, or None where there was none."""

    async def delete_all(self, user_id: UUID) -> Sequence[Session]:
        """End all sessions of a user; those that were there."""

    async def of_user(self, user_id: UUID, *, past: int = 0) -> Sequence[Session]:
        """The sessions of a user that are recorded, expired ones too, newest first; without the first `past`."""


class Tokens(Protocol):
    """The record of mailed tokens, other than invites."""

    async def add(self, token: Token) -> None:
        """Add a fresh token and supersede the unused ones that it replaces, of the same user and purpose."""

    async def get(self, id: UUID) -> Token | None:
        """The token of this id."""

    async def newest(self, user_id: UUID, purpose: Purpose) -> Token | None:
        """The token that was made last."""

    async def consume(self, id: UUID, purpose: Purpose, at: datetime) -> Token | None:
        """Use a usable token in one conditional statement; it, or None. Of many at once, one succeeds."""

    async def void(self, user_id: UUID, *purposes: Purpose, at: datetime, since: datetime | None = None) -> None:
        """Supersede the unused tokens of a user for these purposes; with `since`, those made then or later."""


# Delivery


@dataclass(frozen=True, slots=True)
class Message:
    """An event on its way: `id` is the outbox id and the broker's message id; `data` the event in JSON."""

    id: UUID
    type: str
    data: bytes
    at: datetime
    attempts: int = 0


class Outbox(Protocol):
    """Events written in the transaction of the change that they tell of."""

    async def add(self, *events: Event, at: datetime) -> None:
        """Add events; they are published if and only if the transaction commits."""

    async def lease(self, limit: int, *, at: datetime, until: datetime) -> Sequence[Message]:
        """Take up to `limit` unpublished messages that are due and not leased; nobody else gets them before `until`."""

    async def mark_published(self, ids: Collection[UUID], at: datetime) -> None:
        """The broker has confirmed these."""

    async def oldest(self) -> datetime | None:
        """When the oldest event that is not published was added, if there is any."""

    async def postpone(self, id: UUID, until: datetime) -> None:
        """Try this one again later."""

    async def free_leases(self) -> None:
        """End every lease: whoever held one is gone."""


class Publisher(Protocol):
    """Hands messages to whoever wants them."""

    async def publish(self, messages: Sequence[Message]) -> Collection[UUID]:
        """The ids of those that are safe: confirmed on disk by the broker, or handled. The others are to be retried."""


class Inbox(Protocol):
    """What each consumer has done already."""

    async def add(self, consumer: str, message_id: UUID, at: datetime) -> bool:
        """Note a message as done in this transaction; False where it was done before."""


class Mails(Protocol):
    """Mails to send and sent."""

    async def add(self, mail: Mail) -> None:
        """Queue a mail."""

    async def lease(self, limit: int, *, at: datetime, until: datetime) -> Sequence[Mail]:
        """Take up to `limit` mails that are due, as `sending`; nobody else gets them before `until`."""

    async def mark_sent(self, id: UUID, at: datetime) -> None:
        """The mail server has taken it."""

    async def postpone(self, mail: Mail, until: datetime, reason: str) -> None:
        """Queue it again for later; nothing, where somebody else has leased it since, or sent it."""

    async def mark_failed(self, mail: Mail, reason: str) -> None:
        """It will not be sent; nothing, where somebody else has leased it since, or sent it."""

    async def newest(self, limit: int, state: MailState | None) -> Sequence[Mail]:
        """The newest mails, newest first; in one state, or in any."""

    async def requeue(self, id: UUID | None, at: datetime) -> int:
        """Have this mail sent now if it has failed or waits, or every one that has failed; how many."""

    async def free_leases(self) -> None:
        """End every lease: whoever held one is gone."""

    async def forget(self, to: EmailAddress) -> None:
        """Forget all mails to an address, those that wait to be sent too."""


class MailQuotas(Protocol):
    """How many mails strangers may cause one address to be sent: one a minute, five a day, of each kind."""

    async def take(self, to: EmailAddress, kind: MailKind, at: datetime) -> bool:
        """Count a mail in one conditional statement; False, and nothing counted, where it would be one too many."""


class Mailer(Protocol):
    """Sends mails."""

    async def send(self, mail: Mail) -> None:
        """Return once the mail is safe with the next server. Raises MailDeferred, MailUnanswered, MailRefused."""


class Signal(Protocol):
    """Wakes a loop that looks for work: a courtesy, for the loop looks by itself as well."""

    def set(self) -> None:
        """There is work."""

    async def wait(self, timeout: timedelta) -> None:
        """Return when there is work, or when the time is over."""


class Gauges(Protocol):
    """What an operator watches."""

    def events_waiting(self, oldest: timedelta | None) -> None:
        """How long the oldest event that is not published has waited; zero where none waits, None if nobody knows."""


# Limits


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left of a limit for one key: an address, a user, or several of these, separated by a space.

    `cost` is how many tries to take; 0 only looks whether one is left.
    """

    limit: Limit
    key: str
    cost: int = 1


class RateLimiter(Protocol):
    """Counts tries. Every bucket is full at first and fills again as its limit says."""

    async def take(self, *buckets: Bucket) -> None:
        """Take from all of these buckets, each named once, or from none where one of them has too little.

        Of many at once no more get through than there are tries. Raises TooManyRequests with the longest wait.
        To limit bad tries alone, look before the try and take after it has turned out bad.
        """


# Unit of work


class Leftovers(Protocol):
    """What is over."""

    async def delete(self, kind: Leftover, *, before: datetime, most: int) -> int:
        """Delete up to so many of a kind that were over before a moment, the oldest first; how many."""


class Work(Protocol):
    """The record, seen through one transaction."""

    @property
    def users(self) -> Users: ...
    @property
    def username_holds(self) -> UsernameHolds: ...
    @property
    def invites(self) -> Invites: ...
    @property
    def claims(self) -> Claims: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def tokens(self) -> Tokens: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def mails(self) -> Mails: ...
    @property
    def mail_quotas(self) -> MailQuotas: ...
    @property
    def leftovers(self) -> Leftovers: ...


class Begin(Protocol):
    """Opens the record: as `begin` a transaction, as `read` single statements outside of any.

    A transaction commits on a clean exit and rolls back on an exception. Raises Unavailable.
    """

    def __call__(self) -> AbstractAsyncContextManager[Work]:
        """Enter to work."""


# Caches


class Ended(Enum):
    """A cache's word that a session is over."""

    ENDED = auto()


class SessionCache(Protocol):
    """Remembers live sessions for a minute, and ended ones long enough that no late reader revives them.

    Reading and remembering fail open to the record: where the cache cannot answer, it knows nothing and keeps nothing.
    """

    async def get(self, key_hash: bytes, at: datetime) -> LoggedIn | Ended | None:
        """What is remembered of this session, without where it was begun; None where nothing is."""

    async def put(self, found: LoggedIn, at: datetime) -> None:
        """Remember a session read from the record, unless anything is remembered of it; the minute begins `at`."""

    async def bury(self, key_hashes: Iterable[bytes]) -> None:
        """Remember sessions as ended, over whatever is remembered. Raises Unavailable: the caller must know."""

    async def bury_unrecorded(self, key_hashes: Iterable[bytes]) -> None:
        """Bury sessions whose end is still to be recorded, by whichever process comes first. Raises Unavailable."""

    async def unrecorded(self) -> Collection[bytes]:
        """Those that other processes too have buried so, and nobody has recorded. Raises Unavailable."""

    async def recorded(self, key_hashes: Iterable[bytes]) -> None:
        """The end of these is recorded now. Raises Unavailable; telling it again changes nothing."""

    async def forget(self, key_hashes: Iterable[bytes]) -> None:
        """Forget what is remembered of live sessions whose user has changed; ended ones stay ended, as far as it can.

        A reader that is already on its way may bring the old word back for the minute that it is remembered.
        """


@dataclass(frozen=True, slots=True)
class Holder:
    """The sign-up that a username is out of reach for: while it is in flight, or for good where `is_taken`."""

    owner: bytes
    is_taken: bool = False


class Usernames(Protocol):
    """Remembers names that are reserved for a sign-up in flight, for half a minute, and taken ones, for an hour.

    It spares work and settles nothing: a unique index of the record decides, and what is not remembered may be taken.
    Everything may be repeated. Raises Unavailable.
    """

    async def get(self, username: Username) -> Holder | None:
        """For whom the name is out of reach; None where nothing is remembered."""

    async def add(self, username: Username, holder: Holder) -> bool:
        """Reserve the name, or note it as taken; False where another owner has it.

        An owner that repeats itself is not refused, and a name that it has taken stays taken.
        """

    async def delete(self, username: Username, owner: bytes) -> None:
        """Free the name if it is reserved, not taken, by this owner."""
