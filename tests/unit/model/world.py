"""A whole Bottomline, driven over HTTP, and the reference that says what it must answer."""

import asyncio
import copy
import email
import email.policy
import re
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx

from tests.hand_clock import HandClock
from tests.mails import text_of
from tests.unit.model.facts import Account, Invite, Purpose, Session, Token, key
from tests.unit.model.reference import Reference
from tests.unit.model.transcript import Transcript

SUBJECTS = {
    "Confirm your address for Bottomline": "confirmation",
    "You already have an account at Bottomline": "account_exists",
    "Set another password for Bottomline": "reset",
    "Your password for Bottomline was changed": "password_changed",
    "Confirm your new address for Bottomline": "email_change",
    "Your address for Bottomline was changed": "email_changed",
    "Your account at Bottomline is deleted": "farewell",
}
NO_TOKEN = "A" * 46
_UNFINISHED = """SELECT EXISTS(SELECT 1 FROM outbox WHERE published_at IS NULL)
    OR EXISTS(SELECT 1 FROM mails WHERE state IN ('queued', 'sending'))"""


@dataclass(eq=False)
class Browser:
    """A cookie, and the session that it must stand for."""

    cookie: str | None = None
    session: Session | None = None


@dataclass(frozen=True)
class SignUp:
    """What somebody has signed up with."""

    token: str
    invite: Invite
    address: str
    name: str
    password: str


@dataclass
class Held:
    """What has come into people's hands: invites, sign-ups of theirs, mailed tokens, cookies; the newest last."""

    reference: Reference
    sign_ups: list[SignUp] = field(default_factory=list)
    invites: list[tuple[str, str, Invite]] = field(default_factory=list)
    mailed: dict[str, list[tuple[str, Token]]] = field(default_factory=dict)
    browsers: dict[str, Browser] = field(default_factory=dict)
    cookies: list[Browser] = field(default_factory=list)
    transcript: Transcript = field(default_factory=Transcript)


