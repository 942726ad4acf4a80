"""Is this the kind of image that the task reads? If not, nothing is scored until the user insists."""

from concurrent.futures import Future
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.image import Radiograph
from cxrkit.task import Reads, Task
from pages.ui.compute import begun, settled
from pages.ui.models import begin_to_load_libraries, load_libraries

if TYPE_CHECKING:
    from cxrkit.quality import Verdict


def begin_guard(task: Task, image: Radiograph) -> None:
    """Let the image guard look at an image from now on, if the libraries are there; `passes_guard` waits for it."""
    if begin_to_load_libraries().done():
        _asked(image.sha256, task.reads, image)


def passes_guard(task: Task, image: Radiograph, name: str = "") -> bool:
    """Show what the image guard says, with a button that overrides it; whether the page may go on.

    The button holds for this image, in this session, whatever it is called.

    Args:
        task: whose network would read.
        image: to look at.
        name: of the image where the page has several, such as "Baseline".

    Raises:
        WeightsError: the guard's weights are missing, or do not know this kind of image.
    """
    load_libraries()
    place = f"{task.name}.{name}" if name else task.name
    verdict = _verdict(task, image)
    kept: set[str] = st.session_state.setdefault(f"_overridden.{task.name}", set())
    overridden = image.sha256 in kept
    answer = "age" if task.values else "score"
    reasons = (f"**{name}.** " if name and verdict.reasons else "") + " ".join(verdict.reasons)
    if verdict.ok or overridden:
        if reasons:
            insisted = "" if verdict.ok else f" It is analysed because you asked for it; the {answer} means little."
            st.warning(reasons + insisted, icon=":material/warning:")
        return True
    with st.container(border=True, key=f"{place}.guard"):
        st.warning(reasons, icon=":material/front_hand:")
        st.markdown(
            f"This page reads images of the kind “{task.reads}”. For anything else a network gives an answer too, and "
            "it would look like any other. It was not analysed."
        )
        st.button(
            "Analyse anyway",
            key=f"{place}.anyway",
            icon=":material/play_arrow:",
            on_click=kept.add,
            args=(image.sha256,),
        )
    return False


def doubts(task: Task, image: Radiograph) -> tuple[str, ...]:
    """What the guard said of an image that passed, or that was analysed all the same: for what is taken away."""
    return _verdict(task, image).reasons


def _verdict(task: Task, image: Radiograph) -> "Verdict":
    return settled(_asked, image.sha256, task.reads, image)


@st.cache_resource(scope="session", max_entries=8, ttl=3600, show_spinner=False)
def _asked(image_sha256: str, reads: Reads, _image: Radiograph) -> "Future[Verdict]":
    from cxrkit.quality import check_image

    return begun(check_image, _image, reads)
