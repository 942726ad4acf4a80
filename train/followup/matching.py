"""How well the anatomy of two images matches: real pairs of one patient, and pairs that must not be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrkit.card import Metric
from cxrkit.cases import Case, read_manifest
from cxrkit.phantoms import random_chest, simulate_chest
from cxrkit.report import figure
from cxrkit.task import ModelInput
from cxrkit.tasks.chest import prepare_chest
from train.followup.answers import Pair
from train.followup.by_patient import auc_metric, mean_metric
from train.followup.held import Held, Known, Load, Views, some

MATCHING_TABLE = "Matching of two images, by stage"
"""The page reads its columns stage, low and high."""

SAME = "real pairs of one patient"
ANOTHER = "another patient's radiograph of the same set at follow-up"
LATERAL = "simulated lateral view at follow-up"
_FIRST_LATERAL = 600_000
"""Seed; far from the samples and from what trains."""

_CHEST = "Chest"
_DECIMALS = 4


@dataclass(frozen=True, eq=False)
class Matched:
    """N pairs as the matching modules see them.

    Attributes:
        patients: [N] of the baseline.
        scores: [N, stages] cosine of K and Q.
    """

    patients: NDArray[np.str_]
    scores: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Other:
    """Radiographs that are no frontal chest.

    Attributes:
        name: in words.
        cases: of one image each.
        root: of their files.
    """

    name: str
    cases: tuple[Case, ...]
    root: Path


def read_other(folder: Path, most: int) -> Other:
    """Radiographs of a folder with labels.csv, chests left out.

    Args:
        folder: with labels.csv: file, or file_512 where some rows have it; and where given body_part.
        most: where there are more, so many of them, drawn with a fixed seed.

    Raises:
        ManifestError: as `cxrkit.cases.read_manifest`.
    """
    header = (folder / "labels.csv").read_text(encoding="utf-8").partition("\n")[0].strip().split(",")
    column = "file_512" if "file_512" in header else "file"
    found = read_manifest(folder / "labels.csv", file_columns=(column,), target_column=None)
    kept = [Case(case.files, "") for case in found if case.files[0] and case.row.get("body_part", "") != _CHEST]
    return Other(f"other radiographs ({folder.name}) at follow-up", tuple(some(kept, most)), folder)


def other_pairs(other: Other, baselines: Sequence[Pair], load: Load) -> list[Pair]:
    """Each of these radiographs as the follow-up of a chest; baselines are taken in turn."""
    views = load(other.cases, other.root)
    firsts = cycle(baselines)
    return [np.stack([first[0], views.pair(case, case)[1]]) for case, first in zip(other.cases, firsts, strict=False)]


def lateral_pairs(count: int, baselines: Sequence[Pair], size: int) -> list[Pair]:
    """So many simulated lateral views, each as the follow-up of a real frontal one."""
    found = []
    for number, first in enumerate(islice(cycle(baselines), count)):
        image = simulate_chest(random_chest(_FIRST_LATERAL + number, view="lateral", size=512)).radiograph()
        found.append(np.stack([first[0], prepare_chest(image, ModelInput(), size).view]))
    return found


def another_patient(held: Held, pairs: Sequence[Known], views: Views) -> list[Pair]:
    """For each baseline an image of another patient of the part set aside, drawn with a fixed seed."""
    found = []
    for number, pair in enumerate(pairs):
        others = [case for case in held.parts.aside if case.patient != pair.baseline.patient]
        if others:
            chosen = others[int(np.random.default_rng([0, number]).integers(len(others)))]
            found.append(views.pair(pair.baseline, chosen))
    return found


def matching_figures(
    usual: Matched, same: Matched, another: Matched, elsewhere: Mapping[str, Matched]
) -> tuple[list[Metric], list[dict[str, Any]]]:
    """The usual range of each stage, and how well it tells other patients, views and body parts.

    Args:
        usual: pairs of one patient of the parts that report nothing, at least one; the range comes from them.
        same: pairs of one patient, at least one.
        another: pairs of two patients.
        elsewhere: pairs with another view or body part, by what they are.

    Returns:
        Metrics and the table, whose rows go from the finest stage to the coarsest.
    """
    far = together(list(elsewhere.values()), same.scores.shape[1])
    rows: list[dict[str, Any]] = []
    for stage, scores in enumerate(usual.scores.T):
        low, median, high = (round(float(value), _DECIMALS) for value in np.percentile(scores, (2.5, 50, 97.5)))
        rows.append(
            {
                "stage": stage + 1,
                "low": low,
                "median": median,
                "high": high,
                "AUC same against another patient": _auc_text(same, another, stage),
                "AUC against other view or body part": _auc_text(same, far, stage),
            }
        )
    lows = np.array([row["low"] for row in rows])
    metrics = []
    for name, group in {SAME: same, ANOTHER: another, **elsewhere}.items():
        warned = (group.scores < lows).any(axis=1)
        note = f"some stage below its usual range, that of {len(usual.scores)} pairs of the training and carved parts"
        if group is not same:
            metrics += _auc("AUC of the mean cosine, one patient's pairs against these", name, same, group)
        metrics += mean_metric("told to be hardly comparable", name, warned, group.patients, note, share=True)
    return metrics, rows


def _auc_text(same: Matched, others: Matched, stage: int) -> str:
    chosen = [Matched(each.patients, each.scores[:, stage : stage + 1]) for each in (same, others)]
    found = _auc("", "", *chosen)
    return figure(found[0]) if found else ""


def _auc(name: str, part: str, same: Matched, others: Matched) -> list[Metric]:
    """Area for telling the same patient by the mean of the stages."""
    target = np.repeat([1, 0], [len(same.scores), len(others.scores)])
    score = np.concatenate([same.scores.mean(axis=1), others.scores.mean(axis=1)])
    return auc_metric(name, part, target, score, np.concatenate([same.patients, others.patients]))


def together(groups: Sequence[Matched], stages: int) -> Matched:
    nobody = Matched(np.empty(0, dtype=np.str_), np.empty((0, stages)))
    return Matched(
        np.concatenate([group.patients for group in (*groups, nobody)]),
        np.concatenate([group.scores for group in (*groups, nobody)]),
    )
