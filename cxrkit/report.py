"""Cards, claims and speed as tables, which README and the models page both show, and README written from them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrkit.card import Card, Metric, read_card
from cxrkit.errors import InputError
from cxrkit.reproduction import SYSTEMS, Claim, System
from cxrkit.speed import Measurement, Record, read_record

_PART = re.compile(r"(<!-- card:(?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_REPRODUCTION = re.compile(r"(<!-- reproduction -->\n).*?(<!-- end -->)", re.DOTALL)
_SPEED = re.compile(r"(<!-- bench -->\n).*?(<!-- end -->)", re.DOTALL)
_DIGITS = {"ms": 1, "s": 2, "times": 2, "MiB": 0, "bytes": 0, "cases/s": 1}

NOT_MEASURED = "not measured yet"

Rows = list[dict[str, str]]
"""Of a table: all rows have the columns of the first."""


@dataclass(frozen=True)
class Section:
    """A table with what belongs to it, as README and the models page show it.

    Attributes:
        rows: of the table.
        title: above it; "" where the place says it.
        remark: behind the title, in brackets.
        note: Markdown below it.
    """

    rows: Rows
    title: str = ""
    remark: str = ""
    note: str = ""

    @property
    def heading(self) -> str:
        """Title and remark as Markdown; "" without a title."""
        return f"**{self.title}** {self.remark}".rstrip() if self.title else ""


def figure(metric: Metric) -> str:
    """A figure with its interval, three digits."""
    if metric.low is None or metric.high is None:
        return f"{metric.value:.3f}"
    return f"{metric.value:.3f} ({metric.low:.3f} to {metric.high:.3f})"


def as_text(rows: Sequence[Mapping[str, object]]) -> Rows:
    """Rows with the first one's columns and text alone; what a row lacks is ""."""
    return [{name: str(row.get(name, "")) for name in rows[0]} for row in rows]


def markdown_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows of one set of keys as a Markdown table; "" for no row."""
    if not rows:
        return ""
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *(list(row.values()) for row in as_text(rows))]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def sections_markdown(sections: Sequence[Section]) -> str:
    """Sections one below the other; a table without rows is "None."."""
    parts = [(one.heading, markdown_table(one.rows) or "None.", one.note) for one in sections]
    return "\n\n".join(text for part in parts for text in part if text)


def card_sections(card: Card) -> list[Section]:
    """Figures with 95 % intervals, and below them what they were measured with; then every study."""
    studies = [Section(as_text(rows), title) for title, rows in card.tables.items()]
    return [Section(metric_rows(card), note=facts(card)), *studies]


def card_markdown(card: Card) -> str:
    """Everything measured that a card holds: figures with 95 % intervals, data, split, studies."""
    return sections_markdown(card_sections(card))


def metric_rows(card: Card) -> Rows:
    """A row for each of a card's figures."""
    return [
        {
            "Figure": metric.name,
            "Value (95 % interval)": figure(metric),
            "Cases": f"{metric.cases:,}",
            "Measured on": metric.part,
            "Note": metric.note,
        }
        for metric in card.metrics
    ]


def facts(card: Card) -> str:
    """Data, split, what was chosen, and what training started from, in sentences."""
    sources = "; ".join(f"{source.name}, {source.images:,} images, {source.terms}" for source in card.data)
    split = card.split.rstrip(".")
    return f"Trained and measured on: {sources}. Split: {split}. {chosen(card)}Started from: {card.initialisation}."


def chosen(card: Card) -> str:
    """From where answers are called, and an age's interval."""
    from cxrkit.scan_reading import FROM, TO  # brings OpenCV, which the rest has no need of

    if card.interval is None:
        band = [card.thresholds[end] for end in (FROM, TO) if end in card.thresholds]
        called = ", ".join(
            f"{label} from a score of {value:.3f}"
            for label, value in card.thresholds.items()
            if label not in (FROM, TO)
        )
        neither = f"; nothing between {band[0]:.3f} and {band[1]:.3f}" if len(band) == 2 else ""
        return f"Called: {called}{neither}. "
    interval = (
        f"Interval: {100 * card.interval['coverage']:.0f} %, conformal, from {sum(card.interval['counts']):,} carved "
        "cases. "
    )
    sex = card.thresholds.get("sex")
    return interval + ("" if sex is None else f"A stated sex is contradicted from a probability of {sex:.3f}. ")


