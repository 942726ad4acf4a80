"""Bone age from a radiograph of a hand (methods section 3)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cxrkit.bone_age import CLASS_AGES, SEXES, check_age, check_sex, sex_in_header
from cxrkit.hand_field import HandField, find_hand
from cxrkit.pixels import Box, Gray, adjust, crop, resize, smooth, trim_margins
from cxrkit.task import CropSource, Further, ModelInput, Placement, Prepared, Task, check_box

if TYPE_CHECKING:
    from torch import nn

    from cxrkit.image import Radiograph

Mask = NDArray[np.bool_]

SIZE = 192
"""Going on to 256 pixels made the error of the carved part larger."""

MEAN, STD = 0.2, 0.27
"""About those of prepared hands; the source does not say how it normalises."""

_MARGIN = 0.04
"""Around the hand's box, as a share of each of its sides: its outline is known to a pixel in 128."""

_BLUR = 0.5 / 256
"""Share of the input's side: takes away the grid that enlarging leaves, and little of a growth plate."""

_TONES = (1.0, 99.5)
"""Percentiles of the hand's gray values that become black and white."""

_MIDDLE = 0.45
"""Gray value that the hand's median becomes, by a power: films and detectors have tone curves of their own."""

_POWERS = (0.4, 2.5)

_COARSE = 150
"""Pixels of a hand's length below which growth plates blur into the bone."""

_POINTING = {1: "to the left", 2: "down", 3: "to the right"}


def prepare(images: Sequence["Radiograph"], context: Mapping[str, object], edits: ModelInput) -> Prepared:
    """Find the hand, make bone bright, cut it out, turn its fingers up, squash it to a square, even its tones out.

    The hand's own box is the frame, so it matters little whether an archive has squashed its images, and labels, wide
    margins and films' frames mostly go. It is resampled before its tones are evened out, so that a file of 100 pixels
    and one of 2,000 look alike. Left and right are not told apart: training mirrors at random.

    Args:
        images: one radiograph of a hand.
        context: "sex" ("F", "M" or None) and "age_months" (the chronological age or None); what is left out is None.
        edits: the user's edits; a size, a turn or a swap of theirs replaces the task's.

    Raises:
        InputError: a crop box outside the image, an edit outside its range, or an impossible sex or age.
    """
    (image,) = images
    known = _check_context(context)
    edits.check()
    gray, size = image.windowed(), edits.size or SIZE
    shape = (gray.shape[0], gray.shape[1])
    hand = find_hand(gray)
    box, source = _choose_box(gray, edits.crop, hand)
    swap = edits.swap if edits.swap is not None else hand is not None and hand.swapped
    turn = edits.turn if edits.turn is not None else (hand.turn or 0) if hand is not None else 0
    small = smooth(resize(crop(gray, box), size, size), _BLUR * size)
    even = _even_tones(1 - small if swap else small, _inside(hand, box, shape, size))
    upright = np.ascontiguousarray(np.rot90(even, -turn))
    view = adjust(upright, edits.brightness, edits.contrast, edits.sharpness)
    return Prepared(
        tensor=np.asarray((view - MEAN) / STD, dtype=np.float32)[None, None],
        placements=(Placement(shape, box, size, (0, 0, size, size), turn),),
        view=(view,),
        warnings=(*_sex_in_header(image, known), *_warnings(hand, edits, box)),
        crop_sources=(source,),
        hand=hand,
        context=known,
    )


def _check_context(context: Mapping[str, object]) -> dict[str, Any]:
    age = context.get("age_months")
    return {
        "sex": check_sex(context.get("sex")),
        "age_months": None if age is None else check_age(float(age)),  # type: ignore[arg-type]
    }


def _sex_in_header(image: "Radiograph", known: Mapping[str, object]) -> tuple[str, ...]:
    """A header's sex is not taken unasked: pictures of several children may come in one child's file."""
    stated = sex_in_header(image.header)
    if known["sex"] is not None or stated is None:
        return ()
    child = {"F": "a girl", "M": "a boy"}[stated]
    return (f"The file's header says that this is {child}. State the sex if that is so: the age is then told better.",)


def _choose_box(gray: Gray, chosen: Box | None, hand: HandField | None) -> tuple[Box, CropSource]:
    height, width = gray.shape
    if chosen is not None:
        return check_box(chosen, (height, width)), "user"
    if hand is None:
        return check_box(trim_margins(gray), (height, width)), "margins"
    left, top, right, bottom = hand.box
    across, down = round((right - left) * _MARGIN), round((bottom - top) * _MARGIN)
    box = (max(left - across, 0), max(top - down, 0), min(right + across, width), min(bottom + down, height))
    return check_box(box, (height, width)), "hand"


