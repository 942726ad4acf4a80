"""Figures of several labels against scikit-learn, DeLong and a bootstrap over patients."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logit
from sklearn.metrics import f1_score, roc_auc_score

from cxrkit.errors import InputError
from cxrkit.figures import work_out
from cxrkit.finding_auc import auc_by_patient, macro_auc
from cxrkit.finding_figures import LEAST, JudgedFindings, findings_figures
from cxrkit.finding_reading import Finding, FindingsReading
from cxrkit.metrics import bootstrap_interval, delong_interval

NAMES = ("a", "b", "c", "rare", "never")
LIMITS = (0.5, 0.4, 0.6, 0.5, None)


def made(images: int = 240, each: int = 3, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float64], list[str]]:
    """Truth [N, 5], scores [N, 5] and owners [N]: images of one patient have much in common."""
    random = np.random.default_rng(seed)
    patient = np.arange(images) // each
    shared = random.normal(0, 1, (patient.max() + 1, len(NAMES)))[patient]
    truth = (shared + random.normal(0, 0.5, shared.shape) > 0.5).astype(np.int64)
    truth[:, 3] = 0
    truth[: LEAST - 1, 3] = 1
    scores = 1 / (1 + np.exp(-(0.7 * truth + shared * 0.3 + random.normal(0, 0.7, shared.shape))))
    return truth, np.round(scores, 3), [f"p{number}" for number in patient]


def judged(truth: NDArray[np.int64], scores: NDArray[np.float64], owners: list[str]) -> JudgedFindings:
    found = JudgedFindings(NAMES)
    for row, given, owner in zip(truth, scores, owners, strict=True):
        answers = zip(NAMES, given, LIMITS, strict=True)
        findings = [
            Finding(name, float(score), None, limit, "" if limit else "too few") for name, score, limit in answers
        ]
        found.add(
            {name for name, there in zip(NAMES, row, strict=True) if there}, FindingsReading(tuple(findings)), owner
        )
    return found


def test_with_one_image_a_patient_the_interval_is_delongs() -> None:
    truth, scores, _ = made(120)
    owners = [str(number) for number in range(120)]
    found, expected = auc_by_patient(truth[:, 0], scores[:, 0], owners), delong_interval(truth[:, 0], scores[:, 0])
    assert (found.value, found.low, found.high) == pytest.approx((expected.value, expected.low, expected.high))


def test_the_interval_is_that_of_a_bootstrap_over_patients() -> None:
    truth, scores, owners = made()
    found = macro_auc(list(truth[:, :3].T), list(scores[:, :3].T), owners)
    assert found.value == pytest.approx(roc_auc_score(truth[:, :3], scores[:, :3], average="macro"))
    rows = [np.flatnonzero(np.array(owners) == name) for name in sorted(set(owners))]

    def statistic(drawn: NDArray[np.int64]) -> float:
        where = np.concatenate([rows[number] for number in drawn])
        return float(roc_auc_score(truth[where, :3], scores[where, :3], average="macro"))

    other = bootstrap_interval(statistic, np.arange(len(rows)), repeats=200)
    assert found.low == pytest.approx(other.low, abs=0.015)
    assert found.high == pytest.approx(other.high, abs=0.015)
    alone = macro_auc(list(truth[:, :3].T), list(scores[:, :3].T), [str(number) for number in range(len(owners))])
    assert alone.high - alone.low < found.high - found.low


def test_an_area_of_one_has_an_interval_by_patients() -> None:
    target, score = np.array([1, 1, 1, 0, 0, 0, 0]), np.array([0.9, 0.8, 0.9, 0.1, 0.1, 0.2, 0.3])
    owners = ["x", "x", "y", "y", "z", "w", "v"]
    found = auc_by_patient(target, score, owners)
    # Two patients have the label: as DeLong's of two pairs.
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.025 ** (1 / 2))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_label_without_errors_adds_the_uncertainty_of_its_own_interval(sign: int) -> None:
    """With it the half width on the logit scale is that of both, as if independent."""
    truth, scores, owners = made()
    whole = np.where(np.arange(len(owners)) < 6, 1, 0)  # two patients' images
    found = macro_auc([truth[:, 0], whole], [scores[:, 0], sign * whole], owners)
    one, other = auc_by_patient(truth[:, 0], scores[:, 0], owners), auc_by_patient(whole, sign * whole, owners)
    assert other.value == (sign > 0)
    middle = (one.value + other.value) / 2
    assert found.value == pytest.approx(middle)
    # Both as half widths of the mean: of the one from its logit interval, of the other to its far end.
    first = (logit(one.high) - logit(one.value)) * one.value * (1 - one.value) / 2
    second = (other.high - other.low) / 2
    half = np.hypot(first, second) / (middle * (1 - middle))
    assert logit(found.high) - logit(found.value) == pytest.approx(half)
    assert logit(found.value) - logit(found.low) == pytest.approx(half)
    assert half > 1.5 * first / (middle * (1 - middle))
    assert 0 <= found.low < found.value < found.high <= 1


def test_too_few_patients_are_refused() -> None:
    target, score = np.array([1, 1, 0, 0, 0]), np.linspace(0, 1, 5)
    with pytest.raises(InputError, match="two patients"):
        auc_by_patient(target, score, ["x", "x", "y", "z", "w"])
    with pytest.raises(InputError):
        auc_by_patient(np.array([1, 0, 0, 0, 0]), score, list("abcde"))
    with pytest.raises(InputError, match="no label"):
        macro_auc([], [], list("abcde"))


def test_figures_agree_with_scikit_learn() -> None:
    truth, scores, owners = made()
    defined, undefined = work_out(findings_figures(judged(truth, scores, owners)), "part")
    found = {metric.name: metric for metric in defined}
    assert not undefined
    assert found["macro AUC"].value == pytest.approx(roc_auc_score(truth[:, :3], scores[:, :3], average="macro"))
    assert "3 labels" in found["macro AUC"].note
    called = scores[:, :3] >= np.array(LIMITS[:3], dtype=float)
    assert found["weighted F1"].value == pytest.approx(f1_score(truth[:, :3], called, average="weighted"))
    for number, name in enumerate(NAMES):
        metric = found[f"AUC, {name}"]
        assert metric.value == pytest.approx(roc_auc_score(truth[:, number], scores[:, number]))
        assert metric.low is not None
        assert metric.high is not None
        assert metric.low <= metric.value <= metric.high
    assert found["sensitivity, b"].value == pytest.approx((scores[truth[:, 1] == 1, 1] >= 0.4).mean())
    assert found["specificity, b"].value == pytest.approx((scores[truth[:, 1] == 0, 1] < 0.4).mean())
    assert "sensitivity, never" not in found


def test_what_cannot_be_told_is_undefined_and_the_rest_is_not() -> None:
    truth, scores, owners = made()
    truth[:, 2] = 0
    defined, undefined = work_out(findings_figures(judged(truth, scores, owners)), "part")
    assert {one.name for one in undefined} == {"AUC, c", "sensitivity, c"}
    assert "2 labels" in next(metric.note for metric in defined if metric.name == "macro AUC")


def test_without_cases_everything_is_undefined() -> None:
    defined, undefined = work_out(findings_figures(JudgedFindings(NAMES)), "part")
    assert not defined
    assert {one.name for one in undefined} == {"macro AUC", "weighted F1", *(f"AUC, {name}" for name in NAMES)}


def test_with_a_card_the_mean_of_aucs_is_over_labels_with_training_images_called_or_not() -> None:
    truth, scores, owners = made()
    training = (LEAST, 10, 40, 90, 10)
    defined, _ = work_out(findings_figures(judged(truth, scores, owners), training), "part")
    found = {metric.name: metric for metric in defined}
    assert found["macro AUC"].note.endswith("here: b, c, never"), "a has too few to learn from, rare too few here"
    expected = roc_auc_score(truth[:, [1, 2, 4]], scores[:, [1, 2, 4]], average="macro")
    assert found["macro AUC"].value == pytest.approx(expected)
    assert found["weighted F1"].note.endswith("here: b, c")
