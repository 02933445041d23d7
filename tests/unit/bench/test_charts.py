"""The pictures of the measurements."""

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest
from bench.charts import Bar, bar_chart, figure

SVG = "{http://www.w3.org/2000/svg}"
STACK = "Express 5 + express-session + connect-redis"
LONGEST = "One application server of a certain kind behind a proxy, x 2"
PEERS = [
    Bar("Bottomline", 4211.3, is_ours=True, low=4050, high=4390),
    Bar(STACK, 3120.7, low=2800, high=3300),
    Bar("Django 5 + django-allauth", 812.2),
]
CHARTS = {
    "peers": bar_chart("Session checks", "requests/s", PEERS, goal=3000, goal_label="goal: 3,000/s"),
    "two": bar_chart("Start", "s", [Bar("Bottomline", 1.26, is_ours=True), Bar("Other", 12)]),
    "eight": bar_chart("Eight", "ms", [Bar(f"{LONGEST[:-1]}{i}", 10.0 + i) for i in range(8)], goal=11),
    "spread": bar_chart(
        "Spread", "ms", [Bar("Bottomline", 1000, is_ours=True), Bar("Other", 1), Bar("Zero", 0)], goal=2
    ),
    "far goal": bar_chart("Far", "ms", PEERS, goal=900_000, goal_label="a goal that is far away, " * 4),
    "near goal": bar_chart("Near", "MB", [Bar("Bottomline", 95), Bar("Other", 805)], goal=110),
    "no space": bar_chart("N" * 90, "u" * 120, [Bar("W" * 60, 3, is_ours=True), Bar("x" * 60, 2)]),
    "large": bar_chart("Large", "bytes", [Bar("Bottomline", 12_345_678_901), Bar("Other", 2_345_678_901)]),
    "log": bar_chart("Log", "ms", [Bar("Bottomline", 1), Bar("Other", 1000), Bar("Zero", 0)], goal=30, is_log=True),
    "long log": bar_chart("Log", "ms", [Bar("Bottomline", 0.001), Bar(LONGEST, 9e9)], is_log=True),
    "nothing": bar_chart("Nothing", "errors", [Bar("Bottomline", 0), Bar("Other", 0)]),
}
each_chart = pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS.keys())


def parsed(chart: str) -> ET.Element:
    return ET.fromstring(chart)  # noqa: S314 - our own output


def of_class(chart: str, name: str) -> list[ET.Element]:
    return [element for element in parsed(chart).iter() if name in element.get("class", "").split()]


def number(element: ET.Element, name: str) -> float:
    return float(element.attrib[name])


def widths(chart: str) -> list[float]:
    return [number(bar, "width") for bar in of_class(chart, "bar")]


def figures(chart: str) -> list[str]:
    return [text.text or "" for text in of_class(chart, "figure")]


def box(text: ET.Element) -> tuple[float, float, float, float]:
    """Left, top, right and bottom; letters are 0.6 of their height wide, thin ones 0.4, and a W all of it."""
    words, size, x, y = text.text or "", number(text, "font-size"), number(text, "x"), number(text, "y")
    width = sum({"W": 1.0}.get(letter, 0.4 if letter in " ,.:filt" else 0.6) for letter in words) * size
    left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[text.attrib["text-anchor"]] * width
    return left, y - 0.8 * size, left + width, y + 0.25 * size


@each_chart
def test_a_chart_is_an_image_with_a_name(chart: str) -> None:
    root = parsed(chart)
    assert (root.tag, root.get("role"), root.get("width")) == (f"{SVG}svg", "img", "720")
    assert root.get("viewBox") == f"0 0 720 {root.get('height')}"
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert "prefers-color-scheme: dark" in root.findtext(f"{SVG}style", "")


def test_the_description_names_all_figures() -> None:
    described = parsed(CHARTS["peers"]).findtext(f"{SVG}desc")
    assert described == (
        f"requests/s. Bottomline: 4,211 (rounds from 4,050 to 4,390); {STACK}: 3,121 (rounds from 2,800 to 3,300); "
        "Django 5 + django-allauth: 812; dashed line at 3,000 (goal: 3,000/s)."
    )


def test_words_are_words_and_never_markup() -> None:
    rough = "<b>&\"'</b>"
    root = parsed(bar_chart(rough, rough, [Bar(rough, 1), Bar("Other", 2)], goal=1, goal_label=rough))
    assert root.findtext(f"{SVG}title") == rough
    assert [text.text for text in root.iter(f"{SVG}text")].count(rough) == 4
    assert not list(root.iter(f"{SVG}b"))


def test_a_bar_is_as_long_as_its_value() -> None:
    longest, *others = widths(bar_chart("Spread", "ms", [Bar(str(value), value) for value in (1000, 500, 250, 1, 0)]))
    assert longest > 400
    assert [other / longest for other in others] == pytest.approx([0.5, 0.25, 0.001, 0], abs=0.00002)


def test_on_a_log_scale_the_same_factor_is_the_same_length() -> None:
    zero, one, ten, hundred = widths(
        bar_chart("Log", "ms", [Bar(str(value), value) for value in (0, 1, 10, 100)], is_log=True)
    )
    assert zero == 0
    assert one > 0
    assert ten - one == pytest.approx(hundred - ten, abs=0.02)


def test_ours_alone_is_in_the_accent() -> None:
    for kind in ("bar", "label", "figure"):
        first, *others = of_class(CHARTS["peers"], kind)
        assert "ours" in first.attrib["class"]
        assert not any("ours" in other.attrib["class"] for other in others)


