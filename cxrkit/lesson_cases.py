"""Which simulated cases the lesson on heatmaps shows; without torch, so that a page can list them at once."""

from dataclasses import dataclass

from cxrkit.phantoms.settings import ChestSettings, Lesion, Side, random_chest

FAR = 0.2
"""Of the image's longer side: from this distance a map's strongest point is off the lesion, whatever the tolerance."""

_SIZE = 512


@dataclass(frozen=True)
class LessonCase:
    """A patient with one lesion in an upper zone, where tuberculosis of adults mostly lies.

    Attributes:
        seed: of the patient.
        kind: of the lesion.
        side: of the patient.
    """

    seed: int
    kind: str
    side: Side

    @property
    def title(self) -> str:
        """For people: "Cavity, right upper zone (patient 200)"."""
        return f"{self.kind.capitalize()}, {self.side} upper zone (patient {self.seed})"

    def settings(self, *, lesion: bool = True) -> ChestSettings:
        """Of the image; without the lesion everything else is the same."""
        lesions = (Lesion(self.kind, self.side, "upper"),) if lesion else ()
        return random_chest(self.seed, lesions, view="PA", size=_SIZE)


MISLEADING: tuple[LessonCase, ...] = (
    LessonCase(200, "cavity", "right"),
    LessonCase(204, "cavity", "right"),
    LessonCase(209, "cavity", "right"),
)
"""Among the patients 200 to 211: the answer is right, and the map lies off the lesion. A test looks again."""

ON_TARGET = LessonCase(206, "consolidation", "right")
"""For comparison: the answer is right, and the map's strongest point lies inside the lesion."""
