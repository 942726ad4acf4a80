"""Three steps of the lesson on heatmaps: off the lesion, random weights, two labels."""

import random
from collections.abc import Sequence
from string import ascii_uppercase
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.lesson_cases import FAR, LessonCase
from pages.ui.analysis import methods
from pages.ui.lesson_network import lesson_labels, lesson_reading, lesson_stages
from pages.ui.presenter import explain
from pages.ui.results import display_pixels
from pages.ui.truth import sentence
from pages.ui.viewer import Pane, viewer
from pages.ui.words import percent, place, share

if TYPE_CHECKING:
    from cxrkit.explain import Heatmap
    from cxrkit.lesson import LessonReading, Stage
    from cxrkit.weights import LoadedModel

_TWO_ROWS = 880
"""Pixels across, in which four images stand two by two."""


def answered(key: str, question: str, options: Sequence[str]) -> str | None:
    """Ask; the answer, None while there is none.

    Args:
        key: of this question about this case.
        question: what is asked.
        options: to choose from.
    """
    return st.radio(f"**{question}**", options, index=None, key=key, persist_state="session")


def lesion_step(loaded: "LoadedModel", case: LessonCase, key: str) -> None:
    """A right answer whose map may lie off the lesion; then the same patient without the lesion."""
    reading, positive = lesson_reading(loaded, case), loaded.task.positive
    score = reading.prediction.scores[positive]
    st.markdown(
        f"**Look at** the warm colours. The score for {positive} is {share(score)}, "
        f"{place(score, reading.prediction.threshold)}: “{reading.prediction.label}” is called. This patient has a "
        f"{case.kind}."
    )
    place_for_images = st.container()
    told = answered(
        f"{key}.where.{case.seed}",
        "Does the strongest point of the map lie on the lesion?",
        ("Yes", "No", "That cannot be told from the map"),
    )
    with place_for_images:
        _panes(reading, [("what the network marks", reading.heatmap)], f"{key}.map", truth=told is not None)
    if told is None:
        return
    if reading.found is None:
        st.markdown("There is no positive evidence in this image, so there is no heat to compare.")
    else:
        spacing = reading.image.spacing_mm
        st.markdown(sentence(case.kind, reading.found, spacing and spacing[0]))
        _say_off(loaded, reading)
    without = reading.without.scores[positive]
    st.markdown(
        f"**The test that settles it.** The same patient without the {case.kind}, all else alike, scores "
        f"{share(without)} in place of {share(score)}: “{reading.without.label}” is called. "
        + (
            "The lesion has next to nothing to do with the answer. A right answer does not make the map right, and a "
            "map on the lesion would not have made the answer right."
            if abs(score - without) < 0.05
            else "So the lesion moves the answer; how much of the score is left without it is what else the network "
            "goes by."
        )
    )
    explain(
        "On a real radiograph nobody can take the lesion away. Only the mask and this twin make the error seen.", key
    )


def _say_off(loaded: "LoadedModel", reading: "LessonReading") -> None:
    from cxrkit.lesson import off_the_lesion

    if off_the_lesion(loaded, reading):
        st.markdown(
            f"The answer is right, and the map's peak is more than {percent(FAR)} of the image's height away from what "
            "makes it right."
        )


def random_step(loaded: "LoadedModel", case: LessonCase, key: str) -> None:
    """The trained network's map among those of networks whose layers are random (Adebayo et al. 2018)."""
    draw = st.session_state.setdefault(f"_{key}.draw", 0)
    found = lesson_stages(loaded, case, draw)
    order = random.Random(f"{case.seed}.{draw}").sample(range(len(found)), len(found))
    letters = ascii_uppercase[: len(found)]
    st.markdown(
        "**Look at** the four maps. One is of the trained network. In the others its layers have random weights: they "
        "have learned nothing, or have lost what they had learned."
    )
    place_for_images = st.container(width=_TWO_ROWS)
    told = answered(f"{key}.trained.{case.seed}.{draw}", "Which map is of the trained network?", letters)
    titles = (
        letters if told is None else [f"{letter}: {found[at].name}" for letter, at in zip(letters, order, strict=True)]
    )
    with place_for_images:
        shown = [(title, found[at].heatmap) for title, at in zip(titles, order, strict=True)]
        _panes(lesson_reading(loaded, case), shown, f"{key}.random", truth=told is not None)
    if told is None:
        return
    _say_random(found, letters[order.index(0)], told, loaded.task.positive)
    explain(
        "Alike: Spearman's rank correlation of the maps as drawn, 1 = the same order of all pixels, 0 = none. From the "
        "output towards the input: Adebayo et al. 2018, Sanity Checks for Saliency Maps. **Limit of this check:** a "
        "map that changes has passed it, and may still be wrong.",
        key,
    )
    st.button(
        "Draw other random weights", key=f"{key}.another", icon=":material/casino:", on_click=_draw_again, args=(key,)
    )


