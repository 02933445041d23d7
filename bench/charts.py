"""Bar charts as SVG, for pages that show an SVG as an image: no script, no font and no file besides."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import count, pairwise

WIDTH, PAD, GAP = 720, 24, 10
LABELS = 236  # the most that labels take of the width; longer ones go on in the next line
TITLE, TEXT, SMALL = 16, 13, 11
LINE = 1.3  # of the size of the text, from one line to the next
THICKNESS, ROW = 18, 32
# The colours of the pages (page.css), but for the accent: a whisker in the colour of the text has to be seen on it.
# A card of its own keeps the contrast on any background.
STYLE = """
:root { --card: #fff; --text: #1a1d24; --muted: #5b6270; --grid: #e3e6eb; --other: #b4bac5; --accent: #4a6cf0 }
@media (prefers-color-scheme: dark) {
:root { --card: #1d2027; --text: #e9ebf0; --muted: #a9b0be; --grid: #31353f; --other: #5c6473; --accent: #6c87f5 }
}
text { font-family: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif }
text { fill: var(--text); font-variant-numeric: tabular-nums }
.card { fill: var(--card); stroke: var(--grid) }
.title, .ours { font-weight: 600 }
.muted { fill: var(--muted) }
.figure { paint-order: stroke; stroke: var(--card); stroke-width: 5px; stroke-linejoin: round }
.tick { stroke: var(--grid) }
.bar { fill: var(--other) }
.bar.ours { fill: var(--accent) }
.whisker { stroke: var(--text); stroke-width: 1.25px; fill: none }
.goal { stroke: var(--text); stroke-width: 1.5px; stroke-dasharray: 5 4 }
"""


@dataclass(frozen=True)
class Bar:
    """A figure, zero or more; `low` and `high`, its slowest and its fastest round, are drawn as a whisker."""

    label: str
    value: float
    is_ours: bool = False
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) and value >= 0 for value in self.figures):
            raise ValueError(f"{self.label}: a bar begins at zero and ends somewhere")

    @property
    def figures(self) -> list[float]:
        return [value for value in (self.value, self.low, self.high) if value is not None]

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and the highest figure, whichever of the two is the slowest."""
        return min(self.figures), max(self.figures)

    @property
    def has_rounds(self) -> bool:
        return self.low is not None or self.high is not None


@dataclass(frozen=True)
class Axis:
    """From `start` at the pixel `left` to `end` at the pixel `right`."""

    start: float
    end: float
    left: float
    right: float
    is_log: bool

    @classmethod
    def over(cls, values: Sequence[float], left: float, right: float, *, is_log: bool) -> "Axis":
        """From zero, or from a power of ten at most half the smallest value, so that only a zero has no bar."""
        above_zero = [value for value in values if value > 0] or [1.0]
        start = 10.0 ** math.floor(math.log10(min(above_zero) / 2)) if is_log else 0.0
        return cls(start, max(above_zero), left, right, is_log)

    def x(self, value: float) -> float:
        """The pixel of a value; what lies before the start, as zero on a logarithmic axis, is at the start."""
        if self.is_log:
            part = math.log(max(value, self.start) / self.start) / math.log(self.end / self.start)
        else:
            part = value / self.end
        return self.left + part * (self.right - self.left)

    def ticks(self) -> list[float]:
        """Round values, as many as can stand side by side."""
        if self.is_log:
            first, last = round(math.log10(self.start)), math.floor(math.log10(self.end))
            values = [10.0**power for power in range(first, last + 1)]
        else:
            tenth = 10.0 ** math.floor(math.log10(self.end) - 1)
            step = next(tenth * times for times in (2, 2.5, 5, 10, 20) if self.end / (tenth * times) <= 5)
            values = [step * times for times in range(math.floor(self.end / step) + 1)]
        return next(kept for stride in count(1) if self._has_room_for(kept := values[::stride]))

    def _has_room_for(self, ticks: Sequence[float]) -> bool:
        widths = {tick: _width(figure(tick), SMALL) for tick in ticks}
        return all(self.x(b) - self.x(a) >= (widths[a] + widths[b]) / 2 + GAP for a, b in pairwise(ticks))


def figure(value: float) -> str:
    """Three digits, or all before the point: 1,234,567 · 31.9 · 0.004."""
    decimals = 0 if value == 0 else max(0, 2 - math.floor(math.log10(value)))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def bar_chart(
    title: str,
    unit: str,
    bars: Sequence[Bar],
    *,
    goal: float | None = None,
    goal_label: str = "",
    is_log: bool = False,
) -> str:
    """An SVG: a bar for each figure, ours in colour, and a dashed line at the goal. The same input, the same bytes."""
    has_rounds = any(bar.has_rounds for bar in bars)
    notes = [unit, *["log scale"] * is_log, *["thin line: range of the rounds"] * has_rounds]
    head, below_head = _head(title, " · ".join(notes))
    aims = [] if goal is None else [(goal, goal_label or f"goal: {figure(goal)}")]
    aim_lines = [line for _, words in aims for line in _wrapped(words, WIDTH - 2 * PAD, TEXT)]

    labels = [_wrapped(bar.label, LABELS, TEXT, is_bold=bar.is_ours) for bar in bars]
    axis = _axis(bars, labels, [value for value, _ in aims], is_log=is_log)
    row = max(ROW, max(map(len, labels)) * TEXT * LINE + GAP)
    top = below_head + len(aim_lines) * TEXT * LINE + GAP / 2
    bottom = top + len(bars) * row
    goal_x = None if goal is None else axis.x(goal)
    drawn = [*head, *_ticks(axis, top, bottom)]
    drawn += [_bar(bar, axis, top + (i + 0.5) * row) for i, bar in enumerate(bars)]
    drawn += [] if goal_x is None else _goal(goal_x, aim_lines, below_head, bottom)
    drawn += [_words(bar, labels[i], axis, top + (i + 0.5) * row, goal_x) for i, bar in enumerate(bars)]
    height = math.ceil(bottom + SMALL * LINE + PAD)
    return _picture(title, _described(unit, bars, aims), "\n".join(drawn), height)


def _head(title: str, caption: str) -> tuple[list[str], float]:
    """The title and what is measured; and where they end."""
    names = _wrapped(title, WIDTH - 2 * PAD, TITLE, is_bold=True)
    captions = _wrapped(caption, WIDTH - 2 * PAD, TEXT)
    below = PAD + len(names) * TITLE * LINE
    drawn = [_text(names, PAD, PAD, TITLE, "title"), _text(captions, PAD, below, TEXT, "muted")]
    return drawn, below + len(captions) * TEXT * LINE + GAP


def _axis(bars: Sequence[Bar], labels: Sequence[Sequence[str]], aims: Sequence[float], *, is_log: bool) -> Axis:
    """Between the longest label and room for the longest figure."""
    left = PAD + GAP + max(_width(line, TEXT, is_bold=True) for lines in labels for line in lines)
    right = WIDTH - PAD - GAP - max(_width(figure(bar.value), TEXT, is_bold=True) for bar in bars)
    values = [value for bar in bars for value in bar.figures]
    return Axis.over([*values, *aims], left, right, is_log=is_log)


def _described(unit: str, bars: Sequence[Bar], aims: Sequence[tuple[float, str]]) -> str:
    """All figures in words, for who cannot see the picture."""
    said = [f"{bar.label}: {figure(bar.value)}{_rounds(bar)}" for bar in bars]
    said += [f"dashed line at {figure(value)} ({words})" for value, words in aims]
    return f"{unit}. {'; '.join(said)}."


def _rounds(bar: Bar) -> str:
    return f" (rounds from {figure(bar.span[0])} to {figure(bar.span[1])})" if bar.has_rounds else ""


def _picture(title: str, description: str, drawn: str, height: int) -> str:
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">
<title>{escape(title)}</title>
<desc>{escape(description)}</desc>
<style>{STYLE}</style>
<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>
{drawn}
</svg>
"""


def _ticks(axis: Axis, top: float, bottom: float) -> list[str]:
    lines = [_line("tick", axis.x(tick), top, bottom) for tick in axis.ticks()]
    words = [_text([figure(tick)], axis.x(tick), bottom + 4, SMALL, "muted", anchor="middle") for tick in axis.ticks()]
    return [*lines, *words]


def _bar(bar: Bar, axis: Axis, middle: float) -> str:
    y, width = middle - THICKNESS / 2, axis.x(bar.value) - axis.left
    kind = "bar ours" if bar.is_ours else "bar"
    drawn = f'<rect class="{kind}" x="{axis.left:.2f}" y="{y:.2f}" width="{width:.2f}" height="{THICKNESS}" rx="2"/>'
    if not bar.has_rounds:
        return drawn
    low, high = map(axis.x, bar.span)
    ends = " ".join(f"M{x:.2f} {middle - 4:.2f}v8" for x in (low, high))
    return f'{drawn}\n<path class="whisker" d="M{low:.2f} {middle:.2f}H{high:.2f} {ends}"/>'


def _goal(x: float, lines: Sequence[str], top: float, bottom: float) -> list[str]:
    """The line, and above it its words: in the middle of it, or as near as the picture's edge lets them be."""
    half = max(_width(line, TEXT) for line in lines) / 2
    middle = min(max(x, PAD + half), WIDTH - PAD - half)
    below = top + len(lines) * TEXT * LINE + 2
    return [_line("goal", x, below, bottom), _text(lines, middle, top, TEXT, "muted", anchor="middle")]


def _words(bar: Bar, lines: Sequence[str], axis: Axis, middle: float, goal: float | None) -> str:
    """Its label on the left, its figure behind the bar, the whisker and a line that would cross it."""
    ours = " ours" if bar.is_ours else ""
    y = middle - len(lines) * TEXT * LINE / 2
    label = _text(lines, axis.left - GAP, y, TEXT, f"label{ours}", anchor="end")
    end = axis.x(bar.span[1]) + GAP
    if goal is not None and end - GAP / 2 < goal < end + _width(figure(bar.value), TEXT, is_bold=True) + GAP / 2:
        end = goal + GAP
    return f"{label}\n" + _text([figure(bar.value)], end, middle - TEXT * LINE / 2, TEXT, f"figure{ours}")


def _line(kind: str, x: float, top: float, bottom: float) -> str:
    return f'<line class="{kind}" x1="{x:.2f}" x2="{x:.2f}" y1="{top:.2f}" y2="{bottom:.2f}"/>'


def _text(lines: Sequence[str], x: float, top: float, size: float, kind: str, *, anchor: str = "start") -> str:
    """Lines one below the other; letters stand on a line that is a whole size below their top."""
    how = f'class="{kind}" font-size="{size}" text-anchor="{anchor}" x="{x:.2f}"'
    return "\n".join(
        f'<text {how} y="{top + i * size * LINE + size:.2f}">{escape(line)}</text>' for i, line in enumerate(lines)
    )


def _wrapped(words: str, room: float, size: float, *, is_bold: bool = False) -> list[str]:
    """Lines that fit: a plus goes with the word behind it, and a word that is too long is cut."""
    lines = [""]
    for word in re.split(r"(?<!\+) ", " ".join(words.split())):
        longer = f"{lines[-1]} {word}".lstrip()
        if _width(longer, size, is_bold=is_bold) <= room:
            lines[-1] = longer
            continue
        lines += [""] if lines[-1] else []
        for letter in word:
            lines += [""] if _width(lines[-1] + letter, size, is_bold=is_bold) > room else []
            lines[-1] += letter
    return lines


def _width(text: str, size: float, *, is_bold: bool = False) -> float:
    """At most so many pixels, as nobody knows the reader's font: as in DejaVu Sans, which is wider than most."""
    return sum(map(_advance, text)) * size * (1.12 if is_bold else 1)


def _advance(letter: str) -> float:
    if letter in " .,:;'|!()[]/-fijlrtI":
        return 0.44
    if letter in "%@mMwW" or not letter.isascii():
        return 1.1
    return 0.64 if letter.islower() or letter.isdigit() else 0.84
