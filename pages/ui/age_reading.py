"""Reading the bone age of a hand: the encoder runs once for an image and its edits, sex and age need the head alone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cxrkit.bone_age import check_age, check_sex
from cxrkit.image import Radiograph
from cxrkit.task import ModelInput, Prepared
from pages.ui.analysis import encode_once, explain_once
from pages.ui.compute import computed

if TYPE_CHECKING:
    from cxrkit.age_reading import AgeReading
    from cxrkit.explain import Heatmap, Method
    from cxrkit.predict import Prediction
    from cxrkit.weights import LoadedModel


@dataclass(frozen=True, eq=False)
class HandReading:
    """One hand as a network read it under some edits.

    Attributes:
        edits: of the model's input.
        prepared: what the network read, with sex and age as stated.
        prediction: probabilities of the age classes, the age, warnings.
        heatmap: of the target asked for.
    """

    edits: ModelInput
    prepared: Prepared
    prediction: "Prediction"
    heatmap: "Heatmap"

    @property
    def age(self) -> "AgeReading":
        """What is said of the bone age.

        Raises:
            ValueError: the task reads no age.
        """
        if self.prediction.age is None:
            raise ValueError("this prediction is of no age")
        return self.prediction.age


def read_hand(
    loaded: "LoadedModel",
    image: Radiograph,
    edits: ModelInput,
    context: Mapping[str, object],
    label: str | None = None,
    method: "Method | None" = None,
) -> HandReading:
    """Read the bone age of a hand, or look up the same reading.

    Args:
        loaded: the network.
        image: what to read.
        edits: of the model's input.
        context: "sex" ("F", "M" or None) and "age_months" (the child's own age or None); what is left out is None.
        label: what the heatmap explains, a label of the task or explain.EXPECTED; None = the likeliest class.
        method: of the heatmap; None = the first on offer.

    Raises:
        InputError: an edit that cannot be used, an impossible sex or age, or no sex where the network needs one.
        WeightsError: the preparation lacks weights of its own.
    """
    from cxrkit.explain import Method
    from cxrkit.predict import predict

    age = context.get("age_months")
    known = {
        "sex": check_sex(context.get("sex")),
        "age_months": None if age is None else check_age(float(age)),  # type: ignore[arg-type]
    }
    plain, maps = encode_once(image, loaded, edits)
    prepared, encoded = replace(plain, context=known), replace(maps, context=known)
    prediction = computed(predict, loaded, prepared, encoded, [image])
    target = prediction.label if label is None else label
    heatmap = explain_once(image, loaded, edits, target, method or next(iter(Method)), prepared, encoded)
    return HandReading(edits, prepared, prediction, heatmap)
