"""The mail server dies, hangs, resets and fills up: people sign up as ever, and get their mail, once."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.faults.proxy import DATA_TAKEN
from tests.integration.faults.stage import Stage, guests, until_signed_up
from tests.integration.journeys.worlds import World
from tests.integration.processes import Browser

PUT_OFF = "is put off: "


@pytest.fixture
async def ann(world: World) -> AsyncIterator[Browser]:
    async with world.web.browser() as browser:
        yield browser


async def test_while_it_is_gone_mails_wait(stage: Stage, world: World, ann: Browser) -> None:
    people = await guests(world, "ann", "bob", "eve")
    await stage.smtp.refuse()
    for guest in people:
        assert (await guest.sign_up(ann)).status_code == 202
    assert world.worker is not None
    await world.worker.said(PUT_OFF)
    assert stage.sink.taken == []
    await stage.smtp.forward()
    await stage.mails_arrive(people)


async def test_one_that_hangs_is_given_up_in_time_and_tried_again(stage: Stage, world: World, ann: Browser) -> None:
    people = await guests(world, "ann", "bob", "eve")
    stage.smtp.blackhole()
    for guest in people:
        assert (await guest.sign_up(ann)).status_code == 202
    assert world.worker is not None
    await world.worker.said(PUT_OFF, within=25)
    await stage.smtp.refuse()  # what was on its way is gone
    await stage.smtp.forward()
    await stage.mails_arrive(people, within=30)


async def test_one_that_restarts_loses_none(stage: Stage, world: World, ann: Browser) -> None:
    people = await guests(world, *(f"ann{number}" for number in range(10)))
    for guest in people:
        await until_signed_up(ann, guest)
        await stage.smtp.refuse()
        await stage.smtp.forward()
    await stage.mails_arrive(people)


async def test_a_full_one_is_tried_again(stage: Stage, world: World, ann: Browser) -> None:
    people = await guests(world, "ann", "bob", "eve")
    stage.sink.answer = "452 4.3.1 out of storage"
    for guest in people:
        assert (await guest.sign_up(ann)).status_code == 202
    assert world.worker is not None
    await world.worker.said(f"{PUT_OFF}.*452")
    assert stage.sink.taken == []
    stage.sink.answer = "250 taken"
    await stage.mails_arrive(people)


async def test_only_a_mail_whose_answer_was_lost_comes_twice_and_can_be_known_by_its_id(
    stage: Stage, world: World, ann: Browser
) -> None:
    people = await guests(world, *(f"ann{number}" for number in range(6)))
    unlucky = people[2]
    for guest in people:
        if guest is unlucky:
            stage.smtp.swallow(DATA_TAKEN)
        await until_signed_up(ann, guest)
        await world.mailed(guest.email, "confirmation")
    await world.mailed(unlucky.email, "confirmation", 2)
    first, second = stage.sink.to(unlucky.email)
    assert first["Message-ID"] == second["Message-ID"]
    assert len(stage.smtp.swallowed) == 1
    await stage.mails_arrive([guest for guest in people if guest is not unlucky])
