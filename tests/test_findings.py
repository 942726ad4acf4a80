"""Several labels answered each by itself: how tables write them, what each rests on, and what is called."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from cxrkit.card import Card, read_card, write_card
from cxrkit.cases import Case
from cxrkit.errors import InputError, ManifestError, WeightsError
from cxrkit.finding_labels import findings_of
from cxrkit.finding_reading import NO_THRESHOLD, NOTHING, read_findings
from cxrkit.finding_support import TOO_FEW, Calibration, LabelSupport, fit_calibration
from cxrkit.finding_truth import compare_findings, labels_of_lesions
from cxrkit.tasks.nih14 import LABELS, NIH14
from tests.models_for_tests import small_card


@pytest.fixture(scope="module")
def card() -> Card:
    return small_card(NIH14)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Effusion", {"Effusion"}),
        ("Effusion|Mass", {"Effusion", "Mass"}),
        (" mass | EFFUSION ", {"Effusion", "Mass"}),
        ("Mass|Mass", {"Mass"}),
        ("Pleural_Thickening", {"Pleural_Thickening"}),
        ("pleural thickening|Pleural-Thickening", {"Pleural_Thickening"}),
        ("No Finding", set()),
        ("no_finding", set()),
    ],
)
def test_findings_are_split_on_the_bar(text: str, found: set[str]) -> None:
    assert findings_of(Case(("a.png",), text), LABELS) == found


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("Effusion|", "no label"),
        ("|", "no label"),
        ("Effusion|Cavity", "no label"),
        ("Effusion;Mass", "no label"),
        ("No Finding|Mass", "at once"),
    ],
)
def test_findings_that_cannot_be_used_are_refused_with_their_row(text: str, word: str) -> None:
    with pytest.raises(ManifestError, match=f"row 7.*{word}"):
        findings_of(Case(("a.png",), text, number=7), LABELS)


def test_an_unusable_row_keeps_its_own_reason() -> None:
    with pytest.raises(ManifestError, match="Row 3 names no file"):
        findings_of(Case(("",), "Mass", problem="Row 3 names no file."), LABELS)


def test_a_calibration_is_the_logistic_regression() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, 400)
    target = random.random(400) < expit(0.6 * logits - 1)
    found = fit_calibration(logits, target.astype(int))
    other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logits[:, None], target)
    assert found.slope == pytest.approx(other.coef_[0, 0], abs=1e-4)
    assert found.intercept == pytest.approx(other.intercept_[0], abs=1e-4)
    assert found.probability(1.3) == pytest.approx(other.predict_proba([[1.3]])[0, 1], abs=1e-4)


def test_the_interval_of_a_score_is_as_wide_as_fits_to_other_cases_differ() -> None:
    random = np.random.default_rng(1)

    def fit() -> Calibration:
        logits = random.normal(0, 2, 200)
        return fit_calibration(logits, (random.random(200) < expit(0.8 * logits - 1)).astype(int))

    held = [low <= expit(0.8 * 0.5 - 1) <= high for low, high in (fit().interval(0.5) for _ in range(200))]
    assert 0.9 <= np.mean(held) <= 0.99
    low, high = fit().interval(0.5, 0.5)
    wide = fit().interval(0.5, 0.99)
    assert wide[1] - wide[0] > high - low


def test_scores_that_fall_with_the_label_are_not_calibrated() -> None:
    random = np.random.default_rng(2)
    logits = random.normal(0, 1, 300)
    with pytest.raises(InputError, match="cannot be calibrated"):
        fit_calibration(logits, (random.random(300) < expit(-logits)).astype(int))


def test_a_card_keeps_what_labels_rest_on(card: Card, tmp_path: Path) -> None:
    write_card(card, tmp_path / "card.json")
    found = read_card(tmp_path / "card.json")
    assert found.support == card.support
    assert [one.label for one in found.support] == list(LABELS)
    assert found.support[-1].remark == TOO_FEW


def test_a_card_from_before_there_was_support_is_read(card: Card, tmp_path: Path) -> None:
    write_card(card, tmp_path / "card.json")
    raw = json.loads((tmp_path / "card.json").read_text())
    del raw["support"]
    (tmp_path / "card.json").write_text(json.dumps(raw))
    assert read_card(tmp_path / "card.json").support == ()


BROKEN = {
    "another label": {"label": "Mass"},
    "no calibration": {"calibration": "yes"},
    "falling slope": {"calibration": {"slope": -1.0, "intercept": 0.0, "covariance": [1.0, 0.0, 1.0]}},
    "not finite": {"calibration": {"slope": 1.0, "intercept": float("inf"), "covariance": [1.0, 0.0, 1.0]}},
    "short covariance": {"calibration": {"slope": 1.0, "intercept": 0.0, "covariance": [1.0, 0.0]}},
    "count": {"positives": -1},
    "words for a count": {"tested": "many"},
    "half an interval": {"low": None},
    "an AUC outside its interval": {"auc": 0.9},
    "a remark that is no text": {"remark": 1},
    "another field": {"extra": 1},
}


@pytest.mark.parametrize("kind", BROKEN)
def test_damaged_support_is_refused(kind: str, card: Card, tmp_path: Path) -> None:
    write_card(card, tmp_path / "card.json")
    raw = json.loads((tmp_path / "card.json").read_text())
    raw["support"][0] |= BROKEN[kind]
    (tmp_path / "card.json").write_text(json.dumps(raw))
    with pytest.raises(WeightsError, match="damaged"):
        read_card(tmp_path / "card.json")


def test_scores_are_calibrated_and_called_label_by_label(card: Card) -> None:
    logits = np.linspace(3, -3, len(LABELS))
    logits[-1] = 9
    found = read_findings(logits.tolist(), card)
    # The card's temperature, 2, comes first.
    assert found.findings[0].score == pytest.approx(expit(0.1 + 0.5 * 3 / 2))
    assert found.findings[1].score == pytest.approx(expit(logits[1] / 2))
    assert found.findings[1].interval is None
    low, high = found.findings[0].interval or (1, 0)
    assert low < found.findings[0].score < high
    assert found.called == tuple(one.label for one in found.findings[:-1] if one.score >= 0.5)
    assert found.label == "|".join(found.called)


def test_a_label_with_too_few_training_cases_is_never_called(card: Card) -> None:
    found = read_findings([9.0] * len(LABELS), card)
    last = found.findings[-1]
    assert last.score > 0.9
    assert (last.threshold, last.called, last.excess, last.remark) == (None, False, None, TOO_FEW)
    assert LABELS[-1] not in found.called
    assert found.by_excess()[-1] is last
    # Not even where the card has a threshold for it.
    given = replace(card, thresholds={**card.thresholds, LABELS[-1]: 0.1})
    assert LABELS[-1] not in read_findings([9.0] * len(LABELS), given).called


def test_bars_are_sorted_by_excess_over_the_threshold(card: Card) -> None:
    limits = {label: 0.05 * number for number, label in enumerate(LABELS[:-1], start=1)}
    order = read_findings([1.0] * len(LABELS), replace(card, thresholds=limits)).by_excess()
    excess = [finding.excess for finding in order[:-1]]
    assert excess == sorted(excess, reverse=True)


def test_nothing_called_is_said_as_such(card: Card) -> None:
    found = read_findings([-9.0] * len(LABELS), card)
    assert found.called == ()
    assert found.label == NOTHING


def test_without_support_or_threshold_nothing_is_called(card: Card) -> None:
    found = read_findings([9.0] * len(LABELS), replace(card, support=(), thresholds={}))
    assert {finding.remark for finding in found.findings} == {NO_THRESHOLD}
    assert found.called == ()


def test_called_labels_against_those_that_are_there(card: Card) -> None:
    logits = [-9.0] * len(LABELS)
    logits[LABELS.index("Effusion")] = logits[LABELS.index("Mass")] = 9.0
    rows = compare_findings(frozenset({"Effusion", "Nodule", "Hernia"}), read_findings(logits, card))
    assert {row.label: row.outcome for row in rows} == {
        "Effusion": "right",
        "Mass": "extra",
        "Nodule": "missed",
        "Hernia": "never called",
    }
    assert [row.label for row in rows] == [label for label in LABELS if label in {row.label for row in rows}]


def test_lesions_of_simulated_chests_have_labels_but_for_a_cavity() -> None:
    from cxrkit.phantoms import LESIONS

    labels, without = labels_of_lesions(LESIONS)
    assert labels <= set(LABELS)
    assert without == ("cavity",)


def test_support_counts_and_order_are_those_of_the_labels(card: Card, tmp_path: Path) -> None:
    swapped = (card.support[1], card.support[0], *card.support[2:])
    write_card(replace(card, support=swapped), tmp_path / "card.json")
    with pytest.raises(WeightsError, match="damaged"):
        read_card(tmp_path / "card.json")
    assert LabelSupport("Mass", 3).calibration is None
