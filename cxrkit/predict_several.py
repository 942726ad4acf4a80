"""Several single images in one run of the encoder, for tables of a day: smaller networks are quicker so."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cxrkit.image import Radiograph
from cxrkit.predict import Prediction, encode, predict
from cxrkit.task import Prepared
from cxrkit.weights import LoadedModel


def predict_several(
    loaded: LoadedModel, prepared: Sequence[Prepared], images: Sequence[Radiograph]
) -> tuple[Prediction, ...]:
    """Scores of several cases of one image each.

    Args:
        loaded: the network with its card; it reads one image a case.
        prepared: what it reads of each, at least one, all of one size.
        images: the image behind each.

    Raises:
        InputError: as predict.encode and predict.predict.
    """
    together = replace(prepared[0], tensor=np.concatenate([each.tensor for each in prepared]))
    encoded = encode(loaded, together)
    return tuple(
        predict(loaded, each, replace(encoded, maps=encoded.maps[place : place + 1], context=each.context), [image])
        for place, (each, image) in enumerate(zip(prepared, images, strict=True))
    )
