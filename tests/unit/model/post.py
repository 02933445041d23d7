"""The reference's mails: who must be written to, and with which token."""

from datetime import datetime, timedelta

from tests.unit.model.facts import Account, Due, Invite, Purpose, Token, key

PAUSE = timedelta(minutes=1)
DAY = timedelta(days=1)
PER_DAY = 5


class Post:
    """Tokens, and the mails that carry them: one a minute and five a day to one address, of each kind."""

    def __init__(self) -> None:
        self.due: list[Due] = []
        self._tokens: list[Token] = []
        self._quotas: dict[tuple[str, str], tuple[datetime, int, datetime]] = {}

    def collect(self) -> list[Due]:
        """The mails since last time."""
        due, self.due = self.due, []
        return due

    def send(self, kind: str, to: str, carries: Token | Invite | None = None) -> None:
        self.due.append(Due(kind, to, carries))

    def send_within_quota(self, kind: str, to: str, carries: Token | Invite, now: datetime) -> bool:
        began, count, last = self._quotas.get((key(to), kind), (now, 0, now - PAUSE))
        if now - began >= DAY:
            began, count = now, 0
        if now - last < PAUSE or count == PER_DAY:
            return False
        self._quotas[key(to), kind] = (began, count + 1, now)
        self.send(kind, to, carries)
        return True

    def token(self, purpose: Purpose, account: Account, now: datetime, address: str | None = None) -> Token:
        """A fresh token in place of the account's older ones; each change of address can be undone by itself."""
        if purpose != "undo":
            self.void(account, purpose)
        token = Token(purpose, account, now, address)
        self._tokens.append(token)
        return token

    def asked_for(self, account: Account, address: str, now: datetime) -> Token:
        """The token for a change to an address; asked for again, it is the same."""
        ours = (token for token in self._tokens if token.account is account and token.purpose == "email_change")
        good = next((token for token in ours if token.is_good(now) and token.address == address), None)
        return good or self.token("email_change", account, now, address)

    def send_token(self, kind: str, purpose: Purpose, account: Account, now: datetime) -> None:
        """A mail with a fresh token; where there is to be no mail, the older one stays good."""
        token = Token(purpose, account, now)
        if self.send_within_quota(kind, account.address, token, now):
            self.void(account, purpose)
            self._tokens.append(token)

    def void(self, account: Account, *purposes: Purpose, since: datetime | None = None) -> None:
        for token in self._tokens:
            if token.account is account and token.purpose in purposes and (since is None or token.made_at >= since):
                token.is_over = True
