"""A bone age on the screen: cards, how it was decoded, the distribution, how it compares with a simulated truth."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cxrkit.age_interval import COVERED_UNSTATED
from cxrkit.age_reading import AgeReading
from cxrkit.bone_age import SD_SOURCE, in_words
from cxrkit.card import Card, Metric
from cxrkit.localisation import localise
from cxrkit.phantoms import HandSettings
from pages.ui.age_plot import age_figure
from pages.ui.age_question import sex_in_words
from pages.ui.age_reading import HandReading
from pages.ui.charts import show_figure
from pages.ui.hand_samples import PERSON
from pages.ui.presenter import explain
from pages.ui.truth import Truth
from pages.ui.words import (
    edits_in_words,
    interval_name,
    percent,
    percent_interval,
    sd_in_words,
    share,
    short_age,
    signed,
)

_GROUPS = {"F": "girls", "M": "boys"}


def age_cards(readings: Sequence[HandReading], card: Card) -> None:
    """The last reading's figures, how far the edits moved them, warnings, and how the age was decoded."""
    reading = readings[-1].age
    with_edits = len(readings) > 1
    kind = ", edited" if with_edits else ""
    cards = [
        (f"Bone age{kind}", short_age(reading.expected), _expected(reading)),
        (f"{interval_name(reading.coverage)}{kind}", *interval_in_words(reading, card)),
        (f"SD score{kind}", *_score(reading)),
        (
            f"Likeliest class{kind}",
            short_age(reading.likeliest),
            f"The arg-max: probability {share(max(reading.probabilities))}. Classes are three months apart.",
        ),
    ]
    for column, (title, value, words) in zip(st.columns(len(cards)), cards, strict=True):
        with column.container(border=True, height="stretch"):
            st.metric(title, value)
            st.markdown(words)
    if with_edits:
        st.markdown(_movement(readings[0].age.expected, reading.expected))
        st.caption(f"Edits: {edits_in_words(readings[-1].edits)}.")
    for warning in readings[-1].prediction.warnings:
        st.warning(warning, icon=":material/warning:")
    st.caption(_decoding(reading))


def _movement(before: float, after: float) -> str:
    """How far the edits moved the age."""
    if abs(after - before) < 0.05:
        return "The edits do not move the bone age (less than 0.05 months)."
    return (
        f"The edits move the bone age by {signed(after - before)} months, from {in_words(before)} to {in_words(after)}."
    )


def _expected(reading: AgeReading) -> str:
    return (
        f"**{in_words(reading.expected).capitalize()}** ({reading.expected:.1f} months), the mean of the distribution."
    )


def interval_in_words(reading: AgeReading, card: Card) -> tuple[str, str]:
    """Half widths; the ends in words, and how many children such intervals hold."""
    if reading.interval is None or card.interval is None:
        return "–", "This network's card has no rule for an interval."
    low, high = reading.interval
    below, above = round(reading.expected - low), round(high - reading.expected)
    width = f"± {below} m" if below == above else f"−{below} / +{above} m"
    holds = f"holds the reference age of {percent(card.interval['coverage'])} of new children from the same source"
    if reading.sex is None:
        held = [metric for metric in card.metrics if metric.name == COVERED_UNSTATED]
        holds += " where the sex is stated; without it " + (
            f"{_percent_of(held[-1])} of the {held[-1].part.rpartition(', ')[2]} that report"
            if held
            else "that was not measured"
        )
    return width, f"**{in_words(low).capitalize()}** to **{in_words(high)}**. Conformal: {holds}."


def _percent_of(figure: Metric) -> str:
    """ "85.2 % (78.0 to 90.1)"."""
    from cxrkit.metrics import Interval  # SciPy, which is not waited for where the sex is stated

    if figure.low is None or figure.high is None:
        return percent(figure.value)
    return percent_interval(Interval(figure.value, figure.low, figure.high))


