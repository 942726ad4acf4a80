"""What was measured, beside the weights it was measured on."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxrkit.errors import WeightsError

if TYPE_CHECKING:
    from cxrkit.finding_support import LabelSupport

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
"""Folder with one folder of weights and card for each task; here, because reading a card needs no torch."""


@dataclass(frozen=True)
class Metric:
    """One figure with its 95 % interval.

    Attributes:
        name: "AUC", "sensitivity" ...
        part: the data and split that it was measured on, in words.
        value, low, high: the figure and its interval; low and high are None where no interval is defined.
        cases: number of images.
        note: how to read it; "" if the name says all.
    """

    name: str
    part: str
    value: float
    low: float | None
    high: float | None
    cases: int
    note: str = ""


@dataclass(frozen=True)
class Source:
    """A data set that weights were trained or measured on."""

    name: str
    reference: str
    terms: str
    images: int
    real: bool


@dataclass(frozen=True)
class Card:
    """The record of one set of weights; written by the evaluation, never by hand.

    Attributes:
        task: identifier of the task.
        labels: classes in the order of the outputs.
        model: settings that `Task.build_model` turns into the network.
        input_size, mean, std: as in the task at the time of training.
        sha256: of model.safetensors.
        precision: number format of the stored weights.
        thresholds: for each called class, the score from which it is called; of bone age, under "sex", the probability
            of the other sex from which a contradiction to the stated one is said.
        temperature: divides the logits before they become probabilities.
        initialisation: what the weights started from.
        data: sources, with terms.
        split: how train, carved and test parts were made.
        metrics: figures with intervals.
        settings: of the training run.
        commit: of the code that trained.
        preparation: coarse record of `prepare` on a fixed sample (see weights.preparation_record).
        limits: what the figures do not support, for the screen.
        tables: studies and curves, by title; each a list of rows.
        interval: fields of the age_interval.IntervalRule; None of other answers than ages.
        support: what each label rests on, in their order, where each is answered by itself; () of other tasks.
    """

    task: str
    labels: tuple[str, ...]
    model: Mapping[str, Any]
    input_size: int
    mean: float
    std: float
    sha256: str
    precision: str
    thresholds: Mapping[str, float]
    temperature: float
    initialisation: str
    data: tuple[Source, ...]
    split: str
    metrics: tuple[Metric, ...]
    settings: Mapping[str, Any]
    commit: str
    preparation: tuple[float, ...]
    limits: tuple[str, ...] = ()
    tables: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    interval: Mapping[str, Any] | None = None
    support: "tuple[LabelSupport, ...]" = ()

    def metric(self, name: str, part: str) -> Metric:
        """The figure of this name and part; KeyError if the card has none."""
        for metric in self.metrics:
            if (metric.name, metric.part) == (name, part):
                return metric
        raise KeyError((name, part))

    @property
    def identity(self) -> str:
        """SHA-256, hexadecimal, of all that decides an answer: the weights, and what is done with their logits.

        Two cards may have the same weights and other thresholds. Figures' lower ends count too, as some answers are
        given only where one is high enough (`cxrkit.task.Further`); the data, the words and the training do not.
        """
        answered = [
            (each.label, each.remark, None if each.calibration is None else asdict(each.calibration))
            for each in self.support
        ]
        deciding = {
            "sha256": self.sha256,
            "labels": self.labels,
            "model": self.model,
            "temperature": self.temperature,
            "thresholds": self.thresholds,
            "interval": self.interval,
            "support": answered,
            "lows": [(each.name, each.low) for each in self.metrics],
        }
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


_NUMBER = (int, float)
_TYPES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("task", "sha256", "precision", "initialisation", "split", "commit"), str),
    **dict.fromkeys(("model", "thresholds", "settings", "tables"), dict),
    "input_size": int,
    "interval": (dict, type(None)),
}
_METRIC_TYPES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("name", "part", "note"), str),
    **dict.fromkeys(("low", "high"), (*_NUMBER, type(None))),
    "value": _NUMBER,
    "cases": int,
}


def write_card(card: Card, path: Path) -> None:
    """Write a card as JSON."""
    path.write_text(json.dumps(asdict(card), indent=1) + "\n", encoding="utf-8")


def read_card(path: Path) -> Card:
    """Read a card.

    Raises:
        WeightsError: the file is missing, is not JSON, lacks a field, or holds another thing in it.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        raw["data"] = tuple(Source(**source) for source in raw["data"])
        raw["metrics"] = tuple(Metric(**metric) for metric in raw["metrics"])
        for name in ("labels", "preparation", "limits"):
            raw[name] = tuple(raw[name])
        raw["support"] = _support(raw.get("support", ()))
        card = Card(**raw)
        _check_types(card)
    except FileNotFoundError:
        raise WeightsError("The weights' card (card.json) is missing.") from None
    except (ValueError, OverflowError, RecursionError, KeyError, TypeError, AttributeError):
        # ValueError: neither UTF-8 nor JSON.
        raise WeightsError(
            "The weights' card (card.json) is damaged: it lacks fields that every card has, or they hold other things."
        ) from None
    return card


def _support(raw: Sequence[Mapping[str, Any]]) -> "tuple[LabelSupport, ...]":
    if not raw:
        return ()
    from cxrkit.finding_support import LabelSupport

    return tuple(LabelSupport.from_card(each) for each in raw)


def _check_types(card: Card) -> None:
    """Raise TypeError where a field holds something else than it should, OverflowError where a number is absurd."""
    for record, types in ((card, _TYPES), *((each, _METRIC_TYPES) for each in card.metrics)):
        for name, kinds in types.items():
            if not isinstance(getattr(record, name), kinds):
                raise TypeError(name)
    for source in card.data:
        if not isinstance(source.name, str) or not isinstance(source.images, int):
            raise TypeError("data")
    if not all(isinstance(text, str) for text in (*card.labels, *card.limits)):
        raise TypeError("labels")
    if card.support and tuple(each.label for each in card.support) != card.labels:
        raise TypeError("support")
    if card.interval is not None:
        from cxrkit.age_interval import IntervalRule

        IntervalRule.from_card(card.interval)
    numbers = (card.mean, card.std, card.temperature, *card.preparation, *card.thresholds.values())
    if not all(math.isfinite(number) for number in numbers):
        raise TypeError("numbers")
