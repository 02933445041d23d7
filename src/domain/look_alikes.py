# ruff: noqa: RUF001  the letters that cannot be told apart are what this table is about
"""Letters that people take for one another (Unicode's UTS 39, kept to the letters that usernames may have)."""

import unicodedata

_LIKE = {
    "-": "_一ー",
    "3": "зӡҙ",
    "6": "б",
    "a": "αа",
    "ae": "æӕ",
    "b": "ɓβвьҍ",
    "bl": "ы",
    "c": "сҫ",
    "d": "đðɖɗ",
    "e": "ɛεеєҽҿ",
    "f": "ք",
    "g": "ց",
    "h": "ħнһћђңҥӈӊհ",
    "j": "јյ",
    "k": "ƙκкқҝҟҡӄ",
    "l": "1iıłιіӏ\u05d5\u05df\u0627լ",
    "lo": "ю",
    "m": "μмӎ",
    "n": "ŋոռበቡ",
    "o": "0øοоөօ\u05e1\u0647\u06be\u06c1\u06c3\u0629ዐ",
    "oe": "œ",
    "p": "þρрҏ",
    "q": "գզ",
    "r": "гґғӷӻ",
    "s": "ѕտ",
    "t": "ŧτтҭ",
    "u": "υսሀ",
    "v": "ν",
    "w": "ա",
    "x": "χхҳӽӿ",
    "y": "ƴγуүұყ",
    "z": "ζ",
    "ə": "ә",
    "ж": "җ",
    "и": "ҋ",
    "л": "ӆ",
    "п": "π",
    "ф": "φփቀ",
    "ч": "ҷӌҹ",
    "ի": "ኮ",
    "ձ": "ኔ",
    "մ": "ሆ",
    "պ": "ጣ",
    "イ": "亻",
    "エ": "工",
    "カ": "力",
    "タ": "夕",
    "ト": "卜",
    "ニ": "二",
    "ハ": "八",
    "ヘ": "へ",
    "リ": "り",
    "ロ": "口囗",
    "\u0643": "\u06a9",
    "\u064a": "\u0649\u06cc\u06d2",
}
"""What stands for a letter, and the small letters that it stands for. Where a letter's cases differ, either counts."""

_VARIANTS = """併倂 値值 啓啟 土士 塡填 墫壿 媯嬀 帡帲 戶戸 晚晩 朌肦 朏胐 朐胊 朓脁 朘脧 朣膧 杮柿 榝樧 溈潙 研硏
    絕絶 胼腁 蒍蔿 蘷虁 訮詽 讆讏 豜豣 赿趆 跥跺 躗躛 軿輧 郎郞 鎭鎮 隷隸 鹂鹃 黑黒"""
"""Han characters and what differs from them by a stroke that small type does not show; the first stands for all."""

_MARKS = [*range(0x300, 0x370), *range(0x653, 0x656)]
"""Accents, dots and hooks, and the Arabic hamza above and below."""

_SKELETON = str.maketrans(
    {letter: like for like, letters in _LIKE.items() for letter in letters}
    | {letter: variants[0] for variants in _VARIANTS.split() for letter in variants[1:]}
    | {chr(mark): None for mark in _MARKS}
)
_CAPITALS = str.maketrans("ΗΝΥσω", "HNYow")
"""Greek letters that look Latin in one case, but in the other do not, or like another letter."""


def skeleton(text: str) -> str:
    """What texts that look alike have in common, whatever their case; the skeleton of itself."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    bare = unicodedata.normalize("NFD", plain).translate(_SKELETON)
    return unicodedata.normalize("NFC", bare.replace("rn", "m"))


def is_disguised(text: str) -> bool:
    """Whether the text, in the case that it is written in, reads like a Latin one that has another skeleton."""
    bare = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))
    shown = skeleton(bare.translate(_CAPITALS))
    return shown.isascii() and shown != skeleton(text)
