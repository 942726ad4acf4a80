"""Two groups of heatmaps compared pixel by pixel: mean maps, their difference, and where it is more than chance.

Methods section 4: class-mean class-activation maps, difference map, independent t-test at each pixel with p < 0.05,
raw and with a false-discovery rate.
"""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from cxrkit.errors import WeightsError

Maps = NDArray[np.floating]
Flags = NDArray[np.bool_]

GROUPS = "groups.npz"
"""Where a comparison lies in the folder of the weights that it was made with."""

LEVEL = 0.05
"""Of significance, and the false-discovery rate."""


@dataclass(frozen=True, eq=False)
class GroupMaps:
    """What sets two groups of maps apart; all arrays are [h, w].

    Attributes:
        first, second: mean maps of the groups.
        counts: maps in each group.
        statistic: t of the independent two-sample t-test with equal variances (Student), first less second; 0 where no
            map of either group varies.
        probability: its two-sided p value; 1 where no map of either group varies.
        raw: where it is below LEVEL.
        corrected: where it is with the false-discovery rate held at LEVEL (Benjamini and Hochberg 1995).
    """

    first: Maps
    second: Maps
    counts: tuple[int, int]
    statistic: Maps
    probability: Maps
    raw: Flags
    corrected: Flags

    @property
    def difference(self) -> Maps:
        """[h, w] first less second."""
        return self.first - self.second


def compare_groups(first: Maps, second: Maps) -> GroupMaps:
    """Compare two groups of maps.

    Args:
        first, second: [N, h, w] and [M, h, w] of one size, finite.

    Raises:
        ValueError: fewer than two maps in a group, or maps of different sizes.
    """
    if min(len(first), len(second)) < 2 or first.shape[1:] != second.shape[1:]:
        raise ValueError(f"two groups of two maps or more of one size are needed, not {first.shape} and {second.shape}")
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    varies = (np.ptp(one, axis=0) > 0) | (np.ptp(other, axis=0) > 0)
    statistic, probability = np.zeros(varies.shape), np.ones(varies.shape)
    if varies.any():
        found = stats.ttest_ind(one[:, varies], other[:, varies], axis=0, equal_var=True)
        statistic[varies], probability[varies] = found.statistic, found.pvalue
    return GroupMaps(
        first=one.mean(axis=0),
        second=other.mean(axis=0),
        counts=(len(one), len(other)),
        statistic=statistic,
        probability=probability,
        raw=probability < LEVEL,
        corrected=stats.false_discovery_control(probability.ravel()).reshape(varies.shape) < LEVEL,
    )


_ARRAYS = ("first", "second", "statistic", "probability", "raw", "corrected")


def write_groups(found: GroupMaps, file: Path, weights: str) -> None:
    """Keep a comparison beside the weights it was made with, of this SHA-256, as an uncompressed archive of arrays."""
    arrays = {name: getattr(found, name) for name in _ARRAYS}
    np.savez(file, counts=np.array(found.counts), weights=np.array(weights), **arrays)


def read_groups(file: Path, weights: str) -> GroupMaps:
    """A comparison that was kept.

    Args:
        file: where.
        weights: SHA-256 of the network that it has to be of.

    Raises:
        WeightsError: there is none, it is damaged, or it is of another network.
    """
    try:
        # NumPy leaves a file open that it opened itself and could not read.
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            first, second = stored["counts"].tolist()
            if str(stored["weights"]) != weights:
                raise WeightsError(
                    "The maps of the two groups are of other weights. Make them anew with: python -m train.vq groups"
                )
            return GroupMaps(counts=(first, second), **{name: stored[name] for name in _ARRAYS})
    except FileNotFoundError:
        raise WeightsError("The maps of the two groups are missing. They come with the weights.") from None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        raise WeightsError(
            "The maps of the two groups are damaged. Restore the file that came with the weights."
        ) from None