def test_every_bar_has_its_figure_behind_it() -> None:
    assert figures(CHARTS["peers"]) == ["4,211", "3,121", "812"]
    for bar, text in zip(of_class(CHARTS["peers"], "bar"), of_class(CHARTS["peers"], "figure"), strict=True):
        assert number(text, "x") > number(bar, "x") + number(bar, "width")
        assert number(bar, "y") < number(text, "y") < number(bar, "y") + number(bar, "height")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (0.00412, "0.00412"),
        (0.5, "0.5"),
        (1.2649, "1.26"),
        (31.96, "32"),
        (99.96, "100"),
        (812.2, "812"),
        (999.7, "1,000"),
        (1000, "1,000"),
        (1234567, "1,234,567"),
    ],
)
def test_a_figure_has_three_digits_or_all_before_the_point(value: float, words: str) -> None:
    assert figure(value) == words


def test_labels_are_told_in_full() -> None:
    for chart, label in [("peers", STACK), ("eight", LONGEST[:-1] + "7"), ("no space", "W" * 60)]:
        joined = "".join(text.text or "" for text in of_class(CHARTS[chart], "label"))
        assert label.replace(" ", "") in joined.replace(" ", "")


@each_chart
def test_no_text_runs_out_of_the_picture(chart: str) -> None:
    height = number(parsed(chart), "height")
    for text in parsed(chart).iter(f"{SVG}text"):
        left, top, right, bottom = box(text)
        assert 8 <= left < right <= 712, text.text
        assert 8 <= top < bottom <= height - 8, text.text


@each_chart
def test_no_text_lies_on_another(chart: str) -> None:
    for one, other in combinations(parsed(chart).iter(f"{SVG}text"), 2):
        (a, b, c, d), (e, f, g, h) = box(one), box(other)
        assert c <= e or g <= a or d <= f or h <= b, (one.text, other.text)


@pytest.mark.parametrize("goal", [1, 95, 110, 140, 805, 2000])
@pytest.mark.parametrize("is_log", [False, True])
def test_the_goal_crosses_no_figure_and_its_line_ends_with_the_bars(goal: float, is_log: bool) -> None:
    chart = bar_chart("Memory", "MB", [Bar("Bottomline", 95), Bar("Other", 805)], goal=goal, is_log=is_log)
    (line,) = of_class(chart, "goal")
    for text in of_class(chart, "figure"):
        left, top, right, bottom = box(text)
        assert not left <= number(line, "x1") <= right, text.text
        assert number(line, "y1") < top < bottom < number(line, "y2")


@pytest.mark.parametrize("goal", [0, 50, 100, 400])
def test_the_goal_stands_where_a_bar_of_its_value_would_end(goal: float) -> None:
    chart = bar_chart("Memory", "MB", [Bar("Bottomline", 100), Bar("Other", 200)], goal=goal)
    (line,), (bar, _) = of_class(chart, "goal"), of_class(chart, "bar")
    expected = number(bar, "x") + number(bar, "width") * goal / 100
    assert number(line, "x1") == number(line, "x2") == pytest.approx(expected, abs=0.05)


def test_a_goal_beyond_every_bar_is_in_the_picture() -> None:
    (line,) = of_class(CHARTS["far goal"], "goal")
    assert number(line, "x1") <= 712


def test_the_words_of_the_goal_stand_above_its_line() -> None:
    chart = bar_chart("Memory", "MB", [Bar("Bottomline", 100), Bar("Other", 200)], goal=120)
    (line,) = of_class(chart, "goal")
    (words,) = [text for text in parsed(chart).iter(f"{SVG}text") if text.text == "goal: 120"]
    assert words.get("x") == line.get("x1")
    assert number(words, "y") < number(line, "y1")


def test_without_a_goal_there_is_no_line() -> None:
    assert of_class(CHARTS["two"], "goal") == []


@pytest.mark.parametrize(("low", "high"), [(50, 150), (150, 50)])
def test_a_whisker_spans_the_rounds_whichever_is_the_slowest(low: float, high: float) -> None:
    chart = bar_chart("Rounds", "ms", [Bar("Bottomline", 100, low=low, high=high), Bar("Other", 200)])
    (whisker,), (bar, _), (figure_of_it, _) = (of_class(chart, name) for name in ("whisker", "bar", "figure"))
    start, width = number(bar, "x"), number(bar, "width")
    ends = re.match(r"M(\S+) \S+H(\S+) ", whisker.attrib["d"])
    assert ends
    assert [float(x) for x in ends.groups()] == pytest.approx([start + width / 2, start + width * 1.5], abs=0.05)
    assert number(figure_of_it, "x") > start + width * 1.5


def test_the_scale_begins_at_zero_with_the_bars() -> None:
    chart = CHARTS["peers"]
    ticks = [text for text in of_class(chart, "muted") if text.get("font-size") == "11"]
    assert [text.text for text in ticks] == ["0", "1,000", "2,000", "3,000", "4,000"]
    assert ticks[0].get("x") == of_class(chart, "bar")[0].get("x")


def test_more_bars_make_a_higher_picture() -> None:
    heights = [
        number(parsed(bar_chart("Rows", "ms", [Bar(str(i), i) for i in range(bars)])), "height") for bars in range(2, 9)
    ]
    assert {after - before for before, after in pairwise(heights)} == {32}


def test_the_same_figures_are_the_same_bytes() -> None:
    again = [Bar(bar.label, bar.value, bar.is_ours, bar.low, bar.high) for bar in PEERS]
    assert CHARTS["peers"] == bar_chart("Session checks", "requests/s", again, goal=3000, goal_label="goal: 3,000/s")


@pytest.mark.parametrize("figures", [(-1, None), (float("nan"), None), (1, float("inf")), (1, -1)])
def test_a_bar_begins_at_zero_and_ends_somewhere(figures: tuple[float, float | None]) -> None:
    value, low = figures
    with pytest.raises(ValueError, match="Bottomline"):
        Bar("Bottomline", value, low=low)