def _say_random(found: "Sequence[Stage]", right: str, told: str, positive: str) -> None:
    st.markdown(f"It is **{right}**" + ("." if told == right else f", not {told}."))
    st.dataframe(
        [
            {
                "Network": stage.name,
                f"Score for {positive}": share(stage.score),
                "Like the trained one's map": f"{stage.alike:+.2f}".replace("-", "−"),
                "Raw maximum": f"{stage.heatmap.maximum:.3g}",
            }
            for stage in found
        ],
        hide_index=True,
        width="stretch",
    )
    st.markdown(
        "**What it means.** A map that explains what was learned has to change when that is thrown away. Where the map "
        "of a random network looks the same, it shows edges and borders of the image and of the layers, and would look "
        "as convincing under any answer. Another draw gives other maps; a look at one is not enough."
    )


def _draw_again(key: str) -> None:
    st.session_state[f"_{key}.draw"] += 1


def labels_step(loaded: "LoadedModel", case: LessonCase, key: str) -> None:
    """The maps of both classes of one image, each scaled by its own maximum."""
    method = st.selectbox("Heatmap method", methods(), key=f"{key}.method", persist_state="session", width=240)
    maps, relation = lesson_labels(loaded, case, str(method))
    st.markdown(
        f"**Look at** the same radiograph twice: on the left what speaks for “{maps[0].label}”, on the right what "
        f"speaks for “{maps[1].label}”."
    )
    _panes(lesson_reading(loaded, case), [(f"for {heatmap.label}", heatmap) for heatmap in maps], f"{key}.labels")
    told = answered(
        f"{key}.stronger.{case.seed}",
        "Both maps reach the warmest colour. Is there as much evidence for one as for the other?",
        ("Yes, they look alike", "No, the right one is stronger", "The colours do not tell"),
    )
    if told is None:
        return
    strengths = " and ".join(f"{heatmap.maximum:.3g} for “{heatmap.label}”" for heatmap in maps)
    st.markdown(
        "**The colours do not tell.** Each map is scaled by its own maximum, so even next to no evidence becomes warm. "
        f"Before scaling the maxima are {strengths}."
    )
    number = f"{relation:+.2f}".replace("-", "−")
    st.markdown(
        f"The correlation of both maps, before what is negative is cut off, is **{number}**. "
        + (
            "They are one map with its sign turned: of two classes, what speaks for one speaks against the other. The "
            "second picture says nothing that the first did not."
            if relation < -0.99
            else "Of two classes, what speaks for one should speak against the other: −1. This method does not keep to "
            "that, because it drops signs on its way."
        )
    )
    explain(
        "So ask of every map: for which label, how strong before scaling, and what would the other label's show?", key
    )


def _panes(reading: "LessonReading", shown: "Sequence[tuple[str, Heatmap]]", key: str, *, truth: bool = True) -> None:
    """The radiograph once for each map, with the lesion's outline where `truth`."""
    pixels, window = display_pixels(reading.image)
    viewer(
        [
            Pane(
                title=f"{title} (simulated)" + (": no positive evidence" if heatmap.empty else ""),
                pixels=pixels,
                window=window,
                spacing_mm=reading.image.spacing_mm,
                heatmap=None if heatmap.empty else heatmap.values,
                heatmap_box=None if heatmap.empty else heatmap.box,
                heatmap_label=f"{heatmap.method} for {heatmap.label}",
                masks=(("lesion", reading.mask),) if truth else (),
                digest=reading.image.sha256,
                window_step=reading.image.window_step,
            )
            for title, heatmap in shown
        ],
        key=key,
        height=420,
    )
