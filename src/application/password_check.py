"""What sign-up, reset and change ask of a new password before they hash it."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from application.ports import BreachedPasswords, PasswordStrength
from domain.errors import BadField, InvalidFields
from domain.password import NewPassword

OURS = "bottomline"


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """Refuse a new password that is easy to guess (NIST SP 800-63B-4, 3.1.1.2; ASVS 6.2.4, 6.2.11, 6.2.12).

    It costs milliseconds where a hash costs tens: so it comes after the limits and before the hash.
    """

    strength: PasswordStrength
    breached: BreachedPasswords
    brand: str

    async def __call__(self, password: NewPassword, *, words: Collection[str], field: str = "password") -> None:
        """`words`: what others know of its owner, such as username and mail address; whole, and part by part.

        Raises InvalidFields naming `field`; Unavailable where the list of breached passwords cannot be read.
        """
        known = {part for word in (*words, self.brand, OURS) for part in (word, *re.split(r"[\W_]+", word))}
        if await self.strength.is_guessable(password, known):
            raise InvalidFields(
                BadField(
                    field,
                    "password_guessable",
                    "This password is easy to guess. Use a few words that have nothing to do with each other or you.",
                )
            )
        if await self.breached.has(password):
            raise InvalidFields(
                BadField(
                    field,
                    "password_breached",
                    "This password is on a list of stolen passwords. Use another, and change it wherever you use it.",
                )
            )
