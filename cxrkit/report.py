"""Cards as Markdown, and the parts of README that are written from them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from cxrkit.card import Card, Metric, read_card
from cxrkit.errors import InputError
from cxrkit.speed import Measurement, Record, read_record

_PART = re.compile(r"(<!-- card:(?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_SPEED = re.compile(r"(<!-- bench -->\n).*?(<!-- end -->)", re.DOTALL)
_DIGITS = {"ms": 1, "s": 2, "times": 2, "MiB": 0, "bytes": 0}


def figure(metric: Metric) -> str:
    """A figure with its interval, three digits."""
    if metric.low is None or metric.high is None:
        return f"{metric.value:.3f}"
    return f"{metric.value:.3f} ({metric.low:.3f} to {metric.high:.3f})"


def markdown_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows of one set of keys as a Markdown table; "" for no row."""
    if not rows:
        return ""
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *([str(row.get(name, "")) for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def card_markdown(card: Card) -> str:
    """Everything measured that a card holds: figures with 95 % intervals, data, split, studies."""
    figures = [
        {
            "Figure": metric.name,
            "Value (95 % interval)": figure(metric),
            "Images": metric.cases,
            "Measured on": metric.part,
            "Note": metric.note,
        }
        for metric in card.metrics
    ]
    sources = "; ".join(f"{source.name}, {source.images:,} images, {source.terms}" for source in card.data)
    parts = [
        markdown_table(figures),
        f"Trained and measured on: {sources}. Split: {card.split}. {_chosen(card)}Started from: {card.initialisation}.",
    ]
    for title, rows in card.tables.items():
        parts += [f"**{title}**", markdown_table(rows)]
    return "\n\n".join(parts)


def _chosen(card: Card) -> str:
    """What was chosen on carved parts: thresholds, and an age's interval."""
    if card.interval is None:
        called = ", ".join(f"{label} from a score of {value:.3f}" for label, value in card.thresholds.items())
        return f"Called: {called}. "
    interval = (
        f"Interval: {card.interval['coverage']:.0%}, conformal, from {sum(card.interval['counts'])} carved cases. "
    )
    sex = card.thresholds.get("sex")
    return interval + ("" if sex is None else f"A stated sex is contradicted from a probability of {sex:.3f}. ")


def with_cards(readme: str, weights: Path) -> str:
    """README with every part between `<!-- card:NAME -->` and `<!-- end -->` written anew from weights/NAME/card.json.

    Raises:
        InputError: it has no such part.
        WeightsError: a card is missing or damaged.
    """
    if not _PART.search(readme):
        raise InputError("This text has no part that starts with <!-- card:NAME --> and ends with <!-- end -->.")

    def replaced(match: re.Match[str]) -> str:
        card = read_card(weights / match["name"] / "card.json")
        return f"{match[1]}{card_markdown(card)}\n{match[3]}"

    return _PART.sub(replaced, readme)


def amount(value: float, unit: str) -> str:
    """A measured value with its unit: "12.3 ms", "1.05 times"."""
    return f"{value:,.{_DIGITS[unit]}f} {unit}"


def speed_markdown(record: Record) -> str:
    """One run of the benchmarks: a table for each section, what makes it doubtful, the machine."""
    parts = [f"**Warning.** {warning}" for warning in record.warnings]
    for title, rows in record.sections.items():
        parts += [f"**{title}**", markdown_table(_filled([_speed_row(row) for row in rows]))]
    facts = "; ".join(f"{name}: {text}" for name, text in record.machine.items())
    return "\n\n".join([*parts, f"Measured in one run on: {facts}."])


def _speed_row(row: Measurement) -> dict[str, object]:
    met = "" if row.goal is None else "met" if row.value <= row.goal else "missed"
    return {
        "What": row.what,
        "Median": amount(row.value, row.unit),
        "95th percentile": "" if row.p95 is None else amount(row.p95, row.unit),
        "Runs": row.runs,
        "Goal": "" if row.goal is None else f"at most {amount(row.goal, row.unit)}: {met}",
        "Note": row.note,
    }


def _filled(rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Rows without the columns that are empty in all of them."""
    names = [name for name in rows[0] if any(row[name] != "" for row in rows)] if rows else []
    return [{name: row[name] for name in names} for row in rows]


def with_speed(readme: str, results: Path) -> str:
    """README with the part between `<!-- bench -->` and `<!-- end -->` written anew from the record of `make bench`.

    A text without that part comes back as it is, and so does any text while nothing has been measured.

    Raises:
        InputError: the record is damaged.
    """
    if not _SPEED.search(readme) or not results.is_file():
        return readme
    table = speed_markdown(read_record(results))
    return _SPEED.sub(lambda match: f"{match[1]}{table}\n{match[2]}", readme)
