"""Which labelled radiographs are learned from, which choose, and which report."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cxrkit.cases import Case, split_by_patient
from cxrkit.finding_labels import findings_of
from cxrkit.tasks.nih14 import LABELS
from train.datasets import TRAINING
from train.nih14.sources import training_part, without_patient

CARVED = 0.2
"""Share of the training patients that choose the epoch, calibrate and set thresholds: with fewer there is hardly a
positive image of the rarer labels among them."""

ASIDE = 0.2
"""Share of the patients that report, where no part is given."""


@dataclass(frozen=True)
class Parts:
    """Labelled radiographs of one set.

    Attributes:
        learned: are learned from.
        carved: choose the epoch, calibrate, set thresholds.
        reporting: report once, and choose nothing.
        given: whether the set itself says which report.
    """

    learned: tuple[Case, ...]
    carved: tuple[Case, ...]
    reporting: tuple[Case, ...]
    given: bool

    @property
    def training(self) -> tuple[Case, ...]:
        """The whole training part: learned from and carved."""
        return self.learned + self.carved


def divide(cases: Sequence[Case], seed: int = 0) -> Parts:
    """Divide by patient: no patient is in two parts, whatever the given ones say.

    Images of unknown patients count as a patient each. The division depends on the seed and the cases alone.

    Raises:
        InputError: too few patients.
    """
    given = any(case.split for case in cases)
    if given:
        training = training_part(cases)
        reporting = [case for case in cases if case.split not in (None, TRAINING)]
    else:
        training, reporting = _split(cases, ASIDE, seed)
    learned, carved = carve_out(training, seed)
    return Parts(tuple(learned), tuple(carved), tuple(reporting), given)


def divide_by_image(cases: Sequence[Case], seed: int = 0) -> Parts:
    """Divide image by image, as the source did: patients leak from one part into another (see `leak`).

    Raises:
        InputError: too few images.
    """
    own = {case.files: case for case in cases}
    training, reporting = _split([without_patient(case) for case in cases], ASIDE, seed)
    learned, carved = carve_out(training, seed)
    learned, carved, reporting = ([own[case.files] for case in part] for part in (learned, carved, reporting))
    return Parts(tuple(learned), tuple(carved), tuple(reporting), given=False)


def leak(parts: Parts) -> tuple[int, int]:
    """How many patients are in training and in the part that reports, and how many reporting images are theirs."""
    learned = {case.patient for case in parts.training} - {None}
    theirs = [case.patient for case in parts.reporting if case.patient in learned]
    return len(set(theirs)), len(theirs)


def carve_out(training: Sequence[Case], seed: int) -> tuple[list[Case], list[Case]]:
    """A training part -> what is learned from, and what chooses, by patient.

    Raises:
        InputError: too few patients.
    """
    return _split(training, CARVED, seed)


def _split(cases: Sequence[Case], share: float, seed: int) -> tuple[list[Case], list[Case]]:
    """Patients of rare findings are spread evenly."""
    counts = Counter(label for case in cases for label in findings_of(case, LABELS))

    def rarest(case: Case) -> str:
        return min(findings_of(case, LABELS), key=lambda label: (counts[label], label), default="")

    most, rest = split_by_patient(cases, (1 - share, share), seed, rarest)
    return most, rest