def _score(reading: AgeReading) -> tuple[str, str]:
    """SD score with its verdict and table, or why there is none."""
    if reading.sd is None:
        return "–", "State the child's own age for a score."
    score = reading.sd.score
    if score is None:
        return "–", reading.sd.reason
    sex = "" if reading.sex is None else f" for {_GROUPS[reading.sex]}"
    return sd_in_words(score), (
        f"**{score.verdict.capitalize()}**: normal is −2 to +2. One SD is {score.standard_deviation:g} months at "
        f"{in_words(score.table_age)}{sex}. {SD_SOURCE}."
    )


def _decoding(reading: AgeReading) -> str:
    """How the answer came about, and what the network itself reads of the sex."""
    how = "The network doesn't read the child's own age; that enters the SD score alone."
    if reading.sex is None:
        return how
    told = f"The network was told that this is a {sex_in_words(reading.sex)}"
    if reading.female is not None:
        own = reading.female if reading.sex == "F" else 1 - reading.female
        told += f"; by itself it gives that a probability of {share(own)}"
    return f"{told}. {how}"


def distribution(key: str, reading: AgeReading, truth: float | None = None) -> None:
    """The distribution over all classes.

    Args:
        key: of the page.
        reading: of the hand.
        truth: bone age in months that a simulated hand was made with.
    """
    st.subheader("How sure is it?", anchor=False)
    show_figure(
        age_figure(reading, truth),
        key=f"{key}.distribution",
        alt="Probability of each age class, with the interval and the ages that the cards above state.",
    )
    st.caption(
        f"{len(reading.probabilities)} classes from 0 to 19 years; its standard deviation is {reading.spread:.1f} "
        "months. Ages beyond the axis have next to no probability."
    )


def against_truth(settings: HandSettings, reading: AgeReading) -> None:
    """The answer for a simulated hand beside what it was made with."""
    off = reading.expected - settings.age_months
    months = f"{abs(off):.0f} month{'' if round(abs(off)) == 1 else 's'}"
    distance = "as it should be" if abs(off) < 0.5 else f"{months} too {'old' if off > 0 else 'young'}"
    text = f"**The truth.** {in_words(settings.age_months).capitalize()}, a {PERSON[settings.sex]}. "
    text += f"The bone age is read {distance}."
    if reading.interval is not None:
        low, high = reading.interval
        held = "holds" if low <= settings.age_months <= high else "does not hold"
        text += f" The interval {held} the truth."
    st.markdown(text)
    explain(
        "Simulated hands are drawn from rules; an error on one says little about the error on a child.",
        "bone_age.simulated",
    )


def where_the_heat_lies(reading: HandReading, truth: Truth | None = None) -> None:
    """Which way the hand was read, and how much of the heat lies on it; of a simulated hand also on its bones."""
    hand, placement = reading.prepared.hand, reading.prepared.placements[0]
    if hand is None:
        st.markdown("No hand's outline was found, so how much of the heat lies on the hand is unknown.")
    else:
        untold = hand.turn is None and reading.edits.turn is None
        turned = f"turned by {90 * placement.turn}° clockwise" if placement.turn else "not turned"
        turned += ", as the fingers' direction could not be told" if untold else ""
        swapped = reading.edits.swap if reading.edits.swap is not None else hand.swapped
        st.markdown(
            f"{turned.capitalize()}; black and white {'swapped' if swapped else 'as in the file'}. Left and right "
            "hands are not told apart."
        )
    if reading.heatmap.empty:
        return
    regions = [] if hand is None else [("hand with forearm", hand.mask)]
    for name, mask in (*regions, *(truth or ())):
        heat, chance = _share_on(reading, mask)
        st.markdown(
            f"Share of this heat on the {name}: **{percent(heat)}**; heat spread evenly would give {percent(chance)}."
        )


def _share_on(reading: HandReading, mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Share of the heat on a mask of the whole image, of any resolution, and the mask's share of what was read."""
    height, width = reading.prepared.placements[0].image_shape
    left, top, right, bottom = reading.heatmap.box
    rows, columns = mask.shape
    box = (
        round(left * columns / width),
        round(top * rows / height),
        max(round(right * columns / width), round(left * columns / width) + 1),
        max(round(bottom * rows / height), round(top * rows / height) + 1),
    )
    found = localise(reading.heatmap.values, box, mask)
    return found.share, found.chance
