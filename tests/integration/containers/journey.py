"""Two accounts' first day in the containers of docker-compose.yml, seen from outside; servers are killed on the way.

python -m tests.integration.containers.journey APP_URL MAILPIT_URL [COMPOSE COMMAND ...]

The compose command is `docker compose` unless given. Exit status 1, and what was expected, at the first surprise.
"""

import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any, TypeVar

import httpx

T = TypeVar("T")
PATIENCE = 60.0
SETTLED = 6.0
"""Seconds after which a mail that would come twice has come: several rounds of relay and delivery."""
CONFIRM = "Confirm your address"
INVITED = "invites you"


class Surprise(Exception):
    """What was expected, and what came."""


class Containers:
    """The containers, through the compose command."""

    def __init__(self, command: list[str]) -> None:
        self._command = command

    def compose(self, *words: str) -> str:
        """Run one compose command; what it printed."""
        done = subprocess.run([*self._command, *words], capture_output=True, text=True, check=False)  # noqa: S603 - our own words
        if done.returncode:
            raise Surprise(f"{' '.join(words)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def running(self) -> set[str]:
        """The services that run."""
        return set(self.compose("ps", "--services", "--filter", "status=running").split())

    def bottomline(self, *words: str) -> str:
        """Run one `bottomline` command beside the web process."""
        return self.compose("exec", "-T", "serve", "bottomline", *words)


class Mailbox:
    """Mailpit's mailbox of one address."""

    def __init__(self, client: httpx.Client, address: str) -> None:
        self._client = client
        self._address = address

    def mails(self, subject: str) -> list[str]:
        """The text of each mail whose subject has these words, newest first."""
        return [
            self._get(f"/api/v1/message/{mail['ID']}")["Text"]
            for mail in self._get("/api/v1/messages?limit=200")["messages"]
            if subject in mail["Subject"] and any(to["Address"] == self._address for to in mail["To"])
        ]

    def only_token(self, subject: str) -> str:
        """Wait for the one mail with this subject, and see that no second one follows; the token in its link."""
        _eventually(f"a mail {subject!r} to {self._address}", lambda: self.mails(subject))
        time.sleep(SETTLED)
        mails = self.mails(subject)
        _expect(f"mails {subject!r} to {self._address}", len(mails), 1)
        return token_in(mails[0])

    def _get(self, path: str) -> Any:
        return self._client.get(path).raise_for_status().json()


@dataclass
class Person:
    """Somebody with a browser, a mail address and a password."""

    client: httpx.Client
    name: str
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    cookie: str = ""

    @property
    def address(self) -> str:
        """Where their mails go."""
        return f"{self.name}@example.org"

    def ask(self, status: int, method: str, path: str, body: object = None) -> Any:
        """Send one request; the answer, which has to have this status."""
        headers = {"Cookie": self.cookie} if self.cookie else {}
        answer = self.client.request(method, path, json=body, headers=headers)
        _expect(f"{self.name}: {method} {path} ({answer.text})", answer.status_code, status)
        for cookie in answer.headers.get_list("set-cookie"):
            self.cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in SimpleCookie(cookie).items())
        return answer.json()

    def sign_up(self, invite: str) -> None:
        """Claim an invite."""
        body = {"invite": invite, "email": self.address, "username": self.name, "password": self.password}
        _expect("sign-up", self.ask(202, "POST", "/api/users", body), {"status": "check_your_email"})

    def confirm(self, token: str) -> None:
        """Press the button."""
        _expect(
            "confirmation",
            self.ask(200, "POST", "/api/confirm_account", {"confirmation": token}),
            {"status": "confirmed"},
        )

    def log_in(self) -> None:
        """Log in and see that the session is one's own."""
        self.ask(200, "POST", "/api/login", {"email": self.address, "password": self.password})
        _expect("who is logged in", self.ask(200, "GET", "/api/session")["user"]["username"], self.name)

    def log_out(self) -> None:
        """Log out and see that the cookie of before is worth nothing."""
        before = self.cookie
        self.ask(200, "POST", "/api/logout")
        self.cookie = before
        self.ask(401, "GET", "/api/session")
        self.cookie = ""


def token_in(text: str) -> str:
    """Return the token in the link of a mail, or of the command line."""
    found = re.search(r"#(?:invite|confirmation)=([\w-]+)", text)
    if not found:
        raise Surprise(f"no link with a token in: {text}")
    return found[1]


def travel(app: httpx.Client, mailpit: httpx.Client, containers: Containers) -> None:
    """The whole journey. Raises Surprise."""
    suffix = secrets.token_hex(4)
    ada, bob = (Person(app, f"{name}-{suffix}") for name in ("ada", "bob"))
    adas, bobs = Mailbox(mailpit, ada.address), Mailbox(mailpit, bob.address)

    _say("everything answers")
    _eventually("the web process answers", lambda: app.get("/ready").is_success)

    _say("an operator's invite, made on the command line, is open")
    invite = token_in(containers.bottomline("invite", "create", "--operator"))
    ada.ask(200, "POST", "/api/invites/verify", {"invite": invite})

    _say("it leads to an account, which one confirmation mail opens")
    ada.sign_up(invite)
    ada.ask(401, "POST", "/api/login", {"email": ada.address, "password": ada.password})
    ada.confirm(adas.only_token(CONFIRM))
    ada.log_in()

    _say("an invite to a second address is mailed there")
    ada.ask(201, "POST", "/api/invites", {"email": bob.address})
    invite = bobs.only_token(INVITED)

    _say("a session that was logged out of is over")
    ada.log_out()

    _say("worker and RabbitMQ are killed; a sign-up is taken all the same")
    containers.compose("kill", "-s", "SIGKILL", "worker", "rabbitmq")
    _expect("running servers", {"worker", "rabbitmq"} & containers.running(), set())
    bob.sign_up(invite)

    _say("they start again; the confirmation mail arrives, once")
    containers.compose("start", "rabbitmq", "worker")
    bob.confirm(bobs.only_token(CONFIRM))
    bob.log_in()

    _say("all containers are removed and made anew; accounts and sessions are still there")
    containers.compose("down")
    containers.compose("up", "--detach")
    _eventually("the web process answers", lambda: app.get("/ready").is_success)
    bob.ask(200, "GET", "/api/session")
    ada.log_in()
    _expect("confirmation mails to the second address", len(bobs.mails(CONFIRM)), 1)


def _expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise Surprise(f"{what}: {found!r}, not {wanted!r}")


def _eventually(what: str, look: Callable[[], T]) -> T:
    """Look until there is something to see; refused connections are nothing."""
    end = time.monotonic() + PATIENCE
    found: T | None = None
    while not found:
        if time.monotonic() > end:
            raise Surprise(f"{what}: not within {PATIENCE:.0f} s")
        try:
            found = look()
        except httpx.TransportError:
            found = None
        if not found:
            time.sleep(0.5)
    return found


def _say(line: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stdout.flush()


def main(app_url: str, mailpit_url: str, *compose: str) -> int:
    """Travel, and tell how it went."""
    containers = Containers(list(compose) or ["docker", "compose"])
    with httpx.Client(base_url=app_url, timeout=10) as app, httpx.Client(base_url=mailpit_url, timeout=10) as mailpit:
        try:
            travel(app, mailpit, containers)
        except (Surprise, httpx.HTTPError) as error:
            sys.stderr.write(f"The journey ends here: {error}\n")
            return 1
    _say("the journey is complete")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
