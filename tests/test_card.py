"""What makes two cards of the same weights answer alike."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cxrkit.card import Card, Metric, read_card, write_card
from cxrkit.finding_labels import several_labels
from cxrkit.finding_support import Calibration
from cxrkit.task import Task
from cxrkit.tasks import TASKS, find_task
from tests.models_for_tests import small_card


def findings() -> Card:
    """Of a task whose labels are answered each by itself."""
    (task,) = [task for task in TASKS if several_labels(task)]
    return small_card(task)


def first_support(card: Card, **fields: Any) -> Card:
    return replace(card, support=(replace(card.support[0], **fields), *card.support[1:]))


def test_whatever_decides_an_answer_makes_another_card() -> None:
    card, age = findings(), small_card(find_task("bone_age"))
    assert age.interval is not None
    figure = Metric("AUC of direction", "test", 0.7, 0.6, 0.8, 90)
    others = [
        replace(card, sha256="1" * 64),
        replace(card, temperature=1.5),
        replace(card, thresholds=dict(card.thresholds) | {card.labels[0]: 0.123}),
        replace(card, model=dict(card.model) | {"more": 1}),
        replace(card, labels=card.labels[::-1]),
        replace(card, metrics=(figure,)),
        replace(card, metrics=(replace(figure, low=0.4),)),
        first_support(card, remark="too few training cases"),
        first_support(card, calibration=None),
        first_support(card, calibration=Calibration(0.6, 0.1, (0.04, 0.01, 0.09))),
        age,
        replace(age, interval=dict(age.interval) | {"coverage": 0.8}),
    ]
    assert len({each.identity for each in (card, *others)}) == 1 + len(others)


def test_words_and_records_make_none() -> None:
    card = findings()
    same = [
        replace(card, limits=("Other words.",), commit="2" * 40, data=(), settings={"epochs": 3}, tables={"a": []}),
        first_support(card, positives=1, tested=2, auc=0.5, low=0.4, high=0.6),
        replace(card, thresholds=dict(reversed(card.thresholds.items()))),
    ]
    assert {each.identity for each in same} == {card.identity}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_card_is_the_same_when_it_is_read_again(task: Task, tmp_path: Path) -> None:
    card = small_card(task)
    write_card(card, tmp_path / "card.json")
    assert read_card(tmp_path / "card.json").identity == card.identity
