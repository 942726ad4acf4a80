"""Choosing the images of one patient, in the order of time: uploads side by side, or a simulated pair."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from cxrkit.image import MAX_FILE_BYTES, MAX_PIXELS, Radiograph, days_between
from pages.ui.errors import errors_shown
from pages.ui.pair_samples import chosen_pair, pair_chooser, simulated_visits, use_first_pair
from pages.ui.truth import Truth
from pages.ui.uploads import forget_upload, one_of_several
from pages.ui.words import listed

MOST = 8
"""Images of one timeline."""

_A_ROW = 4


@dataclass(frozen=True, eq=False)
class Visit:
    """One image of the patient.

    Attributes:
        name: on the screen, such as "Baseline".
        image: what is read.
        truth: what has changed, where the image is simulated; None where it was uploaded, and nobody knows.
        day: days since the first image; None where neither the file nor the user says.
        attribution: whose image it is, where that has to be said.
        of_another: of a simulated pair of two patients: between them neither change nor no change is right.
    """

    name: str
    image: Radiograph
    truth: Truth | None = None
    day: int | None = None
    attribution: str = ""
    of_another: bool = False


def choose_visits(key: str) -> list[Visit]:
    """Uploaders for two and more images, or a simulated pair.

    Args:
        key: unique in the app.

    Returns:
        At least two images in order, the baseline among them; none while there are no two. Of a timeline those that
        are there: one file that is missing or cannot be read costs itself alone.
    """
    names = visit_names(_count(key))
    images = _uploaded(key, names)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pair_chooser(key)
        _change_count(key, len(names))
    if chosen_pair(key) is not None:
        baseline, follow_up, truths, settings = simulated_visits(key)
        two = settings.other_seed is not None
        return [
            Visit("Baseline", baseline, truths[0], 0, of_another=two),
            Visit("Follow-up", follow_up, truths[1], settings.days, of_another=two),
        ]
    missing = [name for name, image in zip(names, images, strict=True) if image is None]
    given = {name: image for name, image in zip(names, images, strict=True) if image is not None}
    if len(given) < 2 or names[0] in missing:
        _explain_choice(key, missing)
        return []
    with st.container():  # always there: the row of days, built anew at another place, would lose what is being typed
        if missing:
            st.info(f"Still missing: {listed(missing)}. The others are compared.", icon=":material/upload_file:")
        _sizes(given)
    return [Visit(name, given[name], day=day) for name, day in _days(key, names, given).items()]


def visit_names(count: int) -> list[str]:
    """What so many images are called."""
    return ["Baseline", "Follow-up"] if count == 2 else ["Baseline", *(f"Image {n}" for n in range(2, count + 1))]


def _count(key: str) -> int:
    count: int = st.session_state.setdefault(f"_visits.{key}", 2)
    return count


def _uploaded(key: str, names: Sequence[str]) -> list[Radiograph | None]:
    """Each uploader with its own errors below it, so that one bad file leaves the others as they are."""
    images: list[Radiograph | None] = []
    for start in range(0, len(names), _A_ROW):
        row = names[start : start + _A_ROW]
        for index, (column, name) in enumerate(zip(st.columns(len(row), gap="medium"), row, strict=True), start):
            image = None
            with column, errors_shown():
                image = one_of_several(f"{key}.{index}", f"{name}: frontal chest radiograph", key)
            images.append(image)
    return images


def _change_count(key: str, count: int) -> None:
    st.button(
        "Add a later image",
        key=f"{key}.more",
        icon=":material/add:",
        on_click=_set_count,
        args=(key, count + 1),
        disabled=count == MOST,
        help="Three and more images become a timeline.",
    )
    if count > 2:
        st.button(
            "Remove the last one",
            key=f"{key}.fewer",
            icon=":material/remove:",
            on_click=_set_count,
            args=(key, count - 1),
        )


def _set_count(key: str, count: int) -> None:
    st.session_state[f"_visits.{key}"] = count
    forget_upload(f"{key}.{count}")


def _explain_choice(key: str, missing: Sequence[str]) -> None:
    st.info(
        f"Still missing: {listed(missing)}. Choose DICOM, PNG, JPEG or TIFF files of one patient, up to "
        f"{MAX_FILE_BYTES >> 20} MB and {MAX_PIXELS / 1e6:.0f} megapixels each. They are kept in this server's memory "
        "until your session ends, and are sent nowhere else.",
        icon=":material/upload_file:",
    )
    st.markdown(
        "**No images at hand?** Take a simulated pair: two computed radiographs that show no patient. What has changed "
        "between them is known, so the page can say whether the network is right."
    )
    use_first_pair(key)


def _sizes(images: Mapping[str, Radiograph]) -> None:
    """Say that different sizes do no harm."""
    if len({image.values.shape for image in images.values()}) > 1:
        stated = listed([f"{name} {_size(image)}" for name, image in images.items()])
        st.caption(
            f"The images have different sizes: {stated} pixels. Each is cropped to its own lungs and brought to the "
            "network's size, so they need not be alike."
        )


def _size(image: Radiograph) -> str:
    height, width = image.values.shape
    return f"{width} × {height}"


def _days(key: str, names: Sequence[str], images: Mapping[str, Radiograph]) -> dict[str, int | None]:
    """Days since the first image: of each from the headers, or else as typed.

    Args:
        key: unique in the app.
        names: of all places, also those without an image.
        images: by name.
    """
    first = next(iter(images.values()))
    days = {name: days_between(first, image) for name, image in images.items()}
    days[next(iter(images))] = 0
    if None in days.values():
        with st.container(horizontal=True):
            for name in [name for name, day in days.items() if day is None]:
                # By place: a follow-up is called otherwise once there is a third image.
                days[name] = _typed_day(f"{key}.day.{names.index(name)}", name, first, images[name])
    known = [(day, name) for name, day in days.items() if day is not None]
    # Of two images the comparison's own warnings say it.
    if len(images) > 2 and known != sorted(known, key=lambda each: each[0]):
        st.warning(
            "The images are not in the order of time: "
            + listed([f"{name} on day {day}" for day, name in known])
            + ". Exchange them, or bear in mind that “follow-up” below is the earlier image.",
            icon=":material/event_busy:",
        )
    return days


def _typed_day(key: str, name: str, baseline: Radiograph, image: Radiograph) -> int | None:
    """The images are in the key, so that other ones start with nothing typed."""
    typed = st.number_input(
        f"{name}: days after the baseline",
        0,
        20_000,
        value=None,
        key=f"{key}.{baseline.sha256[:12]}.{image.sha256[:12]}",
        placeholder="not known",
        persist_state="session",
        width=240,
    )
    return None if typed is None else int(typed)


def days_in_words(visits: tuple[Visit, Visit]) -> str:
    """How far apart two images were taken, as far as that is known."""
    first, second = (visit.day for visit in visits)
    names = f"{visits[0].name} and {visits[1].name.lower()}"
    if first is None or second is None:
        return f"**{names}**: days apart not known."
    days = second - first
    return f"**{names}**, {abs(days)} {'day' if abs(days) == 1 else 'days'} apart."
