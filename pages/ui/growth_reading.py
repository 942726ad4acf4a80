"""Looking at each image of one child and reading it: a file that cannot be read, or is no hand, costs its row alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from cxrkit.bone_age import Sex, adult_warnings
from cxrkit.errors import FrameRequired, ImageError
from cxrkit.image import Radiograph
from cxrkit.task import ModelInput, Prepared, Reads, Task
from pages.ui.analysis import encode_once
from pages.ui.compute import computed
from pages.ui.growth_course import Visit
from pages.ui.growth_images import MOST, Source
from pages.ui.models import load_libraries
from pages.ui.several_uploads import in_markdown

if TYPE_CHECKING:
    from cxrkit.age_reading import AgeReading
    from cxrkit.predict import Encoded, Prediction
    from cxrkit.quality import Verdict
    from cxrkit.weights import LoadedModel


@dataclass(frozen=True, eq=False)
class Looked:
    """What is known of a file once it was opened.

    Attributes:
        head: the image without its pixels; None where it cannot be read.
        verdict: of the image guard; None where it cannot be read.
        problem: why it cannot be read, a sentence.
        frames: how many it holds where one has to be chosen.
    """

    head: Radiograph | None
    verdict: "Verdict | None" = None
    problem: str = ""
    frames: int | None = None


@dataclass(frozen=True, eq=False)
class Hand:
    """An image that may be read.

    Attributes:
        source: where it comes from.
        head: the image without its pixels.
        remark: what the image guard found odd all the same; "" for nothing.
    """

    source: Source
    head: Radiograph
    remark: str


def hands_of(task: Task, sources: Sequence[Source], key: str) -> list[Hand]:
    """Those of the sources that are hands; what is wrong with the others is shown by number and name.

    Args:
        task: whose network will read.
        sources: in order.
        key: of the widgets.
    """
    load_libraries()
    found = []
    for given in sources:
        with st.spinner(f"Opening image {given.number} of {len(sources)} …"):
            source, looked = given, _look(given.key, task.reads, given)
        if looked.frames is not None:
            source, looked = _of_frame(given, looked, task.reads, key)
        if looked.head is None or looked.verdict is None:
            if looked.problem:
                st.error(f"**{title_of(source)}.** {looked.problem}", icon=":material/error:")
            continue
        remark = _passed(source, looked.verdict, key)
        if remark is not None:
            found.append(Hand(source, looked.head, remark))
    return found


def title_of(source: Source) -> str:
    """An image by its number and name, in Markdown."""
    return f"Image {source.number} ({in_markdown(source.name)})"


@st.cache_resource(scope="session", max_entries=2 * MOST, ttl=3600, show_spinner=False)
def _look(key: str, reads: Reads, _source: Source) -> Looked:
    """Open a file once; its pixels are not kept."""
    from cxrkit.quality import check_image

    try:
        image = _source.image()
    except FrameRequired as error:
        return Looked(None, frames=error.frames)
    except ImageError as error:
        return Looked(None, problem=str(error))
    verdict = computed(check_image, image, reads)
    return Looked(replace(image, values=np.zeros((1, 1), dtype=np.float32), valid=None), verdict)


def _of_frame(source: Source, looked: Looked, reads: Reads, key: str) -> tuple[Source, Looked]:
    """The frame that the user chooses of a file with several."""
    frame = st.number_input(
        f"{title_of(source)}: frame, 1 to {looked.frames}",
        1,
        looked.frames,
        value=None,
        key=f"{key}.frame.{source.digest[:16]}",
        persist_state="session",
        width=360,
    )
    if frame is None:
        return source, replace(looked, problem=str(FrameRequired(looked.frames or 2)))
    chosen = replace(source, frame=int(frame))
    return chosen, _look(chosen.key, reads, chosen)


def _passed(source: Source, verdict: "Verdict", key: str) -> str | None:
    """What is odd about an image that may be read, "" for nothing; None where it is stopped, which is shown."""
    overridden: set[str] = st.session_state.setdefault(f"_overridden.{key}", set())
    reasons = " ".join(verdict.reasons)
    if verdict.ok:
        return reasons
    if source.key in overridden:
        return f"{reasons} It is analysed because you asked for it; the bone age means little."
    with st.container(border=True, key=f"{key}.guard.{source.number}"):
        st.warning(f"**{title_of(source)}.** {reasons} It was not analysed.", icon=":material/front_hand:")
        st.button(
            "Analyse anyway",
            key=f"{key}.anyway.{source.number}",
            icon=":material/play_arrow:",
            on_click=overridden.add,
            args=(source.key,),
        )
    return None


def read_visit(loaded: "LoadedModel", hand: Hand, sex: Sex | None, age: float | None) -> Visit:
    """Read one hand, or look up its maps and answer for another sex or age.

    Args:
        loaded: the network.
        hand: what to read.
        sex: as stated; None where it is not.
        age: the child's own in months; None where it is not known.

    Raises:
        InputError: the network needs a sex.
    """
    from cxrkit.predict import predict

    context = {"sex": sex, "age_months": age}
    prepared, encoded = _maps(hand.source.key, loaded.card.sha256, loaded, hand.source)
    prediction = computed(
        predict, loaded, replace(prepared, context=context), replace(encoded, context=context), [hand.head]
    )
    simulated = hand.source.simulated
    return Visit(
        hand.source.number,
        hand.source.name,
        _age_of(prediction),
        tuple(filter(None, (hand.remark, *_warnings(prediction)))),
        None if simulated is None else float(simulated.bone_age),
    )


def _age_of(prediction: "Prediction") -> "AgeReading":
    if prediction.age is None:
        raise ValueError("this prediction is of no age")
    return prediction.age


def _warnings(prediction: "Prediction") -> tuple[str, ...]:
    """Without a stated sex each image would give the shares of both in a sentence of its own; the page says it once."""
    reading = _age_of(prediction)
    if reading.sex is not None:
        return prediction.warnings
    others = tuple(sentence for sentence in prediction.warnings if sentence not in reading.warnings)
    return others + adult_warnings(reading.expected, None, reading.age)


@st.cache_resource(scope="session", max_entries=MOST, ttl=3600, show_spinner=False)
def _maps(key: str, weights_sha256: str, _loaded: "LoadedModel", _source: Source) -> "tuple[Prepared, Encoded]":
    """All images of a child at once; the cache behind it holds those of a page with one or two."""
    return encode_once(_source.image(), _loaded, ModelInput())
