"""How good a bone age network is: what the carved parts choose, and all figures on the part that reports."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from cxrkit.age_figures import AGE_EDGES, age_groups
from cxrkit.age_interval import COVERED_UNSTATED, IntervalRule, fit_interval, interval_coverage
from cxrkit.bone_age import CLASS_AGES, SEXES, STEP, age_spread, expected_age
from cxrkit.card import Metric
from cxrkit.metrics import (
    Interval,
    bland_altman,
    bootstrap_interval,
    fit_temperature,
    mean_absolute_difference,
    wilson_interval,
)
from cxrkit.pixels import Gray
from train.bone_age.answers import Answers, answers, together
from train.bone_age.images import Alteration, Material
from train.studies import Row, words

SMALL, LARGE = "part that reports, 100-pixel images", "part that reports, larger images"


def kind_of(part: str) -> str:
    """ "larger images" of LARGE."""
    return part.split(", ")[1]


COVERAGE = 0.9

CONTRADICTED = 0.01
"""Share of the carved hands whose sex, stated right, is contradicted at the confidence that is chosen."""

SURE = 0.9
"""Least probability of the other sex from which a contradiction is said: who hardly tells them apart keeps still."""

_LEAST = 2
"""Hands of which a group's figures are told."""


@dataclass(frozen=True)
class Point:
    """What the carved parts chose.

    Attributes:
        temperature: divides the ages' logits.
        rule: of the interval.
        contradiction: probability of the other sex from which a contradiction to the stated one is said; None where
            the network does not read the sex.
    """

    temperature: float
    rule: IntervalRule
    contradiction: float | None


def answers_of(model: nn.Module, material: Material, part: str, size: int) -> dict[str, Answers]:
    """Answers to a part's images by kind, of kinds that are there.

    Args:
        model: in eval mode.
        material: the data.
        part: name in Parts.
        size: side of the input.
    """
    hands = getattr(material.parts, part)
    kinds = {SMALL: material.small(hands, size), LARGE: material.large(hands, size)}
    return {name: answers(model, shown, material.task) for name, shown in kinds.items() if shown.hands}


def choose_point(model: nn.Module, material: Material, size: int) -> Point:
    """Temperature and confidence from the part that chooses, the interval's rule from the one that is kept for it.

    A hand with two images counts once in the rule, as its larger one, which is what an upload is like.
    """
    chosen = _joined(answers_of(model, material, "choice", size))
    temperature = _temperature(chosen)
    hands = material.parts.interval
    only_small = [hand for hand in hands if hand.large is None]
    kinds = [material.small(only_small, size), material.large(hands, size)]
    kept = _joined({str(n): answers(model, shown, material.task) for n, shown in enumerate(kinds) if shown.hands})
    kept = replace(kept, temperature=temperature)
    rule = fit_interval(kept.months, kept.expected, kept.spread, COVERAGE)
    return Point(temperature, rule, _contradiction(chosen) if chosen.reads_sex else None)


def reported_answers(model: nn.Module, material: Material, size: int) -> dict[str, Answers]:
    """As answers_of the part that reports, with the temperature that the part that chooses gives this network."""
    temperature = _temperature(_joined(answers_of(model, material, "choice", size)))
    found = answers_of(model, material, "reporting", size)
    return {part: replace(one, temperature=temperature) for part, one in found.items()}


def _temperature(chosen: Answers) -> float:
    nearest = np.clip(np.floor(chosen.months / STEP + 0.5), 0, CLASS_AGES.size - 1).astype(np.int64)
    return fit_temperature(chosen.ages[np.arange(len(chosen.sex)), chosen.sex], nearest)


def _joined(found: Mapping[str, Answers]) -> Answers:
    first, *rest = found.values()
    for other in rest:
        first = together(first, other)
    return first


def _contradiction(chosen: Answers) -> float:
    other = chosen.of_sex[np.arange(len(chosen.sex)), 1 - chosen.sex]
    return max(SURE, float(np.quantile(other, 1 - CONTRADICTED, method="higher")))


def measure(found: Answers, point: Point, part: str) -> list[Metric]:
    """All figures of one kind of images.

    Args:
        found: answers to the part that reports.
        point: what was chosen.
        part: in words.
    """
    found = replace(found, temperature=point.temperature)
    count = len(found.months)
    bias = bland_altman(found.expected, found.months).bias
    low, high = point.rule.ends(found.expected, found.spread)
    covered = interval_coverage(found.months, low, high)
    width = bootstrap_interval(lambda values: float(np.mean(values)), high - low)
    metrics = [
        *_distances(found, part),
        _metric("bias, months", part, bias, count, "by expectation; above 0 where ages are read too high"),
        _metric(f"coverage of the {COVERAGE:.0%} interval", part, covered, count, "conformal, fitted on a carved part"),
        _metric(f"mean width of the {COVERAGE:.0%} interval, months", part, width, count),
    ]
    return [*metrics, *_sex(found, point, part)] if found.reads_sex else metrics


