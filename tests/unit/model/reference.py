"""What Bottomline promises, in few words: the reference that a running one is held against.

Each act answers with the word that the service must say: the `status` of its answer, or the code of its problem.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from tests.hand_clock import HandClock
from tests.unit.model.facts import HOLD, QUOTA, SEEN, SESSION, Account, Invite, Session, Token, key
from tests.unit.model.post import Post

CHECK = "check_your_email"


class Reference:
    """Accounts, invites, sessions and mails of one world."""

    def __init__(self, clock: HandClock) -> None:
        self.post = Post()
        self.accounts: list[Account] = []
        self.invites: list[Invite] = []
        self._sessions: list[Session] = []
        self._clock = clock
        self._holds: dict[str, datetime] = {}
        self._claimed: dict[tuple[Invite, str, str], tuple[str, datetime]] = {}

    @property
    def now(self) -> datetime:
        return self._clock.now()

    # Accounts

    def holder(self, address: str) -> Account | None:
        """The confirmed account of an address; else the sign-up that waits since last."""
        found = [account for account in self.accounts if key(account.address) == key(address)]
        return next((account for account in found if account.is_confirmed), found[-1] if found else None)

    def has_rival(self, account: Account, address: str) -> bool:
        holder = self.holder(address)
        return holder is not None and holder.is_confirmed and holder is not account

    def is_taken(self, name: str) -> bool:
        is_held = name in self._holds and self.now < self._holds[name]
        return is_held or any(account.name == name and account.is_confirmed for account in self.accounts)

    def sign_up(self, invite: Invite | None, address: str, name: str, password: str) -> str:
        if invite is None or invite.is_gone:
            return "invite_invalid"
        claim = (invite, key(address), name)
        claimed_with, until = self._claimed.get(claim, (None, self.now))
        if claimed_with == password and self.now < until:
            return CHECK
        if invite.state(self.now) != "open":
            return "invite_invalid"
        if invite.bound_to is not None and key(invite.bound_to) != key(address):
            return "invite_for_another_address"
        if self.is_taken(name):
            return "username_taken"
        invite.claims += 1
        self._claimed[claim] = (password, self.now + HOLD)
        self._holds[name] = self.now + HOLD
        self._drop(lambda account: account.name == name)
        self._welcome(Account(address, name, password, came_by=invite))
        return CHECK

    def _welcome(self, account: Account) -> None:
        holder = self.holder(account.address)
        if holder is not None and holder.is_confirmed:
            self.post.send_token("account_exists", "reset", holder, self.now)
            return
        self.accounts.append(account)
        token = self.post.token("confirmation", account, self.now)
        self.post.send_within_quota("confirmation", account.address, token, self.now)

    def confirm(self, token: Token | None) -> str:
        if token is None or token.purpose != "confirmation" or not token.is_good(self.now):
            return "confirmation_invalid"
        token.is_over = True
        token.account.is_confirmed = True
        self._settle(token.account)
        assert token.account.came_by is not None
        del self._claimed[token.account.came_by, key(token.account.address), token.account.name]
        return "confirmed"

    def _settle(self, account: Account) -> None:
        """The address is the account's: other sign-ups with it wait no more."""
        self._drop(lambda other: key(other.address) == key(account.address))

    def _drop(self, is_unwanted: Callable[[Account], bool]) -> None:
        for account in self.accounts:
            account.is_gone = not account.is_confirmed and is_unwanted(account)
        self.accounts = [account for account in self.accounts if not account.is_gone]

    def resend(self, address: str) -> str:
        account = self.holder(address)
        if account is not None and not account.is_confirmed:
            self.post.send_token("confirmation", "confirmation", account, self.now)
        return CHECK

    def delete_account(self, session: Session | None, password: str) -> str:
        account = self.me(session)
        if account is None:
            return "not_logged_in"
        if account.password != password:
            return "password_wrong"
        self._end_sessions(account)
        self._holds[account.name] = self.now + HOLD
        for invite in self.invites:
            invite.is_gone |= invite.issuer is account and invite.state(self.now) == "open"
        self.invites = [invite for invite in self.invites if not invite.is_gone]
        account.is_gone = True
        self.accounts.remove(account)
        self.post.send("farewell", account.address)
        return "done"

    # Passwords and addresses

    def forget(self, address: str) -> str:
        self._way_back("reset", address)
        return CHECK

    def _way_back(self, kind: str, address: str) -> None:
        account = self.holder(address)
        if account is not None and account.is_confirmed:
            self.post.send_token(kind, "reset", account, self.now)
        else:
            self.resend(address)

    def reset(self, token: Token | None, password: str) -> str:
        if token is None or token.purpose != "reset" or not token.is_good(self.now):
            return "reset_invalid"
        token.is_over = True
        self._change_password(token.account, password)
        return "password_changed"

    def _change_password(self, account: Account, password: str) -> None:
        account.password = password
        self.post.void(account, "reset", "email_change")
        self._end_sessions(account)
        self.post.send("password_changed", account.address)

    def change_password(self, session: Session | None, current: str, password: str) -> str:
        account = self.me(session)
        if account is None:
            return "not_logged_in"
        if account.password != current:
            return "password_wrong"
        self._change_password(account, password)
        return "password_changed"

    def change_address(self, session: Session | None, password: str, address: str) -> str:
        account = self.me(session)
        if account is None:
            return "not_logged_in"
        if account.password != password:
            return "password_wrong"
        if account.address == address:
            return "email_unchanged"
        token = self.post.asked_for(account, address, self.now)
        if self.has_rival(account, address):
            holder = self.holder(address)
            assert holder is not None
            self.post.send_token("account_exists", "reset", holder, self.now)
        else:
            self.post.send_within_quota("email_change", address, token, self.now)
        return CHECK

    def confirm_address(self, token: Token | None) -> str:
        if token is None or token.purpose != "email_change" or not token.is_good(self.now):
            return "email_change_invalid"
        account, address = token.account, token.address
        assert address is not None
        if self.has_rival(account, address):
            return "email_change_invalid"
        token.is_over = True
        former, account.address = account.address, address
        self._settle(account)
        self.post.void(account, "reset", "email_change")
        self.post.send("email_changed", former, self.post.token("undo", account, self.now, former))
        return "email_changed"

    def undo_address(self, token: Token | None) -> str:
        if token is None or token.purpose != "undo" or not token.is_good(self.now):
            return "email_change_invalid"
        account, address = token.account, token.address
        assert address is not None
        if self.has_rival(account, address):
            return "email_change_invalid"
        account.address, account.password = address, None
        self._settle(account)
        self.post.void(account, "reset", "email_change")
        self.post.void(account, "undo", since=token.made_at)
        self._end_sessions(account)
        self.post.send("reset", address, self.post.token("reset", account, self.now))
        return "email_restored"

    # Sessions

    def log_in(self, session: Session | None, address: str, password: str) -> str:
        if self.me(session) is not None:
            return "already_logged_in"
        account = self.holder(address)
        if account is None or account.password != password or not account.is_confirmed:
            return "credentials_invalid"
        return "logged_in"

    def begin_session(self, account: Account) -> Session:
        session = Session(account, self.now + SESSION, self.now)
        self._sessions.append(session)
        return session

    def me(self, session: Session | None) -> Account | None:
        """Whose session it is, seen now."""
        if session is None or not session.is_live(self.now):
            return None
        if self.now - session.seen_at >= SEEN:
            session.seen_at = self.now
        return session.account

    def log_out(self, session: Session | None) -> str:
        if session is not None:
            session.is_over = True
        return "logged_out"

    def live_sessions(self, account: Account) -> list[Session]:
        return [session for session in self._sessions if session.account is account and session.is_live(self.now)]

    def end_others(self, session: Session | None) -> str:
        account = self.me(session)
        if account is None:
            return "not_logged_in"
        for other in self._sessions:
            other.is_over |= other.account is account and other is not session
        return "done"

    def _end_sessions(self, account: Account) -> None:
        for session in self._sessions:
            session.is_over |= session.account is account

    # Invites

    def issue(self, session: Session | None, bound_to: str | None, max_claims: int, days: int) -> str:
        issuer = self.me(session)
        if issuer is None:
            return "not_logged_in"
        mine = [invite for invite in self.invites if invite.issuer is issuer and invite.state(self.now) == "open"]
        open_claims = sum(invite.max_claims - invite.claims for invite in mine)
        if not issuer.is_operator and open_claims + max_claims > QUOTA:
            return "invite_quota_reached"
        invite = Invite(issuer, bound_to, max_claims, self.now + timedelta(days=days))
        self.invites.append(invite)
        if bound_to is not None:
            self.post.send_within_quota("invite", bound_to, invite, self.now)
        return "open"

    def verify(self, invite: Invite | None) -> str:
        is_open = invite is not None and not invite.is_gone and invite.state(self.now) == "open"
        return "verified" if is_open else "invite_invalid"

    def revoke(self, session: Session | None, invite: Invite) -> str:
        account = self.me(session)
        if account is None:
            return "not_logged_in"
        if invite.is_gone or not (account.is_operator or invite.issuer is account):
            return "invite_not_found"
        invite.is_revoked |= invite.state(self.now) == "open"
        return "done"

    def listed(self, account: Account) -> list[tuple[str, int]]:
        """State and claims of the invites that a member sees, newest first."""
        return [(i.state(self.now), i.claims) for i in reversed(self.invites) if i.issuer is account]
