"""Groups of maps: means, difference, t-test and false-discovery rate."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from cxrkit.errors import WeightsError
from cxrkit.group_maps import LEVEL, compare_groups, read_groups, write_groups

RANDOM = np.random.default_rng(7)
FIRST = RANDOM.normal(0.3, 0.1, (12, 9, 8))
SECOND = RANDOM.normal(0.3, 0.2, (17, 9, 8))
SECOND[:, :3] += 0.5


def test_statistic_is_that_of_the_formula() -> None:
    found = compare_groups(FIRST, SECOND)
    pooled = (11 * FIRST.var(axis=0, ddof=1) + 16 * SECOND.var(axis=0, ddof=1)) / 27
    t = (FIRST.mean(axis=0) - SECOND.mean(axis=0)) / np.sqrt(pooled * (1 / 12 + 1 / 17))
    assert np.allclose(found.statistic, t)
    assert np.allclose(found.probability, 2 * stats.t.sf(np.abs(t), 27))
    assert np.allclose(found.difference, FIRST.mean(axis=0) - SECOND.mean(axis=0))
    assert found.counts == (12, 17)


def test_each_pixel_is_tested_as_scipy_tests_one() -> None:
    found = compare_groups(FIRST, SECOND)
    for row, column in ((0, 0), (4, 7), (8, 3)):
        alone = stats.ttest_ind(FIRST[:, row, column], SECOND[:, row, column])
        assert found.statistic[row, column] == pytest.approx(alone.statistic)
        assert found.probability[row, column] == pytest.approx(alone.pvalue)


def test_discovery_rate_is_that_of_benjamini_and_hochberg() -> None:
    found = compare_groups(FIRST, SECOND)
    ordered = np.sort(found.probability.ravel())
    passing = np.flatnonzero(ordered <= LEVEL * np.arange(1, ordered.size + 1) / ordered.size)
    assert found.corrected.sum() == passing.max() + 1
    assert np.all(found.raw[found.corrected]), "what survives the correction was significant before"
    assert found.corrected[:3].all()


def test_chance_is_rarely_called_after_the_correction() -> None:
    random = np.random.default_rng(3)
    found = compare_groups(random.normal(size=(15, 40, 40)), random.normal(size=(15, 40, 40)))
    assert 0.02 < found.raw.mean() < 0.09
    assert found.corrected.mean() < 0.002


def test_pixels_that_never_vary_are_no_finding() -> None:
    first, second = FIRST.copy(), SECOND.copy()
    first[:, 5], second[:, 5] = 0.0, 0.0
    found = compare_groups(first, second)
    assert (found.probability[5] == 1).all()
    assert (found.statistic[5] == 0).all()
    assert not found.corrected[5].any()
    nothing = compare_groups(np.zeros((3, 4, 4)), np.zeros((2, 4, 4)))
    assert not nothing.raw.any()


@pytest.mark.parametrize("second", [SECOND[:1], SECOND[:, :4]])
def test_groups_that_cannot_be_compared_are_refused(second: np.ndarray) -> None:
    with pytest.raises(ValueError, match="two groups"):
        compare_groups(FIRST, second)


def test_kept_maps_come_back(tmp_path: Path) -> None:
    found, file = compare_groups(FIRST, SECOND), tmp_path / "groups.npz"
    write_groups(found, file, "ab" * 32)
    again = read_groups(file, "ab" * 32)
    assert again.counts == found.counts
    for name in ("first", "second", "statistic", "probability", "raw", "corrected"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))


def test_missing_and_damaged_maps_are_said(tmp_path: Path) -> None:
    file = tmp_path / "groups.npz"
    with pytest.raises(WeightsError, match="missing"):
        read_groups(file, "")
    file.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(WeightsError, match="damaged"):
        read_groups(file, "")
    write_groups(compare_groups(FIRST, SECOND), file, "ab" * 32)
    with pytest.raises(WeightsError, match="of other weights"):
        read_groups(file, "cd" * 32)
