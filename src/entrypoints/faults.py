"""Faults, told to an operator."""


class CannotStart(Exception):
    """The service does not come up; the message says why."""


def cause_of(fault: BaseException) -> str:
    """What lies behind a fault, in one line: what a driver says first, without the statement and its links."""
    return (str(fault.__cause__ or fault).splitlines() or [repr(fault)])[0]
