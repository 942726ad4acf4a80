"""What every metric requires of its inputs; a violated requirement is one sentence, never a figure."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxrkit.errors import InputError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]

_MOST_CLASSES = 10_000
"""A class index above this is a measurement given by mistake; it would also cost memory."""


def numbers(values: ArrayLike, what: str) -> Floats:
    """[N] float64 without NaN, N at least 1.

    Args:
        values: anything NumPy reads as a row of numbers.
        what: their name, for the message.

    Raises:
        InputError: empty, not one row, or a NaN among them.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise InputError(f"The {what} have {array.ndim} dimensions; give one number for each case.")
    if array.size == 0:
        raise InputError(f"There is no case, so nothing can be measured; give at least one of the {what}.")
    if np.isnan(array).any():
        raise InputError(
            f"{int(np.isnan(array).sum())} of the {array.size} {what} are not numbers; leave those cases out first."
        )
    return array


def same_length(first: int, second: int, what: tuple[str, str]) -> None:
    """Refuse two rows of different lengths.

    Raises:
        InputError: naming both lengths.
    """
    if first != second:
        raise InputError(f"There are {first} {what[0]} and {second} {what[1]}; give one of each for every case.")


def classes(values: ArrayLike, what: str) -> Integers:
    """[N] class indices, whole numbers from 0.

    Raises:
        InputError: as `numbers`, or a value is no class index.
    """
    array = numbers(values, what)
    if array.min() < 0 or array.max() > _MOST_CLASSES or (array != np.floor(array)).any():
        raise InputError(f"The {what} have to be class indices: small whole numbers from 0.")
    return array.astype(np.int64)


def binary(values: ArrayLike, what: str = "targets") -> Bools:
    """[N] True for the positive class (1), False for the negative (0).

    Raises:
        InputError: as `numbers`, or a value is neither 0 nor 1.
    """
    array = numbers(values, what)
    positive: Bools = array == 1.0
    if not (positive | (array == 0.0)).all():
        raise InputError(f"The {what} have to be 0 (negative) or 1 (positive); another value is among them.")
    return positive


def scored(target: ArrayLike, score: ArrayLike) -> tuple[Bools, Floats]:
    """Binary targets with a score for each.

    Raises:
        InputError: as `binary` and `numbers`, or the lengths differ.
    """
    positive = binary(target)
    values = numbers(score, "scores")
    same_length(positive.size, values.size, ("targets", "scores"))
    return positive, values


def both_classes(positive: Bools, least: int = 1) -> None:
    """Refuse a set with fewer than `least` cases of either class.

    Raises:
        InputError: naming how many there are of each.
    """
    cases, controls = int(positive.sum()), int((~positive).sum())
    if min(cases, controls) < least:
        raise InputError(
            f"There are {cases} positive and {controls} negative cases; this figure needs at least {least} of each."
        )


def probabilities(target: ArrayLike, probability: ArrayLike) -> tuple[Bools, Floats]:
    """Binary targets with a probability in [0, 1] for each.

    Raises:
        InputError: as `scored`, or a value lies outside [0, 1].
    """
    positive, values = scored(target, probability)
    if values.min() < 0 or values.max() > 1:
        raise InputError("The probabilities have to lie in [0, 1]; give probabilities, not logits.")
    return positive, values


def check_level(level: float) -> None:
    """Refuse a confidence level outside (0, 1).

    Raises:
        InputError: it lies outside.
    """
    if not 0 < level < 1:
        raise InputError(f"The confidence level is {level:g}; it has to lie between 0 and 1, such as 0.95.")
