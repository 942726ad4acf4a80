"""What can be taken away: the overlay as PNG, the result as JSON. Neither holds a file name or header text."""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from cxrkit.card import Card
from cxrkit.colours import diverging, turbo
from cxrkit.image import Radiograph
from cxrkit.task import Task
from pages.ui.analysis import Explained, Reading
from pages.ui.guard import doubts
from pages.ui.shell import FOOTER
from pages.ui.truth import Truth, draw_truth, figures, truth_in_words
from pages.ui.words import edits_in_words, place, share

if TYPE_CHECKING:
    from PIL.Image import Image

    from cxrkit.explain import Heatmap

Made = Callable[[], bytes] | Callable[[], str]

_KINDS = {
    "png": ("image/png", ":material/image:"),
    "json": ("application/json", ":material/data_object:"),
    "csv": ("text/csv", ":material/table:"),
    "html": ("text/html", ":material/description:"),
}
"""MIME type and icon by the ending of a file's name."""

LONGEST = 1600
"""Longer side of an exported image in pixels."""

OPACITY, FAINTEST = 0.45, 0.25
"""As the viewer starts: how strong the colours are, and from which share of the maximum they show."""

LINE = 110
"""Letters of a line of the legend."""

LIBRARIES = ("streamlit", "torch", "torchvision", "timm", "grad-cam", "pydicom", "opencv-python-headless", "numpy")


def downloads(
    task: Task, card: Card, image: Radiograph, readings: Sequence[Reading], truth: Truth | None = None
) -> None:
    """What can be taken away of one image. `truth` is known of simulated images only."""
    said = doubts(task, image)
    take_away(
        task,
        "Overlay (PNG)",
        partial(overlay_png, task, card, image, readings[-1], truth, said),
        partial(result_json, task, card, readings, truth, said),
    )


def take_away(
    task: Task,
    name: str,
    picture: Callable[[], bytes],
    result: Callable[[], str],
    scores: Callable[[], str] | None = None,
) -> None:
    """Buttons for a picture of this name, a result and, of several labels, a table; each is made when asked for."""
    files: list[tuple[str, str, Made]] = [
        (name, f"{task.name}-overlay.png", picture),
        ("Result (JSON)", f"{task.name}-result.json", result),
    ]
    if scores is not None:
        files.append(("Scores (CSV)", f"{task.name}-scores.csv", scores))
    st.subheader("Take away", anchor=False)
    file_buttons(task.name, files)
    st.caption(
        "The PNG shows pixels of the radiograph. Text burned into them, such as a name, shows too: look before you "
        "pass it on. No file name, date or header of a person is in any of these files."
    )


def file_buttons(key: str, files: Sequence[tuple[str, str, Made]]) -> None:
    """Buttons side by side; each file is made when it is asked for.

    Args:
        key: of the page; no two of its files are of one kind.
        files: words on the button, name of the file, what makes it.
    """
    with st.container(horizontal=True):
        for words, name, made in files:
            kind = name.rpartition(".")[2]
            mime, icon = _KINDS[kind]
            st.download_button(
                words, made, file_name=name, mime=mime, key=f"{key}.{kind}", icon=icon, on_click="ignore"
            )


def result_json(
    task: Task, card: Card, readings: Sequence[Reading], truth: Truth | None = None, said: Sequence[str] = ()
) -> str:
    """The last reading, with the unedited scores beside it where there were edits, and what the image guard said."""
    reading = readings[-1]
    result: dict[str, Any] = {
        "task": task.name,
        "weights": card.sha256,
        "scores": dict(reading.prediction.scores),
        "threshold": reading.prediction.threshold,
        "label": reading.prediction.label,
        "unedited_scores": dict(readings[0].prediction.scores),
        **how_it_was_read(reading),
        "warnings": [*said, *reading.prediction.warnings],
        **software(),
    }
    result["heatmap"] |= {"share_in_lungs": reading.heat_in_lungs, "lungs_fill": reading.lungs_fill}
    if truth is not None:
        result["simulated"] = {"lesions": figures(truth, reading)}
    return json.dumps(result, indent=1) + "\n"


def how_it_was_read(reading: Explained) -> dict[str, Any]:
    """Edits, crop and heatmap of a reading, for a file."""
    box = reading.prepared.placements[0].box
    return {
        "edits": asdict(reading.edits),
        "crop": dict(zip(("left", "top", "right", "bottom"), box, strict=True))
        | {"chosen_by": reading.prepared.crop_sources[0]},
        "heatmap": {
            "label": reading.heatmap.label,
            "method": str(reading.heatmap.method),
            "raw_maximum": reading.heatmap.maximum,
        },
    }


