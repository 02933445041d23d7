"""Nobody who can send requests, but not read an address's mail, can tell whether it has an account.

Two whole embedded applications, alike but for which of two addresses is the member Sue's, and with which of two others
Tom joins, are sent the same requests by everybody. Every answer, and every mail that Eve and Mallory can read, must be
alike byte for byte; and in each world every answer, mail and account must be those of a small reference.

It fails for an application that refuses a known address at sign-up, holds no name or spends no invite for it; refuses
a taken address at a change, an unknown one at a resend; answers a forgotten password with another status; tells an
unconfirmed account at log-in; keeps a claim past its confirmation, or forgets others then or at a deletion; keeps
unconfirmed names for ever; lets sessions outlive a reset, a log-out or an undone change of address; takes a token twice
or a spent invite; lets a change of address outlive a reset; or keeps to no quota of mails. Each of these was tried, and
found by 30 programs.

BOTTOMLINE_TEST_MODEL_EXAMPLES sets how many programs of requests are tried.
"""

import itertools
import os
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.unit.model.stage import (
    EVE,
    EVES_OTHER,
    MALLORY,
    PASSWORDS,
    SUES,
    SUES_PASSWORD,
    TOMS,
    Stage,
    ann_issues,
    set_up,
    tom_joins,
)
from tests.unit.model.world import World

EXAMPLES = int(os.environ.get("BOTTOMLINE_TEST_MODEL_EXAMPLES", "10"))
STEPS = 20

readable = st.sampled_from([EVE, MALLORY])
addresses = st.sampled_from([*SUES, *TOMS, EVE, MALLORY, "SUE@one.example"])
names = st.sampled_from(["carol", "dave", "mallory", "sue"])
passwords = st.sampled_from([PASSWORDS[0], *PASSWORDS])
browsers = st.sampled_from(["laptop", "laptop", "phone"])
terms = st.sampled_from([(None, 1, 7), (None, 3, 1), (MALLORY, 1, 7), (SUES[0], 1, 7), (SUES[1], 1, 7)])
newest = st.integers(0, 4)
"""Which invite or sign-up: the newest but so many."""
mails = st.integers(0, 2)
"""Which mailed token of a kind, likewise."""


