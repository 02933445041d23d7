"""What all tests share: reports that can be handed from one process to another."""

from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

from tests.integration.servers.source import SOURCE

settings.register_profile("bottomline", derandomize=True)
settings.load_profile("bottomline")
"""The same examples each time: what a run finds is about the change that it tests."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write half surrogates in captured output out, which forged log lines contain and no pipe takes."""
    report = yield
    report.sections = [(title, text.encode(errors="backslashreplace").decode()) for title, text in report.sections]
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear from a process that has run tests which servers it had."""
    if source := getattr(node, "workeroutput", {}).get("servers"):
        node.config.stash[SOURCE] = source


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which servers the tests ran on."""
    if SOURCE in config.stash:
        terminalreporter.write_line(f"Postgres, Redis and RabbitMQ: {config.stash[SOURCE]}")