def software() -> dict[str, Any]:
    """Versions, and what the result is not for."""
    return {"versions": {name: version(name) for name in LIBRARIES}, "note": FOOTER}


def overlay_png(
    task: Task,
    card: Card,
    image: Radiograph,
    reading: Reading,
    truth: Truth | None = None,
    said: Sequence[str] = (),
) -> bytes:
    """The radiograph at its display window with the heatmap and the true outlines over it and a legend below."""
    picture = blend(image, reading.heatmap)
    lines = [*_legend(task, card, reading), *lines_of_doubts([*said, *reading.prediction.warnings])]
    if truth is not None:
        draw_truth(picture, truth, LONGEST / max(image.values.shape))
        lines.insert(0, f"Simulated image, no patient. Dashed outline, the truth: {truth_in_words(truth)}")
    return with_legend(picture, lines)


def with_legend(picture: np.ndarray, lines: Sequence[str], *, signed: bool = False) -> bytes:
    """PNG of a picture [H, W, 3] above its legend: the colours and the lines."""
    from PIL import Image

    blended = Image.fromarray(picture)
    legend = _draw_legend(lines, blended.width, signed)
    whole = Image.new("RGB", (blended.width, blended.height + legend.height))
    whole.paste(blended, (0, 0))
    whole.paste(legend, (0, blended.height))
    file = io.BytesIO()
    whole.save(file, "PNG")
    return file.getvalue()


def blend(image: Radiograph, heatmap: "Heatmap", *, signed: bool = False) -> np.ndarray:
    """[H, W, 3] uint8, longer side LONGEST: gray with the heatmap's colours where it is strong."""
    import cv2

    height, width = image.values.shape
    scale = LONGEST / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    gray = cv2.resize(image.windowed(), size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    colour = np.repeat(np.round(gray * 255)[..., None], 3, axis=2)
    left, top, right, bottom = (round(edge * scale) for edge in heatmap.box)
    part = colour[top:bottom, left:right]
    size = (part.shape[1], part.shape[0])
    heat = np.asarray(cv2.resize(heatmap.values, size, interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    weight = np.where(np.abs(heat) >= FAINTEST, OPACITY, 0.0)[..., None]
    part[:] = part * (1 - weight) + (diverging(heat) if signed else turbo(heat)) * weight
    return np.round(colour).astype(np.uint8)


def _legend(task: Task, card: Card, reading: Reading) -> list[str]:
    score, limit = reading.prediction.scores[task.positive], reading.prediction.threshold
    return [
        f"{task.title}: score for {task.positive} {share(score)}, {place(score, limit)}",
        *lines_of_reading(reading),
        f"Weights {card.sha256[:16]}, threshold of the card {share(card.thresholds[task.positive])}",
        FOOTER,
    ]


def lines_of_doubts(said: Sequence[str]) -> list[str]:
    """What the image guard and the page said against an answer, for the legend of a picture."""
    return [line for text in said for line in wrap(f"Doubt: {text}", LINE)]


def lines_of_reading(reading: Explained) -> list[str]:
    """Heatmap and edits, for the legend of a picture."""
    heatmap = reading.heatmap
    strength = (
        "no positive evidence"
        if heatmap.empty
        else f"raw maximum {heatmap.maximum:.3g}, colours from {FAINTEST:g} of it"
    )
    return [
        f"Heatmap: {heatmap.method} for {heatmap.label}, {strength}",
        f"Edits of the model input: {edits_in_words(reading.edits)}",
    ]


def _draw_legend(lines: Sequence[str], width: int, signed: bool) -> "Image":
    from PIL import Image, ImageDraw, ImageFont

    longest = max(lines, key=len)
    size = 24
    while size > 7 and ImageFont.load_default(size).getlength(longest) > width - 2 * size:
        size -= 1
    font = ImageFont.load_default(size)
    row = round(size * 1.5)
    bar_width = min(12 * size, width - 2 * size)
    legend = Image.new("RGB", (width, row * (len(lines) + 2)), "#11161b")
    ramp = np.tile(np.linspace(-1 if signed else 0, 1, bar_width, dtype=np.float32), (size // 2, 1))
    colours = np.round(diverging(ramp)).astype(np.uint8) if signed else turbo(ramp)
    legend.paste(Image.fromarray(colours), (size, row // 2))
    draw = ImageDraw.Draw(legend)
    for index, line in enumerate(lines):
        draw.text((size, row * (index + 1) + row // 4), line, font=font, fill="#e4eaef")
    return legend
