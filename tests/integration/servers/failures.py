"""Why integration tests cannot have their servers."""


class ServersMissing(RuntimeError):
    """A server is neither given, nor to be had from Docker, nor installed; the message is one line for a person."""


class ServerDidNotStart(RuntimeError):
    """The message ends with the last 20 lines of the server's log."""

    def __init__(self, name: str, what: str, log: str) -> None:
        lines = log.splitlines()[-20:] or ["(nothing)"]
        super().__init__("\n".join([f"{name}: {what}; its log ends:", *lines]))
