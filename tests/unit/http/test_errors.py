"""The table of problems is complete."""

import importlib
import pkgutil

import domain
import entrypoints.http
from domain.errors import InviteExpired, InviteInvalid, InviteRevoked, InviteSpent, InviteUnknown, Refusal
from entrypoints.http.errors import PROBLEMS, of_refusal


def every_refusal() -> set[type[Refusal]]:
    for package in (domain, entrypoints.http):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found: set[type[Refusal]] = set()
    waiting = [Refusal]
    while waiting:
        kinds = waiting.pop().__subclasses__()
        found.update(kinds)
        waiting.extend(kinds)
    return found


def test_every_refusal_has_its_row_or_that_of_a_class_above() -> None:
    missing = [kind for kind in every_refusal() if not any(above in PROBLEMS for above in kind.__mro__)]
    assert missing == []


def test_no_row_is_for_nothing() -> None:
    assert set(PROBLEMS) <= every_refusal()


def test_codes_are_those_of_the_rows() -> None:
    assert {kind.code for kind in every_refusal()} == {kind.code for kind in PROBLEMS}
    assert len({kind.code for kind in PROBLEMS}) == len(PROBLEMS)


def test_invites_that_cannot_be_used_are_told_alike() -> None:
    kinds = (InviteInvalid, InviteUnknown, InviteSpent, InviteExpired, InviteRevoked)
    assert len({of_refusal(kind()) for kind in kinds}) == 1
