"""How hard a password is to guess, estimated with zxcvbn."""

import re
from collections.abc import Collection
from functools import partial

from adapters.system.threads import Threads
from domain.password import NewPassword

STRONG = 3
"""The least score of zxcvbn's 0 to 4 that is accepted: beyond 10⁸ guesses."""
JUDGED = 40
"""Characters that are looked at; what comes behind them makes no password easier to guess."""
SECONDS_A_PASSWORD = 0.005
SHORTEST_WORD = 3
SUBSTITUTIONS = {
    "a": ["4", "@"],
    "b": ["8"],
    "e": ["3"],
    "g": ["9"],
    "i": ["1", "!"],
    "l": ["1"],
    "o": ["0"],
    "s": ["$", "5"],
    "t": ["7"],
    "z": ["2"],
}


class ZxcvbnPasswordStrength:
    """Judges with zxcvbn: common passwords, names, English words, keyboard walks, repeats, sequences, dates.

    zxcvbn tries every combination of the characters that may stand for letters: 3.1 s for 72 of the worst. With the
    usual substitutions alone and 40 characters, the worst that was found takes 0.02 s, an ordinary password 2 to 5 ms.
    It keeps the words of one call in a global, so one thread does all; that one also loads it, at the first password.
    """

    def __init__(self) -> None:
        self._thread = Threads("zxcvbn", 1, expected=SECONDS_A_PASSWORD)

    async def is_guessable(self, password: NewPassword, words: Collection[str]) -> bool:
        """Whether fewer than 10⁸ guesses would do, for somebody who knows the words too. Raises Overloaded."""
        return await self._thread.run(partial(_is_guessable, password.text, words))

    def close(self) -> None:
        """Let go of the thread; what waits is dropped."""
        self._thread.close()


def _is_guessable(text: str, words: Collection[str]) -> bool:
    """Judge the text, and what is left of it without the words: those are worth nothing, wherever they stand."""
    known = {word.lower() for word in words if len(word) >= SHORTEST_WORD}
    judged = text[:JUDGED]
    rest = _without(known, judged)
    return _score(judged, known) < STRONG or (rest != judged and _score(rest, known) < STRONG)


def _without(words: Collection[str], text: str) -> str:
    longest_first = sorted(words, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), "", text, flags=re.IGNORECASE) if words else text


def _score(text: str, words: Collection[str]) -> int:
    from zxcvbn import matching, zxcvbn

    matching.L33T_TABLE.clear()
    matching.L33T_TABLE.update(SUBSTITUTIONS)
    return int(zxcvbn(text, sorted(words))["score"]) if text else 0
