"""Names that look alike are one name."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidFields
from domain.look_alikes import is_disguised, skeleton
from domain.username import RESERVED, Username, _shape

CONFUSABLES = """
    l~1 З~3 Ӡ~3 А~A Æ~AE Ӕ~AE Е~E Н~H l~I Ј~J К~K Μ~M М~M 0~O Ο~O О~O Օ~O Œ~OE Ѕ~S Τ~T Χ~X Х~X У~Y Ү~Y æ~ae ӕ~ae
    Ы~bl е~e ք~f ց~g հ~h і~i ӏ~i ј~j І~l Ю~lO ո~n œ~oe ρ~p գ~q զ~q г~r m~rn ѕ~s ս~u ա~w ყ~y Ő~Ö ě~ĕ Ĕ~Ě i~ı Ǒ~Ŏ Ә~Ə
    Ă~Ǎ ă~ǎ Ĭ~Ǐ ĭ~ǐ ŏ~ǒ Ŭ~Ǔ ŭ~ǔ Ţ~Ț A~Α B~Β E~Ε Z~Ζ l~Ι K~Κ P~Ρ ቀ~Φ a~α y~γ i~ι v~ν o~ο u~υ B~В Ѝ~Й Π~П P~Р C~С T~Т
    Φ~Ф b~Ь a~а 6~б o~о π~п p~р c~с y~у x~х й~ѝ y~ү ӌ~ҷ h~һ e~ҽ l~Ӏ Ҷ~Ӌ በ~Ո U~Ս S~Տ Φ~Փ n~ռ o~օ U~ሀ Մ~ሆ Ռ~ቡ ձ~ኔ Ի~ኮ
    O~ዐ Պ~ጣ ヘ~へ 工~エ 力~カ 夕~タ 八~ハ ー~一 ニ~二 イ~亻 ト~卜 ロ~口
    倂~併 值~値 啓~啟 口~囗 士~土 塡~填 壿~墫 媯~嬀 帡~帲 戶~戸 晩~晚 肦~朌 膧~朣 杮~柿 榝~樧 潙~溈 研~硏
    絶~絕 朐~胊 朏~胐 腁~胼 朓~脁 朘~脧 蒍~蔿 虁~蘷 詽~訮 讏~讆 豣~豜 赿~趆 跺~跥 躛~躗 輧~軿 郞~郎 鎭~鎮
    隸~隷 鹃~鹂 黒~黑
