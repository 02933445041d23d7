"""What suites find, and the page that tells of it."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.charts import Bar, bar_chart

ROUNDS = 5


class Row(NamedTuple):
    """A line of the table; `is_held` is whether the goal is, where there is one."""

    what: str
    figure: str
    goal: str = "-"
    is_held: bool | None = None

    @property
    def markdown(self) -> str:
        """The line."""
        held = {True: "yes", False: "**no**", None: ""}[self.is_held]
        return f"| {self.what} | {self.figure} | {self.goal} | {held} |"


class Chart(NamedTuple):
    """What `bar_chart` draws."""

    title: str
    unit: str
    bars: Sequence[Bar]
    goal: float | None = None
    goal_label: str = ""
    is_log: bool = False

    @property
    def svg(self) -> str:
        """The picture."""
        return bar_chart(
            self.title, self.unit, self.bars, goal=self.goal, goal_label=self.goal_label, is_log=self.is_log
        )


@dataclass(frozen=True)
class Group:
    """What a suite found."""

    rows: Sequence[Row]
    chart: Chart

    def markdown(self, name: str) -> str:
        """Its section of the page."""
        lines = [f"## {name}", "", f"![{self.chart.title}](charts/{name.replace(' ', '-')}.svg)", ""]
        lines += ["| what | figure | goal | held |", "| --- | --- | --- | --- |", *(row.markdown for row in self.rows)]
        return "\n".join(lines)


@dataclass(frozen=True)
class Rounds:
    """One figure of each round."""

    each: Sequence[float]

    @property
    def median(self) -> float:
        """What is told."""
        return statistics.median(self.each)

    def over(self, other: "Rounds") -> float:
        """How many times as much as the other: the median of the rounds' own ratios, for machines drift."""
        return statistics.median(ours / theirs for ours, theirs in zip(self.each, other.each, strict=True))

    def bar(self, label: str, *, is_ours: bool = False) -> Bar:
        """The figure as a bar, with its slowest and fastest round."""
        return Bar(label, self.median, is_ours, min(self.each), max(self.each))


def percentile(seconds: Sequence[float], share: float) -> float:
    """The time that such a share of them did not exceed."""
    ordered = sorted(seconds) or [float("nan")]
    return ordered[int(share * (len(ordered) - 1))]


def milliseconds(p50: float, p99: float) -> str:
    """A median and a 99th percentile, given in seconds."""
    return f"{1000 * p50:.1f} and {1000 * p99:.1f} ms"
