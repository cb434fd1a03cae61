"""The lines of the benchmarks' tables: what was measured, beside what, and whether the aim holds."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

HEAD = ("measure", "ours", "obvious program", "ratio", "aim", "holds")


@dataclass(frozen=True)
class Line:
    """One measurement. `ratio` is ours to the other's; the aim, where there is one, is what `value` may be at most."""

    measure: str
    ours: str
    other: str = ""
    ratio: float | None = None
    aim: str = ""
    value: float | None = None
    most: float | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        holds = "" if self.most is None or self.value is None else "yes" if self.value <= self.most else "NO"
        return self.measure, self.ours, self.other, "" if self.ratio is None else times(self.ratio), self.aim, holds


def compared(measure: str, ours: Sequence[float], other: Sequence[float], most: float | None, aim: str = "") -> Line:
    """Two medians in seconds, and how they stand to each other; `most` is the most the ratio may be."""
    ratio = statistics.median(ours) / statistics.median(other)
    return Line(measure, spread(ours), spread(other), ratio, aim, ratio, most)


def within(measure: str, ours: Sequence[float], seconds: float) -> Line:
    """A median that may be so long at most."""
    return Line(measure, spread(ours), aim=f"≤ {duration(seconds)}", value=statistics.median(ours), most=seconds)


def table(lines: Sequence[Line]) -> str:
    """A Markdown table, its columns aligned for reading as it is."""
    rows = [HEAD, *(line.cells for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join((texts[0], rule, *texts[1:]))


def spread(seconds: Sequence[float]) -> str:
    """The median, and from the least to the most when there are several."""
    middle = duration(statistics.median(seconds))
    return middle if len(seconds) == 1 else f"{middle} ({duration(min(seconds))}–{duration(max(seconds))})"


def duration(seconds: float) -> str:
    """Three digits that count, in µs, ms or s."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size * 0.9995:
            return f"{seconds / size:.3g} {unit}" if seconds / size < 1000 else f"{seconds / size:.0f} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def megabytes(size: float) -> str:
    return f"{size / 1e6:.0f} MB" if size >= 1e7 else f"{size / 1e6:.1f} MB"


def times(ratio: float) -> str:
    """A ratio as people say it: 1.31 ×, or 1/240 when it is small."""
    return f"1/{1 / ratio:.0f}" if 0 < ratio <= 0.1 else f"{ratio:.2f} ×"