class TwoWorlds(RuleBasedStateMachine):
    """What everybody may do, in any order."""

    stage: ClassVar[Stage]

    def __init__(self) -> None:
        super().__init__()
        self._is_sound = True
        self._is_sue_gone = False
        self._has_tom_joined = False
        self._names = {"sue"}
        self.stage.start_over()

    def _both(self, act: Callable[[World], Awaitable[None]]) -> None:
        self._is_sound = False
        self.stage.act(act)
        self._is_sound = True

    @rule(invite=newest, address=addresses, name=names, password=passwords)
    def sign_up(self, invite: int, address: str, name: str, password: str) -> None:
        self._names.add(name)
        self._both(lambda world: world.sign_up(invite, address, name, password))

    @rule(sign_up=newest)
    def repeat_the_very_same(self, sign_up: int) -> None:
        self._both(lambda world: world.repeat_sign_up(sign_up))

    @rule(name=names)
    def check_a_name(self, name: str) -> None:
        self._both(lambda world: world.check_name(name))

    @rule(mail=mails)
    def confirm(self, mail: int) -> None:
        self._both(lambda world: world.confirm(mail))

    @rule(address=addresses)
    def resend_the_confirmation(self, address: str) -> None:
        self._both(lambda world: world.resend(address))

    @rule(address=addresses)
    def forget_the_password(self, address: str) -> None:
        self._both(lambda world: world.forget(address))

    @rule(mail=mails, password=passwords)
    def reset_the_password(self, mail: int, password: str) -> None:
        self._both(lambda world: world.reset(mail, password))

    @rule(browser=browsers, current=passwords, password=passwords)
    def change_the_password(self, browser: str, current: str, password: str) -> None:
        self._both(lambda world: world.change_password(browser, current, password))

    @rule(browser=browsers, password=passwords, address=readable | addresses)
    def change_the_address(self, browser: str, password: str, address: str) -> None:
        self._both(lambda world: world.change_address(browser, password, address))

    @rule(mail=mails)
    def confirm_the_address(self, mail: int) -> None:
        self._both(lambda world: world.confirm_address(mail))

    @rule(mail=mails)
    def take_the_address_back(self, mail: int) -> None:
        self._both(lambda world: world.undo_address(mail))

    @rule(browser=browsers, address=addresses, password=passwords)
    def log_in(self, browser: str, address: str, password: str) -> None:
        self._both(lambda world: world.log_in(browser, address, password))

    @initialize()
    def eve_logs_in(self) -> None:
        self.log_in("laptop", EVE, PASSWORDS[0])

    @rule(browser=browsers)
    def log_out(self, browser: str) -> None:
        self._both(lambda world: world.log_out(browser))

    @rule(browser=browsers)
    def end_the_other_sessions(self, browser: str) -> None:
        self._both(lambda world: world.end_other_sessions(browser))

    @rule(browser=browsers, password=passwords)
    def delete_the_account(self, browser: str, password: str) -> None:
        self._both(lambda world: world.delete_account(browser, password))

    @rule(browser=browsers, terms=terms)
    def issue_an_invite(self, browser: str, terms: tuple[str | None, int, int]) -> None:
        self._both(lambda world: world.issue(browser, *terms))

    @rule(terms=terms)
    def get_an_invite_from_ann(self, terms: tuple[str | None, int, int]) -> None:
        self._both(lambda world: ann_issues(world, *terms))

    @rule(browser=browsers)
    def look_at_the_account(self, browser: str) -> None:
        self._both(lambda world: world.look_at_session(browser))
        self._both(lambda world: world.list_sessions(browser))
        self._both(lambda world: world.list_invites(browser))

    @rule(browser=browsers, invite=newest)
    def revoke_an_invite(self, browser: str, invite: int) -> None:
        self._both(lambda world: world.revoke(browser, invite))

    @rule(invite=newest)
    def verify_an_invite(self, invite: int) -> None:
        self._both(lambda world: world.verify(invite))

    @rule(
        time=st.sampled_from(
            [
                timedelta(seconds=30),
                timedelta(seconds=61),
                timedelta(minutes=31),
                timedelta(hours=25),
                timedelta(days=4),
                timedelta(days=8),
                timedelta(days=91),
            ]
        )
    )
    def wait(self, time: timedelta) -> None:
        self.stage.clock.advance(time)

    @rule()
    def sue_logs_in(self) -> None:
        self._both(lambda world: world.log_in("sue", world.sue, SUES_PASSWORD))

    @rule()
    def sue_issues_an_invite(self) -> None:
        self.sue_logs_in()
        self._both(lambda world: world.issue("sue", None, 2, 7))

    @precondition(lambda self: not self._is_sue_gone)
    @rule()
    def sue_deletes_her_account(self) -> None:
        self._is_sue_gone = True
        self.sue_logs_in()
        self._both(lambda world: world.delete_account("sue", SUES_PASSWORD))

    @precondition(lambda self: not self._has_tom_joined)
    @rule()
    def tom_joins(self) -> None:
        self._has_tom_joined = True
        self.wait(timedelta(hours=25))  # his address may have been sent all the mails of a day
        self._both(tom_joins)

    def teardown(self) -> None:
        """Look at everything that is left, when Sue has gone too, and when every name's hold is over."""
        if not self._is_sound:
            return
        self.wait(timedelta(seconds=61))
        self._both(let_mallory_sign_up)
        self._both(self._look_around)
        for _ in range(2):
            self.wait(timedelta(seconds=61))
            self._both(let_eve_ask_for_another_address)
        self._both(let_eve_take_her_address_back)
        if not self._has_tom_joined:
            self.tom_joins()
        if not self._is_sue_gone:
            self.sue_deletes_her_account()
        self._both(repeat_every_sign_up)
        self._both(self._check_every_name)
        self.wait(timedelta(days=91))
        self._both(self._check_every_name)
        self._both(self._sign_up_with_every_name)

    async def _look_around(self, world: World) -> None:
        await world.use_every_cookie_there_was()
        for invite in range(len(world.held.invites)):
            await world.verify(invite)
        for address, password in itertools.product((*SUES, *TOMS, EVE, MALLORY), PASSWORDS):
            await world.log_in("nobody's", address, password)
            await world.log_out("nobody's")
        await world.use_every_token_twice()
        await world.use_every_cookie_there_was()

    async def _check_every_name(self, world: World) -> None:
        for name in sorted(self._names):
            await world.check_name(name)

    async def _sign_up_with_every_name(self, world: World) -> None:
        await ann_issues(world, None, 50, 1)
        for name in sorted(self._names):
            await world.sign_up(0, f"{name}@example.com", name, PASSWORDS[0])


async def let_mallory_sign_up(world: World) -> None:
    """So that there is always a confirmation to try."""
    await ann_issues(world, None, 1, 1)
    await world.sign_up(0, MALLORY, "victor", PASSWORDS[0])


async def let_eve_ask_for_another_address(world: World) -> None:
    """With a password that she has just set: what she asked for before that is void, and she is logged in nowhere."""
    await world.forget(EVE)
    await world.reset(0, PASSWORDS[1])
    await world.confirm_address(0)
    await world.look_at_session("eve's")
    await world.log_in("eve's", EVE, PASSWORDS[1])
    for address in (*SUES, EVES_OTHER):
        await world.change_address("eve's", PASSWORDS[1], address)


async def let_eve_take_her_address_back(world: World) -> None:
    await world.confirm_address(0)
    await world.look_at_session("eve's")
    await world.undo_address(0)
    await world.look_at_session("eve's")


async def repeat_every_sign_up(world: World) -> None:
    for sign_up in range(len(world.held.sign_ups)):
        await world.repeat_sign_up(sign_up)


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with set_up(tmp_path_factory.mktemp("worlds")) as both:
        yield both


def test_nobody_can_tell_whether_an_address_has_an_account(stage: Stage) -> None:
    TwoWorlds.stage = stage
    run_state_machine_as_test(
        TwoWorlds,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            phases=[Phase.generate, Phase.shrink],
        ),
    )
