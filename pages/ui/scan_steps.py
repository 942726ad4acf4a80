"""How a scan was prepared, step by step: binary image, two lungs, midpoint, shift."""

import numpy as np
import streamlit as st

from cxrkit.lung_scan import LEVEL, SIZE, Aligned, Point, mean_image
from cxrkit.task import Prepared

_TIMES = 2
"""Pixels of a picture for one of the frame."""

_LUNGS = ((86, 180, 233), (230, 159, 0))
"""Colours of the lung at the image's left and of that at its right; told apart by the colour-blind too."""

_MARK, _CENTRE = (240, 228, 66), (255, 80, 160)

Picture = np.ndarray
"""[2 * SIZE, 2 * SIZE, 3] uint8 RGB; drawn into in place."""

Step = tuple[str, Picture, str]
"""Title, picture, words."""


def preparation_steps(prepared: Prepared) -> None:
    """Pictures and words of each step.

    Args:
        prepared: of a lung scan.
    """
    aligned = prepared.scan
    if aligned is None:
        raise ValueError("this is no lung scan's preparation")
    st.markdown(
        "A network that sees the lungs in another place each time would have to learn places. So they are brought to "
        "the middle first."
    )
    steps = [_resampled(aligned), _binary(aligned), _lungs(aligned), _moved(aligned), _read(prepared)]
    with st.container(horizontal=True, gap="medium"):
        for number, (title, picture, words) in enumerate(steps, start=1):
            with st.container(width=300):
                st.markdown(f"**{number}. {title}**")
                st.image(picture, width=280, output_format="PNG", alt=f"Step {number}: {title.lower()}")
                st.markdown(words)


def _resampled(aligned: Aligned) -> Step:
    return (
        "Resampled",
        _gray(aligned.resampled),
        f"To {SIZE} × {SIZE} pixels, and the values stretched: the lowest becomes 0, the highest 255.",
    )


def _binary(aligned: Aligned) -> Step:
    share = 100 * float(aligned.binary.mean())
    return (
        "Binary",
        _gray(255 * aligned.binary),
        f"White from {LEVEL} on, black below: {share:.0f} % of the image are white.",
    )


def _lungs(aligned: Aligned) -> Step:
    if aligned.centroids is None or aligned.midpoint is None:
        return (
            "The mean image in place of two lungs",
            _gray(mean_image()),
            "The two largest white parts are not two lungs side by side, so there are no two centroids. The scan is "
            "moved to where it is most like this mean of the training scans instead.",
        )
    picture = _gray(255 * aligned.binary) // 2
    for colour, centroid in zip(_LUNGS, aligned.centroids, strict=True):
        part = aligned.components == _component(aligned, centroid)
        picture[part.repeat(_TIMES, axis=0).repeat(_TIMES, axis=1)] = colour
    _line(picture, *aligned.centroids)
    for centroid in aligned.centroids:
        _dot(picture, centroid, (0, 0, 0))
    _dot(picture, aligned.midpoint, _MARK)
    _cross(picture)
    (x0, y0), (x1, y1) = aligned.centroids
    x, y = aligned.midpoint
    return (
        "Two centroids and their midpoint",
        picture,
        f"The two largest white parts are the lungs. Centroids (black) at {x0:.0f}, {y0:.0f} and {x1:.0f}, {y1:.0f}; "
        f"their midpoint (yellow) at {x:.1f}, {y:.1f}: across and down. The cross marks the image's centre.",
    )


def _moved(aligned: Aligned) -> Step:
    picture = _gray(aligned.image)
    _cross(picture)
    top = min(max(aligned.top, 0), SIZE)
    picture[max(top * _TIMES - 1, 0) : top * _TIMES + 1, ::4] = _MARK
    how = (
        "so that the midpoint lies on the centre"
        if aligned.information is None
        else f"where the normalised mutual information is highest ({aligned.information:.3f}, of 1 to 2)"
    )
    return (
        "Moved",
        picture,
        f"By {_way(aligned.shift)}, {how}. What comes in at the rim is 0. The dotted line is where the lungs begin: "
        "above it is neck.",
    )


def _read(prepared: Prepared) -> Step:
    placement = prepared.placements[0]
    return (
        "What the network reads",
        _gray(255 * prepared.view[0]),
        f"Resampled to {placement.size} × {placement.size} pixels: a gamma camera shows no finer detail.",
    )


def _way(shift: tuple[int, int]) -> str:
    """ "3 pixels to the right and 10 pixels up"; "nothing"."""
    right, down = shift
    parts = []
    if right:
        parts.append(f"{_pixels(right)} to the {'right' if right > 0 else 'left'}")
    if down:
        parts.append(f"{_pixels(down)} {'down' if down > 0 else 'up'}")
    return " and ".join(parts) or "nothing"


def _pixels(count: int) -> str:
    return f"{abs(count)} pixel{'' if abs(count) == 1 else 's'}"


def _gray(values: np.ndarray) -> Picture:
    """[S, S] in 0 to 255 -> RGB, each side about twice the frame's."""
    times = _TIMES * SIZE // len(values)
    levels = np.round(values).astype(np.uint8).repeat(times, axis=0).repeat(times, axis=1)
    return np.repeat(levels[..., None], 3, axis=2)


def _component(aligned: Aligned, centroid: Point) -> int:
    """Of the two largest components the one with this centroid."""
    distances = []
    for label in (1, 2):
        rows, columns = np.nonzero(aligned.components == label)
        distances.append(np.hypot(columns.mean() - centroid[0], rows.mean() - centroid[1]))
    return 1 + int(np.argmin(distances))


def _place(point: Point) -> tuple[int, int]:
    return round((point[0] + 0.5) * _TIMES), round((point[1] + 0.5) * _TIMES)


def _dot(picture: Picture, point: Point, colour: tuple[int, int, int]) -> None:
    import cv2

    cv2.circle(picture, _place(point), 7, (255, 255, 255), -1, cv2.LINE_AA)
    cv2.circle(picture, _place(point), 5, colour, -1, cv2.LINE_AA)


def _line(picture: Picture, start: Point, end: Point) -> None:
    import cv2

    cv2.line(picture, _place(start), _place(end), (255, 255, 255), 2, cv2.LINE_AA)


def _cross(picture: Picture) -> None:
    """At the image's centre."""
    import cv2

    centre = (SIZE - 1) / 2
    cv2.drawMarker(picture, _place((centre, centre)), _CENTRE, cv2.MARKER_CROSS, 26, 2, cv2.LINE_AA)
