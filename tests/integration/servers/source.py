"""Which servers a test run has used, to be said at its end."""

import pytest

SOURCE = pytest.StashKey[str]()


def note_source(config: pytest.Config, source: str) -> None:
    """Remember it for the end of the run, which is another process's where several share the tests."""
    config.stash[SOURCE] = source
    if hasattr(config, "workeroutput"):
        config.workeroutput["servers"] = source
