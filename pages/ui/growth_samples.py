"""A simulated child in place of uploads: five hands of one boy, whose true bone ages are known."""

from dataclasses import dataclass

from cxrkit.image import Radiograph
from cxrkit.phantoms import HandSettings
from pages.ui.hand_samples import simulate

SEED, SIZE = 21, 640


@dataclass(frozen=True)
class SimulatedVisit:
    """One hand of the boy.

    Attributes:
        age: his own age in months.
        bone_age: in months, what the hand is made with.
    """

    age: int
    bone_age: int

    def image(self) -> Radiograph:
        """The hand as if read from a file."""
        return simulate(HandSettings(SEED, self.bone_age, "male", size=SIZE))[0]


CHILD = (
    SimulatedVisit(60, 58),
    SimulatedVisit(84, 78),
    SimulatedVisit(108, 84),
    SimulatedVisit(132, 120),
    SimulatedVisit(156, 153),
)
"""At 9 years his bone age is 24 months behind, 2.7 standard deviations; afterwards it catches up."""

IN_WORDS = (
    "A boy at 5, 7, 9, 11 and 13 years. His true bone ages are known: at 9 years it is only 7 years, clearly delayed; "
    "afterwards it catches up."
)
