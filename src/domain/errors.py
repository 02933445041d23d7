"""Refusals: the facts for which a request is turned down, each with a code that clients may rely on."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Literal


class Refusal(Exception):
    """A request that the rules turn down. `code` is stable; the message is for people."""

    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


FieldCode = Literal[
    "bound_to_one_address",
    "characters",
    "email_invalid",
    "email_unchanged",
    "field_missing",
    "invite_for_another_address",
    "out_of_range",
    "password_breached",
    "password_guessable",
    "password_missing",
    "password_too_long",
    "password_too_short",
    "password_wrong",
    "too_long",
    "unknown_field",
    "username_characters",
    "username_length",
    "username_reserved",
    "username_taken",
    "wrong_type",
]
"""What may be wrong with a field."""


@dataclass(frozen=True, slots=True)
class BadField:
    """One field that cannot be taken: its name, a stable code, and what to do about it."""

    field: str
    code: FieldCode
    message: str


class InvalidFields(Refusal):
    """One or more fields cannot be taken; every one of them is named."""

    code = "invalid_fields"

    def __init__(self, *fields: BadField) -> None:
        super().__init__("Some fields need another value.")
        self.fields = fields


class UsernameTaken(InvalidFields):
    """Another account has this username, had it until lately, or is about to."""

    def __init__(self) -> None:
        super().__init__(
            BadField(
                "username", "username_taken", "This username, or one that looks like it, is taken. Choose another."
            )
        )


class InviteForAnotherAddress(InvalidFields):
    """The invite was issued to one mail address, and this is another."""

    def __init__(self) -> None:
        super().__init__(
            BadField("email", "invite_for_another_address", "This invite was sent to another mail address.")
        )


class InviteInvalid(Refusal):
    """The invite cannot be claimed. Whoever asks learns this much and no more (no probing of invites)."""

    code = "invite_invalid"

    def __init__(self) -> None:
        super().__init__("This invite cannot be used. Ask the person who invited you for a new one.")


class InviteUnknown(InviteInvalid):
    """No invite has this token."""


class InviteSpent(InviteInvalid):
    """The invite has been claimed as often as it allows."""


class InviteExpired(InviteInvalid):
    """The invite's time is over."""


class InviteRevoked(InviteInvalid):
    """Whoever issued the invite took it back."""


class InviteNotFound(Refusal):
    """There is no invite of this id among those that the user may see."""

    code = "invite_not_found"

    def __init__(self) -> None:
        super().__init__("You have no invite with this id.")


class InviteQuotaReached(Refusal):
    """The user's open invites are good for as many accounts as members may bring in."""

    code = "invite_quota_reached"

    def __init__(self, quota: int) -> None:
        super().__init__(
            f"Your open invites may be good for {quota} accounts in all. Revoke one, or wait until one is used."
            if quota
            else "Only operators issue invites here."
        )


class ConfirmationInvalid(Refusal):
    """The confirmation is unknown, used, superseded or expired: one answer for all."""

    code = "confirmation_invalid"

    def __init__(self) -> None:
        super().__init__("This confirmation link cannot be used: it is used up, replaced by a newer one, or expired.")


class ResetInvalid(Refusal):
    """The reset is unknown, used, superseded or expired: one answer for all."""

    code = "reset_invalid"

    def __init__(self) -> None:
        super().__init__("This reset link cannot be used: it is used up, replaced by a newer one, or expired.")


class EmailChangeInvalid(Refusal):
    """The change of address, or its undoing, cannot be done any more: one answer for all reasons."""

    code = "email_change_invalid"

    def __init__(self) -> None:
        super().__init__("This link cannot be used: it is used up, replaced by a newer one, or expired.")


class PasswordWrong(InvalidFields):
    """The password that was asked for once more is not the user's (ASVS 7.5.1)."""

    def __init__(self, field: str = "password") -> None:
        super().__init__(BadField(field, "password_wrong", "This is not your password."))


class EmailUnchanged(InvalidFields):
    """The address that is asked for is the account's already."""

    def __init__(self) -> None:
        super().__init__(BadField("email", "email_unchanged", "This is your address already."))


class SessionNotFound(Refusal):
    """The user has no session of this id; somebody else's is none of theirs."""

    code = "session_not_found"

    def __init__(self) -> None:
        super().__init__("You have no session with this id.")


class CredentialsInvalid(Refusal):
    """Wrong password, unknown address or unconfirmed account: one answer for all (ASVS 6.3.8)."""

    code = "credentials_invalid"

    def __init__(self) -> None:
        super().__init__("No confirmed account has this mail address and password.")


class NotLoggedIn(Refusal):
    """The request carries no live session."""

    code = "not_logged_in"

    def __init__(self) -> None:
        super().__init__("You are not logged in, or your session has ended. Log in and try again.")


class TooManyRequests(Refusal):
    """A limit is reached; in `retry_after`, which is above zero, the same request has room again."""

    code = "too_many_requests"

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(f"Too many tries. Try again in {_in_words(retry_after)}.")
        self.retry_after = retry_after


def _in_words(time: timedelta) -> str:
    """The time rounded up: seconds up to a minute, then minutes."""
    seconds = -(-time // timedelta(seconds=1))
    count, unit = (seconds, "second") if seconds <= 60 else (-(-seconds // 60), "minute")
    return f"{count} {unit}" + ("s" if count > 1 else "")