def _distances(found: Answers, part: str) -> list[Metric]:
    count = len(found.months)
    ways = (("expectation", found.expected), ("arg-max", found.likeliest))
    return [
        _metric(f"MAD by {way}, months", part, mean_absolute_difference(ages, found.months), count)
        for way, ages in ways
    ]


def _sex(found: Answers, point: Point, part: str) -> list[Metric]:
    """How well the sex is read, what it costs not to state it, and how often a stated one is contradicted."""
    count, rows = len(found.months), np.arange(len(found.months))
    other = found.of_sex[rows, 1 - found.sex]
    limit = 1.0 if point.contradiction is None else point.contradiction
    unstated = expected_age(found.unstated)
    held = interval_coverage(found.months, *point.rule.ends(unstated, age_spread(found.unstated)))
    wrong = expected_age(replace(found, sex=1 - found.sex).given)
    at = f"said from a probability of the other sex of {limit:.3f}"
    return [
        _metric("sex read right", part, wilson_interval(int((other < 0.5).sum()), count), count),
        _metric(
            "MAD by expectation, sex not stated, months", part, mean_absolute_difference(unstated, found.months), count
        ),
        _metric(COVERED_UNSTATED, part, held, count, "the rule was fitted with the sex stated"),
        _metric(
            "MAD by expectation, wrong sex stated, months", part, mean_absolute_difference(wrong, found.months), count
        ),
        _metric("right sex contradicted", part, wilson_interval(int((other >= limit).sum()), count), count, at),
        _metric("wrong sex contradicted", part, wilson_interval(int((1 - other >= limit).sum()), count), count, at),
    ]


def groups_table(found: Mapping[str, Answers], point: Point) -> list[Row]:
    """One row for each sex and age group and kind of images; groups of fewer than two hands are left out."""
    rows = []
    for part, one in found.items():
        told = replace(one, temperature=point.temperature)
        for name, members in _groups(told):
            if members.sum() < _LEAST:
                continue
            group = told.chosen(members)
            covered = interval_coverage(group.months, *point.rule.ends(group.expected, group.spread))
            rows.append(
                {
                    "images": part,
                    "group": name,
                    "hands": int(members.sum()),
                    "MAD by expectation, months": words(mean_absolute_difference(group.expected, group.months), 2),
                    "MAD by arg-max, months": words(mean_absolute_difference(group.likeliest, group.months), 2),
                    "bias, months": words(bland_altman(group.expected, group.months).bias, 2),
                    f"coverage of the {COVERAGE:.0%} interval": words(covered),
                }
            )
    return rows


def _groups(found: Answers) -> list[tuple[str, NDArray[np.bool_]]]:
    names = {"F": "girls", "M": "boys"}
    sexes = [(names[sex], found.sex == index) for index, sex in enumerate(SEXES)]
    group = np.searchsorted(AGE_EDGES, found.months, side="right")
    return [*sexes, *((name, group == index) for index, name in enumerate(age_groups()))]


def alterations() -> tuple[Alteration, ...]:
    """What an upload may be like and the answer should not mind."""
    return (
        Alteration("mirrored", lambda gray: np.ascontiguousarray(gray[:, ::-1])),
        Alteration("turned by 90 degrees", lambda gray: np.ascontiguousarray(np.rot90(gray))),
        Alteration("turned by 180 degrees", lambda gray: np.ascontiguousarray(np.rot90(gray, 2))),
        Alteration("turned by 270 degrees", lambda gray: np.ascontiguousarray(np.rot90(gray, 3))),
        Alteration("inverted", lambda gray: np.float32(1) - gray),
        Alteration("low contrast", _faint),
    )


def _faint(gray: Gray) -> Gray:
    """A fifth of the gray range, in steps of 8 bits."""
    return (np.round((0.4 + 0.2 * gray) * 255) / 255).astype(np.float32)


def robustness(model: nn.Module, material: Material, point: Point, size: int, plain: Answers) -> list[Metric]:
    """MAD on altered larger images of the part that reports, and how far the answer moves.

    Args:
        model: in eval mode.
        material: the data.
        point: what was chosen.
        size: side of the input.
        plain: answers to the same images as they are.
    """
    metrics = []
    before = replace(plain, temperature=point.temperature).expected
    for altered in alterations():
        found = answers(model, material.altered(material.parts.reporting, size, altered), material.task)
        after = replace(found, temperature=point.temperature).expected
        part, count = f"{LARGE}, {altered.name}", len(after)
        moved = mean_absolute_difference(after, before)
        metrics += [
            _metric("MAD by expectation, months", part, mean_absolute_difference(after, found.months), count),
            _metric("difference to the image as it is, months", part, moved, count, "mean of absolute differences"),
        ]
    return metrics


def paired_difference(errors: ArrayLike, reference: ArrayLike) -> Interval:
    """Mean of one network's absolute errors less that of another on the same cases, by a paired bootstrap.

    Args:
        errors, reference: [N] absolute errors in months.
    """
    return bootstrap_interval(lambda row: float(np.mean(row)), np.asarray(errors) - np.asarray(reference))


def _metric(name: str, part: str, interval: Interval, cases: int, note: str = "") -> Metric:
    return Metric(name, part, interval.value, interval.low, interval.high, cases, note)