def reproduction_sections(cards: Mapping[str, Card]) -> list[Section]:
    """A table for each of the five systems: what its source claims, what we reach, and an honest figure beside both.

    Args:
        cards: of the weights that there are, by task; a figure that no card has is NOT_MEASURED.
    """
    return [reproduction(system, cards.get(system.task)) for system in SYSTEMS]


def reproduction(system: System, card: Card | None) -> Section:
    """One system's table; below it how to read it, and where the source contradicts itself."""
    opens = "\n".join(f"- {text}" for text in system.contradictions)
    return Section(
        [_claim_row(claim, card) for claim in system.claims],
        system.title,
        f"({system.reference})",
        f"{system.beside}\n\nWhere the source contradicts itself or leaves something open:\n\n{opens}",
    )


def _claim_row(claim: Claim, card: Card | None) -> dict[str, str]:
    match None if claim.ours is None or card is None else claim.ours.look_up(card):
        case None:
            ours, part = NOT_MEASURED, ""
        case Metric() as metric:
            ours, part = figure(metric), f"{metric.part} (n = {metric.cases:,})"
        case text, study:
            ours, part = text, study
    return {
        "Figure": claim.what,
        "The source claims": claim.claimed,
        "Ours (95 % interval)": ours,
        "Ours was measured on": part,
        "Honest anchor": claim.anchor,
    }


def with_cards(readme: str, weights: Path) -> str:
    """README with every part between `<!-- card:NAME -->` and `<!-- end -->` written anew from weights/NAME/card.json,
    and the one between `<!-- reproduction -->` and `<!-- end -->`, where there is one, from all cards.

    Raises:
        InputError: it has no such part.
        WeightsError: a card is missing or damaged.
    """
    if not _PART.search(readme):
        raise InputError("This text has no part that starts with <!-- card:NAME --> and ends with <!-- end -->.")

    def replaced(match: re.Match[str]) -> str:
        card = read_card(weights / match["name"] / "card.json")
        return f"{match[1]}{card_markdown(card)}\n{match[3]}"

    text = _PART.sub(replaced, readme)
    if not _REPRODUCTION.search(text):
        return text
    table = sections_markdown(reproduction_sections(shipped_cards(weights)))
    return _REPRODUCTION.sub(lambda match: f"{match[1]}{table}\n{match[2]}", text)


def shipped_cards(weights: Path) -> dict[str, Card]:
    """Cards of the five systems' weights that there are, by task.

    Raises:
        WeightsError: a card is damaged.
    """
    files = {system.task: weights / system.task / "card.json" for system in SYSTEMS}
    return {task: read_card(file) for task, file in files.items() if file.is_file()}


def amount(value: float, unit: str) -> str:
    """A measured value with its unit: "12.3 ms", "1.05 times"."""
    return f"{value:,.{_DIGITS[unit]}f} {unit}"


def speed_markdown(record: Record) -> str:
    """One run of the benchmarks: a table for each section, what makes it doubtful, the machine."""
    return "\n\n".join([*doubts(record), sections_markdown(speed_sections(record)), machine(record)])


def speed_sections(record: Record) -> list[Section]:
    """A table for each section of a run."""
    return [Section(_filled([_speed_row(row) for row in rows]), title) for title, rows in record.sections.items()]


def doubts(record: Record) -> list[str]:
    """What makes a run doubtful, as Markdown."""
    return [f"**Warning.** {warning}" for warning in record.warnings]


def machine(record: Record) -> str:
    """What a run was measured on, in a sentence."""
    return f"Measured side by side on: {'; '.join(f'{name}: {text}' for name, text in record.machine.items())}."


def _speed_row(row: Measurement) -> dict[str, str]:
    return {
        "What": row.what,
        "Median": amount(row.value, row.unit),
        "95th percentile": "" if row.p95 is None else amount(row.p95, row.unit),
        "Runs": str(row.runs),
        "Goal": _goal(row),
        "Note": row.note,
    }


def _goal(row: Measurement) -> str:
    if row.goal is None:
        return ""
    bound = "at least" if row.at_least else "at most"
    return f"{bound} {amount(row.goal, row.unit)}: {'met' if row.met else 'missed'}"


def _filled(rows: Rows) -> Rows:
    """Rows without the columns that are empty in all of them."""
    names = [name for name in rows[0] if any(row[name] for row in rows)] if rows else []
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