class World:
    """`sue` is the address of the member Sue here, `tom` that of Tom, who may become one.

    Mails to `readers` are read by whoever sends the requests.
    """

    def __init__(
        self, client: httpx.AsyncClient, folder: Path, clock: HandClock, *, sue: str, tom: str, readers: set[str]
    ) -> None:
        self.sue, self.tom = sue, tom
        self.held = Held(Reference(clock))
        self._client = client
        self._clock = clock
        self.readers = readers
        self._mail = folder / "mail"
        self._read: set[str] = set()
        self._record = sqlite3.connect(folder / "bottomline.db", isolation_level=None, check_same_thread=False)

    @property
    def reference(self) -> Reference:
        return self.held.reference

    # Coming back to where it was

    async def snapshot(self) -> Callable[[], Awaitable[None]]:
        """A way back to this moment."""
        record = sqlite3.connect(":memory:", check_same_thread=False)
        await asyncio.to_thread(self._record.backup, record)
        held, shared = self.held, {id(self._clock): self._clock}

        async def go_back() -> None:
            await self._settled()
            await asyncio.to_thread(record.backup, self._record)
            self.held = copy.deepcopy(held, dict(shared))
            for file in self._mail.glob("*.eml"):
                file.unlink()
            self._read = set()

        return go_back

    def close(self) -> None:
        self._record.close()

    # Accounts

    async def sign_up(self, invite: int, address: str, name: str, password: str) -> None:
        _, token, issued = self._invite(invite)
        self.held.sign_ups.append(SignUp(token, issued, address, name, password))
        await self.repeat_sign_up(0)

    async def repeat_sign_up(self, nth: int) -> None:
        """The very same one: the newest but n, if there were as many."""
        if nth < len(self.held.sign_ups):
            await self.send_sign_up(self.held.sign_ups[-1 - nth])

    async def send_sign_up(self, what: SignUp) -> None:
        word = self.reference.sign_up(what.invite, what.address, what.name, what.password)
        body = {"invite": what.token, "email": what.address, "username": what.name, "password": what.password}
        await self._ask(word, "POST", "/api/users", body)

    async def check_name(self, name: str) -> None:
        word = "username_taken" if self.reference.is_taken(name) else "free"
        await self._ask(word, "GET", f"/api/usernames/{name}")

    async def confirm(self, nth: int) -> None:
        token, meant = self._token("confirmation", nth)
        await self._ask(self.reference.confirm(meant), "POST", "/api/confirm_account", {"confirmation": token})

    async def resend(self, address: str) -> None:
        await self._ask(self.reference.resend(address), "POST", "/api/resend_confirmation", {"email": address})

    async def delete_account(self, browser: str, password: str) -> None:
        word = self.reference.delete_account(self._browser(browser).session, password)
        await self._ask(word, "DELETE", "/api/user", {"password": password}, by=browser)

    # Passwords and addresses

    async def forget(self, address: str) -> None:
        await self._ask(self.reference.forget(address), "POST", "/api/forgot_password", {"email": address})

    async def reset(self, nth: int, password: str) -> None:
        token, meant = self._token("reset", nth)
        word = self.reference.reset(meant, password)
        await self._ask(word, "POST", "/api/reset_password", {"reset": token, "password": password})

    async def change_password(self, browser: str, current: str, password: str) -> None:
        session = self._browser(browser).session
        account = self.reference.me(session)
        word = self.reference.change_password(session, current, password)
        body = {"current_password": current, "password": password}
        answer = await self._ask(word, "POST", "/api/change_password", body, by=browser)
        if word == "password_changed":
            assert account is not None
            self._keep(browser, answer, account)

    async def change_address(self, browser: str, password: str, address: str) -> None:
        word = self.reference.change_address(self._browser(browser).session, password, address)
        await self._ask(word, "POST", "/api/change_email", {"email": address, "password": password}, by=browser)

    async def confirm_address(self, nth: int) -> None:
        token, meant = self._token("email_change", nth)
        word = self.reference.confirm_address(meant)
        await self._ask(word, "POST", "/api/confirm_email", {"confirmation": token})

    async def undo_address(self, nth: int) -> None:
        token, meant = self._token("undo", nth)
        await self._ask(self.reference.undo_address(meant), "POST", "/api/undo_change_email", {"undo": token})

    async def use_every_token_twice(self) -> None:
        """Oldest first; those that were used, superseded or are over are refused, and all are the second time."""
        uses = {
            "confirmation": self.confirm,
            "reset": lambda nth: self.reset(nth, "battery correct horse"),
            "email_change": self.confirm_address,
            "undo": self.undo_address,
        }
        for purpose, use in uses.items():
            for nth in reversed(range(len(self.held.mailed.get(purpose, [])))):
                await use(nth)
                await use(nth)

    # Sessions

    async def log_in(self, browser: str, address: str, password: str) -> None:
        word = self.reference.log_in(self._browser(browser).session, address, password)
        body = {"email": address, "password": password}
        answer = await self._ask(word, "POST", "/api/login", body, by=browser)
        if word == "logged_in":
            account = self.reference.holder(address)
            assert account is not None
            self._keep(browser, answer, account)

    async def log_out(self, browser: str) -> None:
        await self._ask(self.reference.log_out(self._browser(browser).session), "POST", "/api/logout", by=browser)

    async def look_at_session(self, browser: str) -> None:
        me = self.reference.me(self._browser(browser).session)
        await self._ask("here" if me else "not_logged_in", "GET", "/api/session", by=browser)

    async def list_sessions(self, browser: str) -> None:
        me = self.reference.me(self._browser(browser).session)
        answer = await self._ask("listed" if me else "not_logged_in", "GET", "/api/sessions", by=browser)
        if me:
            assert len(answer.json()) == len(self.reference.live_sessions(me))

    async def end_other_sessions(self, browser: str) -> None:
        word = self.reference.end_others(self._browser(browser).session)
        await self._ask(word, "DELETE", "/api/sessions", by=browser)

    async def use_every_cookie_there_was(self) -> None:
        """Those of sessions that are over stay 401."""
        for number, browser in enumerate(self.held.cookies):
            self.held.browsers[f"copy {number}"] = browser
            await self.look_at_session(f"copy {number}")

    # Invites

    async def issue(self, browser: str, bound_to: str | None, max_claims: int, days: int) -> None:
        word = self.reference.issue(self._browser(browser).session, bound_to, max_claims, days)
        body = {"email": bound_to, "max_claims": max_claims, "expires_in_days": days}
        answer = await self._ask(word, "POST", "/api/invites", body, by=browser)
        if word == "open":
            issued = answer.json()
            self.held.invites.append((issued["id"], issued["invite"], self.reference.invites[-1]))

    async def verify(self, invite: int) -> None:
        _, token, issued = self._invite(invite)
        await self._ask(self.reference.verify(issued), "POST", "/api/invites/verify", {"invite": token})

    async def list_invites(self, browser: str) -> None:
        me = self.reference.me(self._browser(browser).session)
        answer = await self._ask("listed" if me else "not_logged_in", "GET", "/api/invites", by=browser)
        if me:
            assert [(found["state"], found["claims"]) for found in answer.json()] == self.reference.listed(me)

    async def revoke(self, browser: str, invite: int) -> None:
        number, _, issued = self._invite(invite)
        word = self.reference.revoke(self._browser(browser).session, issued)
        await self._ask(word, "DELETE", f"/api/invites/{number}", by=browser)

    # What all acts have in common

    async def _ask(self, word: str, method: str, path: str, body: object = None, *, by: str = "") -> httpx.Response:
        """Send a request; the answer must say the word, the mails must be those that are due, the record right."""
        cookie = self._browser(by).cookie
        headers = {"cookie": f"__Host-session={cookie}"} if cookie else {}
        answer = await self._client.request(method, path, json=body, headers=headers)
        self._client.cookies.clear()
        assert _word(answer) == word, f"{word} was meant: {method} {path} {body}: {answer.status_code} {answer.text}"
        self.held.transcript.answer(answer, self.sue if self._is_sues(by) else NO_TOKEN)
        await self._settled()
        self._take_mails()
        self._check_record()
        return answer

    def _invite(self, nth: int) -> tuple[str, str, Invite]:
        """The newest but n; the oldest where there are not as many."""
        return self.held.invites[max(-1 - nth, -len(self.held.invites))]

    def _token(self, purpose: Purpose, nth: int) -> tuple[str, Token | None]:
        """The newest mailed one but n; none of ours where there are not as many."""
        mailed = self.held.mailed.get(purpose, [])
        return mailed[-1 - nth] if nth < len(mailed) else (NO_TOKEN, None)

    def _browser(self, name: str) -> Browser:
        return self.held.browsers.get(name, Browser())

    def _is_sues(self, browser: str) -> bool:
        session = self._browser(browser).session
        return browser == "sue" or (session is not None and session.account.name == "sue")

    def _keep(self, browser: str, answer: httpx.Response, account: Account) -> None:
        found = re.match(r"__Host-session=([\w-]{82});", answer.headers["set-cookie"])
        assert found is not None
        self.held.browsers[browser] = Browser(found[1], self.reference.begin_session(account))
        self.held.cookies.append(self.held.browsers[browser])

    async def _settled(self) -> None:
        async with asyncio.timeout(20):
            while self._record.execute(_UNFINISHED).fetchone()[0]:  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    def _take_mails(self) -> None:
        due = self.reference.post.collect()
        mails = self._new_mails()
        came, wanted = [(_kind(mail), mail["To"]) for mail in mails], [(mail.kind, mail.to) for mail in due]
        assert came == wanted, f"mails {came} where {wanted} were due"
        for mail, meant in zip(mails, due, strict=True):
            if key(meant.to) in self.readers:
                self.held.transcript.mail(mail)
                if isinstance(meant.carries, Token):
                    (token,) = re.findall(r"#\w+=([\w-]{46})", text_of(mail))
                    self.held.mailed.setdefault(meant.carries.purpose, []).append((token, meant.carries))

    def _new_mails(self) -> list[EmailMessage]:
        """Oldest first: their names are their ids."""
        files = [file for file in sorted(self._mail.glob("*.eml")) if file.name not in self._read]
        self._read.update(file.name for file in files)
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]

    def _check_record(self) -> None:
        """The accounts are the reference's, and so are the claims of the invites."""
        accounts = self._record.execute("SELECT email_key, username, confirmed_at IS NOT NULL FROM users")
        found = sorted(accounts)
        wanted = sorted((key(a.address), a.name, a.is_confirmed) for a in self.reference.accounts)
        assert found == wanted, f"accounts {found} where {wanted} were meant"
        invites = self._record.execute("SELECT claims, max_claims FROM invites ORDER BY id")
        claims, meant = list(invites), [(i.claims, i.max_claims) for i in self.reference.invites]
        assert claims == meant, f"claims {claims} where {meant} were meant"


def _kind(mail: EmailMessage) -> str:
    return SUBJECTS.get(mail["Subject"], "invite")


def _word(answer: httpx.Response) -> str:
    """What an answer says, in a word."""
    if answer.status_code == 204:
        return "done"
    said: Any = answer.json()
    if isinstance(said, list):
        return "listed"
    if "errors" in said:
        return str(said["errors"][0]["code"])
    if "session" in said:
        return "here"
    if "available" in said:
        return "free" if said["available"] else str(said["reason"])
    return str(said.get("code") or said.get("state") or said.get("status") or "verified")
