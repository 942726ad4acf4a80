"""Confusion matrix and F1, against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from cxrkit.errors import InputError
from cxrkit.metrics import confusion, macro_f1, precision_recall_f1, wilson_interval

answers = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=50)


def test_counts_and_shares():
    target = np.r_[np.ones(10, int), np.zeros(20, int)]
    predicted = np.r_[np.ones(8, int), np.zeros(2, int), np.ones(5, int), np.zeros(15, int)]
    matrix = confusion(target, predicted)
    assert (matrix.tp, matrix.fp, matrix.tn, matrix.fn) == (8, 5, 15, 2)
    tn, fp, fn, tp = confusion_matrix(target, predicted).ravel()
    assert (matrix.tp, matrix.fp, matrix.tn, matrix.fn) == (tp, fp, tn, fn)
    assert matrix.sensitivity == wilson_interval(8, 10)
    assert matrix.specificity == wilson_interval(15, 20)
    assert matrix.ppv == wilson_interval(8, 13)
    assert matrix.npv == wilson_interval(15, 17)
    assert matrix.accuracy == wilson_interval(23, 30)


def test_shares_without_a_denominator_are_undefined_not_0():
    matrix = confusion([1, 1], [0, 0])
    assert matrix.sensitivity.value == 0
    for name in ("specificity", "ppv"):
        with pytest.raises(InputError, match="undefined"):
            getattr(matrix, name)


@settings(deadline=None)
@given(answers.filter(lambda rows: len({row[0] for row in rows}) > 1))
def test_macro_f1_is_scikit_learns(rows):
    target, predicted = zip(*rows, strict=True)
    assert macro_f1(target, predicted) == pytest.approx(f1_score(target, predicted, average="macro"))


@settings(deadline=None)
@given(answers)
def test_scores_of_each_class_are_scikit_learns(rows):
    target, predicted = zip(*rows, strict=True)
    ours = precision_recall_f1(target, predicted)
    labels = sorted(set(target) | set(predicted))
    assert list(ours) == labels
    columns = precision_recall_fscore_support(target, predicted, labels=labels, zero_division=np.nan)
    for label, precision, recall, f1, support in zip(labels, *columns, strict=True):
        assert ours[label].support == support
        assert ours[label].f1 == pytest.approx(f1)
        for name, value in (("precision", precision), ("recall", recall)):
            if np.isnan(value):
                with pytest.raises(InputError, match="undefined"):
                    getattr(ours[label], name)
            else:
                assert getattr(ours[label], name) == pytest.approx(value)


@pytest.mark.parametrize(
    ("target", "predicted", "sentence"),
    [
        ([], [], "no case"),
        ([1, 1], [1, 0], "one class"),
        ([0, 1], [0], "2 targets and 1 predictions"),
        ([0, 1.5], [0, 1], "class indices"),
        ([0, -1], [0, 1], "class indices"),
        ([0, np.inf], [0, 1], "class indices"),
    ],
)
def test_what_is_undefined_is_a_sentence(target, predicted, sentence):
    with pytest.raises(InputError, match=sentence):
        macro_f1(target, predicted)


def test_confusion_refuses_other_values():
    with pytest.raises(InputError, match="predictions"):
        confusion([0, 1], [0.2, 0.9])
    with pytest.raises(InputError, match="3 predictions"):
        confusion([0, 1], [0, 1, 1])