def _inside(hand: HandField | None, box: Box, shape: tuple[int, int], size: int) -> Mask | None:
    """Bool [size, size] over the box: what is hand; None where hardly anything is."""
    if hand is None:
        return None
    left, top, right, bottom = box
    side = hand.mask.shape[0]
    middles = (np.arange(size) + 0.5) / size
    rows = ((top + middles * (bottom - top)) * side / shape[0]).astype(np.int64)
    columns = ((left + middles * (right - left)) * side / shape[1]).astype(np.int64)
    mask = hand.mask[np.ix_(rows, columns)]
    return mask if mask.mean() > 0.05 else None


def _even_tones(small: Gray, inside: Mask | None) -> Gray:
    """Stretch what is hand to [0, 1], its median to the middle; the rest is cut to that range."""
    values = small if inside is None else small[inside]
    low, middle, high = (float(value) for value in np.percentile(values, (_TONES[0], 50, _TONES[1])))
    if high - low < 1e-4:
        return np.full_like(small, 0.5)
    share = min(max((middle - low) / (high - low), 0.01), 0.99)
    power = min(max(np.log(_MIDDLE) / np.log(share), _POWERS[0]), _POWERS[1])
    return np.asarray(np.clip((small - low) / (high - low), 0, 1) ** power, dtype=np.float32)


def _warnings(hand: HandField | None, edits: ModelInput, box: Box) -> tuple[str, ...]:
    found = []
    if hand is None and edits.crop is None:
        found.append(
            "No outline of a hand was found in this image, so the network reads all of it but uniform margins. Draw a "
            "crop box around the hand for a better reading."
        )
    if hand is not None and hand.swapped and edits.swap is None:
        found.append("Bone is dark in this image; black and white were swapped before the network read it.")
    if hand is not None and hand.turn and edits.turn is None:
        found.append(
            f"The fingers point {_POINTING[hand.turn]} in this image; the network reads it turned, fingers up."
        )
    if hand is not None and hand.turn is None and edits.turn is None:
        found.append(
            "Which way the fingers point could not be told, as of a closed hand, so the network reads the hand as it "
            "lies. If the fingers do not point up, turn it (“Model input”, or --turn)."
        )
    length = max(box[2] - box[0], box[3] - box[1])
    if length < _COARSE:
        found.append(
            f"The hand is only {length} pixels long in this image, so that growth plates are hardly seen. Use a file "
            "of higher resolution if there is one."
        )
    return tuple(found)


def build_model(settings: Mapping[str, Any]) -> "nn.Module":
    """Network from the card's settings: cbam, shortcuts, inception, sex_head."""
    from cxrkit.models.tjnet import TjNet

    return TjNet(
        cbam=settings["cbam"],
        shortcuts=settings["shortcuts"],
        inception=settings["inception"],
        sex_head=settings["sex_head"],
    )


BONE_AGE = Task(
    name="bone_age",
    title="Bone age",
    summary="One radiograph of a child's hand: bone age with its interval, and how far it is from the child's own age.",
    inputs=("radiograph of a hand",),
    labels=tuple(f"{age:.0f} months" for age in CLASS_AGES),
    called=None,
    values=tuple(float(age) for age in CLASS_AGES),
    activation="softmax",
    input_size=SIZE,
    mean=MEAN,
    std=STD,
    prepare=prepare,
    build_model=build_model,
    train_command="python -m train.bone_age weights --data FOLDER",
    source="TJ-Net: Tang et al. 2020, 10.3233/ATDE200080.",
    intended_use="Research, teaching and qualitative error review on radiographs of one hand of a child or adolescent.",
    limits=(
        "Not a medical device; not for diagnosis or treatment of patients.",
        "The reference ages of the training images are radiologists' readings by the standards of Greulich and Pyle at "
        "two hospitals in the United States; other standards and populations differ.",
        "The network learned from small copies of the radiographs, most of them 100 pixels a side. Radiologists read "
        "growth plates at full resolution.",
        "A hand whose outline doesn't show where the fingers are, such as a fist, is read as it lies: turn it up "
        "yourself.",
        "Hands after injury or surgery, and skeletal dysplasias, were not measured.",
        "The image guard learned hands from one set. Of another hospital it stops lateral hands, hands in a cast and "
        "several at a time, as it should; three flat ones passed (its own card). Whoever insists gets an age all the "
        "same.",
    ),
    context=("sex",),
    beside=("age_months",),
    further=(Further("sex", SEXES, "F", (77, 78)),),
    least_size=192,
    reads="hand",
    target_column="age_months",
    icon=":material/back_hand:",
)