""".split()  # noqa: SIM905
"""What Unicode (confusables.txt, UTS 39) calls confusable among the letters that names may have."""

LETTERS = [chr(point) for point in range(0x110000) if _shape().fullmatch(chr(point))]
names = st.text(st.sampled_from([*string.ascii_letters, *string.digits, "-", "_"]), min_size=3, max_size=30) | st.text(
    st.sampled_from(LETTERS), min_size=3, max_size=30
)


def refused(raw: str) -> str:
    """The code with which a name is refused."""
    with pytest.raises(InvalidFields) as refusal:
        Username.parse(raw)
    return refusal.value.fields[0].code


@pytest.mark.parametrize("pair", CONFUSABLES)
def test_what_unicode_calls_confusable_has_one_key(pair: str) -> None:
    one, other = pair.split("~")
    assert Username(f"{one}{one}{one}").key == Username(f"{other}{other}{other}").key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("асе", "ace"), ("рор", "pop"), ("СОСА", "coca"), ("Άννα", "avva"), ("օոռ", "onn"), ("ለዐዐ", "ለoo")),
        *(("paypaI", "paypal"), ("paypa1", "paypal"), ("PAYPAI", "paypal"), ("b0b0", "bobo"), ("modern", "modem")),
        *(("André", "andre"), ("ạnn", "ann"), ("Đặng", "dang"), ("Søren", "soren"), ("łukasz", "lukasz")),
        *(("ann_lee", "ann-lee"), ("Ｂｏｂ", "bob"), ("ñandú", "n\u0303andu\u0301"), ("ﬁfi", "fifi")),
        *(("ヘンリ", "へンリ"), ("あーい", "あ一い"), ("\u0643\u0645\u0627\u0644", "\u06a9\u0645\u0627\u0644")),
    ],
)
def test_names_that_look_alike_have_one_key(one: str, other: str) -> None:
    assert Username(one).key == Username(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann", "anna"),
        ("dan", "dav"),
        ("Нина", "Нона"),
        ("山田太郎", "山田次郎"),
        ("김민수", "김민주"),
        ("かき", "がき"),
    ],
)
def test_names_that_do_not_look_alike_have_two(one: str, other: str) -> None:
    assert Username(one).key != Username(other).key


@pytest.mark.parametrize(
    "raw",
    [
        *("admın", "АРР", "арр", "ΑΡΡ", "r00t", "0WNER", "íNVITE", "1ogin", "Iogin", "he1p", "supp0rt"),
        *("ádmin", "ạdmin", "no_reply", "Ｒｏｏｔ", "adrnin"),
    ],
)
def test_a_reserved_name_is_out_of_reach_in_any_look(raw: str) -> None:
    assert refused(raw) == "username_reserved"


@pytest.mark.parametrize("raw", ["ΑΝΝΑ", "ΝΙΚ", "ΥΑΗΟΟ", "Νίνα", "κοκσ"])
def test_a_greek_name_whose_capitals_read_as_other_latin_letters_is_refused(raw: str) -> None:
    """A capital nu is an N, a small one a v: one key cannot stand for both."""
    assert refused(raw) == "username_characters"


@pytest.mark.parametrize("raw", ["Ζεύς", "Νίκος", "άννα", "ΓΙΩΡΓΟΣ", "Ελένη", "Ηλίας"])
def test_other_greek_names_are_taken(raw: str) -> None:
    assert Username.parse(raw).name == raw


@pytest.mark.parametrize(
    "raw",
    [
        *("Анна", "Сара", "Олександр", "Їжак", "Қанат", "Արամ", "გიორგი", "አበበች", "김민수", "山田たろう", "タロー太郎"),
        *(
            "佐々木",
            "Đặng",
            "Søren",
            "Œuvre",
            "Ümit",
            "Ağa1",
            "Ɓukar",
            "\u05d3\u05d5\u05d3",
            "\u0633\u0644\u0627\u0645",
            "Ali",
        ),
        "\u0633\u0644\u0627\u0645-12",
    ],
)
def test_names_of_todays_languages_are_taken(raw: str) -> None:
    assert Username.parse(raw).name == raw


@pytest.mark.parametrize(
    "raw",
    [
        *("ᴀᴅᴍɪɴ", "ɑdmin", "ʙob", "ꜱam", "ɡreg", "ƨam", "aʼaa", "annª­", "ꭺꭼꭰ", "ᎪᎠᎷ", "ⲟⲟⲟ", "𐒎𐒎𐒎", "ԁԁԁ", "ѡѡѡ"),
        *("pаypal", "αlpha", "ann用户", "日本a", "한국語", "Ωmega1a"),
        *("ann\u0660", "\u0661\u0662\u0663", "ann\u06f1", "ann\u0967", "\u0633\u0644\u0627\u0645\u0661"),
        *("12-\u0633\u0644\u0627\u0645", "1\u05d3\u05d5\u05d3"),
        *(
            "an\u0338n",
            "a\u20ddnn",
            "ann\u0301\u0301",
            "\u0301ann",
            "\u0e01\u0e31\u0e49\u0e49",
            "\u05d3\u05b0\u05d3\u05d5",
        ),
        *(
            "ann\u200b",
            "an\u200dn",
            "an\u00adn",
            "an\u034fn",
            "ann\ufe0f",
            "\u3164\u3164\u3164",
            "\u115fann",
            "ann\ufeff",
        ),
        *("ann\u202e", "\u2066ann\u2069", "ann\u061c", "ann\u200f", "ann\u2028", "ann\U000e0061", "ann\ud800", "ann😀"),
        *(
            "ann.lee",
            "ann'lee",
            "ann·lee",
            "ann\u2010lee",
            "ann\u2014lee",
            "ann\u2215lee",
            "ann\u3002lee",
            "アア・ア",
            "٪٪٪",
        ),
    ],
)
def test_characters_that_hide_or_pretend_are_refused(raw: str) -> None:
    assert refused(raw) == "username_characters"


@given(names)
def test_a_key_is_the_key_of_itself_and_of_every_case(name: str) -> None:
    key = Username(name).key
    assert Username(key).key == key
    for variant in (name.upper(), name.lower(), name.title(), name.swapcase(), name.casefold()):
        assert Username(variant).key == key


@given(names)
def test_a_key_is_the_same_however_the_accents_are_typed(name: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert Username(unicodedata.normalize(form, name)).key == Username(name).key


@given(st.text(max_size=40))
def test_skeletons_of_any_text_are_stable(text: str) -> None:
    assert skeleton(skeleton(text)) == skeleton(text)


def test_no_letter_changes_as_it_is_normalised() -> None:
    assert [letter for letter in LETTERS if unicodedata.normalize("NFKC", letter) != letter] == []


def test_every_reserved_name_is_one_that_could_be_asked_for() -> None:
    assert {refused(name) for name in RESERVED if 3 <= len(name) <= 30} == {"username_reserved"}


@pytest.mark.parametrize(("plain", "accented"), [("ΚΑΤΥ", "ΚΑΤΎ"), ("ΗΑΤ", "ΉΑΤ"), ("ωαχ", "ώαχ")])
def test_an_accent_disguises_nothing(plain: str, accented: str) -> None:
    assert is_disguised(plain)
    assert is_disguised(accented)
