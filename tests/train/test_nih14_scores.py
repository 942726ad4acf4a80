"""Scores of findings that are kept beside the weights for the calibration plots."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxrkit.scores import FILE, read_scores
from cxrkit.tasks.nih14 import LABELS
from tests.train.test_nih14_card import reported
from train.nih14 import measure
from train.nih14.card import keep_scores
from train.nih14.measure import choose, scored_parts, support_of


@pytest.fixture(autouse=True)
def low_bars() -> Iterator[None]:
    """That 80 images can pass."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("TRAINED", 4), ("TESTED", 3)):
            patch.setattr(measure, name, value)
        yield


def test_scores_of_labels_that_are_called_and_calibrated_are_kept(tmp_path: Path) -> None:
    given = reported(80)
    chosen = choose(given.logits, given.target)
    training = np.array([20, 3] + [20] * 12)
    support = support_of(training, chosen, given)
    (part,) = scored_parts(support, given)
    fitted = chosen[0].calibration
    assert fitted is not None
    assert part.name == f"{LABELS[0]}: part"
    assert part.scores.tolist() == pytest.approx([fitted.probability(logit) for logit in given.logits[:, 0]])
    assert part.targets.tolist() == given.target[:, 0].tolist()
    assert not part.optimistic
    assert scored_parts(support, replace(given, leaks=True))[0].optimistic

    keep_scores(support, given, tmp_path)
    (read,) = read_scores(tmp_path)
    assert read.name == part.name
    assert sorted(read.scores) == pytest.approx(sorted(part.scores), abs=1e-7)
    never = support_of(np.full(len(LABELS), 3), chosen, given)
    keep_scores(never, given, tmp_path)
    assert not (tmp_path / FILE).exists(), "those of other weights"
