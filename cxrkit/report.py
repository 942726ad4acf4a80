"""Cards as Markdown, and the parts of README that are written from them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from cxrkit.card import Card, Metric, read_card
from cxrkit.errors import InputError

_PART = re.compile(r"(<!-- card:(?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


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
    called = ", ".join(f"{label} from a score of {value:.3f}" for label, value in card.thresholds.items())
    parts = [
        markdown_table(figures),
        f"Trained and measured on: {sources}. Split: {card.split}. Called: {called}. "
        f"Started from: {card.initialisation}.",
    ]
    for title, rows in card.tables.items():
        parts += [f"**{title}**", markdown_table(rows)]
    return "\n\n".join(parts)


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
