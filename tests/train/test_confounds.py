"""Borders that give a class away are told; borders that do not are not."""

from dataclasses import replace

import numpy as np

from cxrkit.cases import Case
from tests.train.image_sets import chest
from train.audit_split.confounds import LEAST, questions, tell, told_from_borders, told_outside_lungs
from train.audit_split.sets import Entry, Pictures
from train.border_baseline import border_features, outside_features

COUNT = 60
LUNGS = (8, 12, 72, 60)
"""Box round the drawn lungs, in pixels of 80 by 80."""


def pictures(rows: list[dict[str, str]], bright: list[bool]) -> Pictures:
    images = [chest(seed, 80, 80) for seed in range(len(rows))]
    for image, whether in zip(images, bright, strict=True):
        if whether:
            image[:8] = 0.9
    entries = [
        Entry(row.get("set", "a"), f"{i}.png", i, Case((f"{i}.png",), "", row=row)) for i, row in enumerate(rows)
    ]
    borders = np.stack([border_features(image) for image in images])
    outside = tuple(outside_features(image, LUNGS) for image in images)
    smalls = np.zeros((len(rows), 64, 64), np.uint8)
    return Pictures(tuple(entries), smalls, borders, outside, tuple("x" * len(rows)), {})


def test_a_border_that_goes_with_the_class_is_told() -> None:
    rows = [{"target": str(index % 2)} for index in range(COUNT)]
    (told,) = told_from_borders(pictures(rows, [index % 2 == 1 for index in range(COUNT)]), np.arange(COUNT))
    assert told.question.words == "target: 1 against 0"
    assert (told.positive, told.negative) == (COUNT // 2, COUNT // 2)
    assert told.auc.value > 0.95


def test_a_border_that_goes_with_nothing_is_not_told() -> None:
    rows = [{"target": str(index % 2)} for index in range(2 * COUNT)]
    random = np.random.default_rng(0)
    (told,) = told_from_borders(pictures(rows, list(random.random(2 * COUNT) < 0.5)), np.arange(2 * COUNT))
    assert told.auc.low < 0.5 < told.auc.high


def test_a_mark_outside_the_lungs_is_told_and_a_lesion_inside_is_not() -> None:
    rows = [{"target": str(index % 2)} for index in range(2 * COUNT)]
    (told,) = told_outside_lungs(pictures(rows, [index % 2 == 1 for index in range(2 * COUNT)]), np.arange(2 * COUNT))
    assert told.auc.value > 0.95
    plain = pictures(rows, [False] * (2 * COUNT))
    outside = []
    for index in range(2 * COUNT):
        image = chest(index, 80, 80)
        image[30:50, 16:30] += 0.5 * (index % 2)
        outside.append(outside_features(image, LUNGS))
    (told,) = told_outside_lungs(replace(plain, outside=tuple(outside)), np.arange(2 * COUNT))
    assert told.auc.low < 0.5 < told.auc.high


def test_images_without_lungs_are_asked_nothing_about_them() -> None:
    rows = [{"target": str(index % 2), "set": "chests"} for index in range(COUNT)]
    hands = [{"target": str(index % 2), "set": "hands"} for index in range(COUNT)]
    drawn = pictures([*rows, *hands], [False] * (2 * COUNT))
    few = tuple(known if index < COUNT else None for index, known in enumerate(drawn.outside))
    told = list(told_outside_lungs(replace(drawn, outside=few), np.arange(2 * COUNT)))
    assert [one.question.sets for one in told] == ["chests"]
    assert not list(told_outside_lungs(replace(drawn, outside=(None,) * (2 * COUNT)), np.arange(2 * COUNT)))


def test_lungs_that_fill_the_image_leave_nothing_outside() -> None:
    assert outside_features(chest(0, 80, 80), (0, 0, 80, 79)) is None
    left = outside_features(chest(0, 80, 80), LUNGS)
    assert left is not None
    assert left.shape == (16 * 16 + 32,)


def test_folds_do_not_tear_groups() -> None:
    """Twins with the same border and class would be recognised across folds; by group they cannot be."""
    random = np.random.default_rng(0)
    once = random.standard_normal((100, 96)).astype(np.float32)
    target = np.repeat(random.integers(0, 2, 100), 2)
    borders = np.repeat(once, 2, axis=0)
    apart = tell(borders, target, np.arange(200))
    together = tell(borders, target, np.repeat(np.arange(100), 2))
    assert apart is not None
    assert together is not None
    assert apart.value > 0.8
    assert together.value < 0.6


def test_too_few_images_give_no_figure() -> None:
    borders = np.zeros((2 * LEAST, 96), np.float32)
    target = np.repeat(np.array([0, 1]), LEAST)
    assert tell(borders[1:], target[1:], np.arange(2 * LEAST - 1)) is None
    assert tell(borders, target, target) is None, "one group a class cannot be divided"


def test_questions_follow_the_tables() -> None:
    ages = [{"set": "b", "age_months": str(index), "file": "x"} for index in range(12)]
    rows = [
        {"target": "0", "family": "x", "split": "train"},
        {"target": "1", "family": "y", "split": "test"},
        {"target": "1", "family": "z", "split": "val"},
        {"findings": "Edema|Mass"},
        {"findings": "Edema"},
        {"findings": "No Finding"},
        *ages,
    ]
    asked = {
        (q.sets, q.kind, q.words): (q.positive.tolist(), q.negative.tolist())
        for q in questions(pictures(rows, [False] * len(rows)).entries)
    }
    assert asked["a", "class", "target: 1 against 0"] == ([1, 2], [0])
    assert asked["a", "source", "family: z against x"] == ([2], [0])
    assert asked["a", "class", "findings: Edema against the rest"] == ([3, 4], [5])
    assert asked["a", "class", "findings: Mass against the rest"] == ([3], [4, 5])
    assert asked["a", "part", "training against the rest"] == ([0], [1, 2])
    assert asked["b", "class", "age_months: 5.5 and above"] == (list(range(12, 18)), list(range(6, 12)))
    assert asked["a, b", "set", "a against b"][0] == list(range(6))


def test_division_is_the_same_every_time() -> None:
    rows = [{"target": str(index % 2)} for index in range(COUNT)]
    drawn = pictures(rows, [index % 3 == 0 for index in range(COUNT)])
    target = np.arange(COUNT) % 2
    assert tell(drawn.borders, target, np.arange(COUNT)) == tell(drawn.borders, target, np.arange(COUNT))
