"""Pictures that are no radiographs, drawn from a seed: pages, screens, charts, scenes, textures, line drawings.

Photographs cannot be drawn; scenes of overlapping shapes with 1/f textures share their statistics (dead leaves: Lee,
Mumford and Huang 2001; for training networks: Baradad et al. 2021). LEARNED is for training; UNSEEN is kept for
measuring, so that the figure is not about the drawing routines that were learned.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from cxrkit.pixels import Gray, gray_of

SIDE = 256
_LETTERS = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:-")

Draw = Callable[[Generator], Gray]


def _canvas(level: float) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (SIDE, SIDE), round(255 * level))
    return image, ImageDraw.Draw(image)


def _gray(image: Image.Image) -> Gray:
    return gray_of(np.asarray(image))


def _words(rng: Generator, length: int) -> str:
    words = ("".join(rng.choice(_LETTERS, rng.integers(2, 10))) for _ in range(length))
    return " ".join(words)


def _two_levels(rng: Generator) -> tuple[float, int]:
    """Ground in [0, 1] and ink in 0 to 255, far apart, either of them the brighter one."""
    ground, ink = rng.uniform(0.75, 1.0), rng.uniform(0.0, 0.35)
    if rng.random() < 0.3:
        ground, ink = ink, ground
    return float(ground), round(255 * float(ink))


def _spectrum(rng: Generator, exponent: float) -> Gray:
    """Noise whose amplitude falls with frequency to this power, in [0, 1]."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.rfftfreq(SIDE), indexing="ij"))
    frequency[0, 0] = 1 / SIDE
    noise = np.fft.rfft2(rng.standard_normal((SIDE, SIDE))) / frequency**exponent
    field = np.fft.irfft2(noise, (SIDE, SIDE))
    return np.asarray((field - field.min()) / np.ptp(field), dtype=np.float32)


def text_page(rng: Generator) -> Gray:
    """Lines of text in one or two columns, a title, perhaps a figure."""
    ground, ink = _two_levels(rng)
    image, draw = _canvas(ground)
    size = int(rng.integers(6, 22))
    columns = int(rng.integers(1, 3))
    width = SIDE // columns
    for column in range(columns):
        y, left = int(rng.integers(4, 40)), column * width + int(rng.integers(2, 20))
        while y < SIDE - size:
            line = _words(rng, int(rng.integers(1, 9)))
            font = ImageFont.load_default(size * (2 if rng.random() < 0.08 else 1))
            while line and font.getlength(line) > width - 20:
                line = line[:-1]
            draw.text((left, y), line, font=font, fill=ink)
            y += round(size * rng.uniform(1.2, 1.8))
    if rng.random() < 0.3:
        x, y = rng.integers(0, SIDE - 90, 2)
        image.paste(Image.fromarray(np.uint8(255 * scene(rng)[:80, :80])), (int(x), int(y)))
    return _gray(image)


def screen(rng: Generator) -> Gray:
    """Windows with bars, buttons, text and pictures."""
    image, draw = _canvas(rng.uniform(0, 1))
    for _ in range(rng.integers(1, 6)):
        x, y = (int(v) for v in rng.integers(-30, 180, 2))
        w, h = (int(v) for v in rng.integers(50, 250, 2))
        ground, ink = _two_levels(rng)
        draw.rectangle((x, y, x + w, y + h), fill=round(255 * ground), outline=ink)
        draw.rectangle((x, y, x + w, y + 12), fill=int(rng.integers(0, 256)))
        for row in range(y + 16, y + h - 8, int(rng.integers(10, 24))):
            if rng.random() < 0.7:
                draw.text((x + 6, row), _words(rng, int(rng.integers(1, 5)))[: w // 7], fill=ink)
            else:
                draw.rounded_rectangle((x + 6, row, x + w // 3, row + 9), 3, fill=int(rng.integers(0, 256)))
    return _gray(image)


def chart(rng: Generator) -> Gray:
    """Axes with bars, lines, points or a pie."""
    ground, ink = _two_levels(rng)
    image, draw = _canvas(ground)
    draw.line((30, 15, 30, 225), fill=ink, width=2)
    draw.line((30, 225, 245, 225), fill=ink, width=2)
    for tick in range(40, 240, int(rng.integers(18, 40))):
        draw.text((4, tick - 15), str(rng.integers(0, 999)), fill=ink)
        draw.text((tick, 230), str(rng.integers(0, 99)), fill=ink)
    style = rng.integers(4)
    if style == 0:
        step = int(rng.integers(10, 40))
        for x in range(38, 240, step):
            draw.rectangle((x, int(rng.integers(20, 220)), x + round(step * 0.7), 225), fill=int(rng.integers(0, 256)))
    elif style == 1:
        for _ in range(rng.integers(1, 5)):
            heights = 120 + np.cumsum(rng.normal(0, 12, 40))
            draw.line(
                list(zip(range(32, 232, 5), heights.tolist(), strict=True)), fill=ink, width=int(rng.integers(1, 4))
            )
    elif style == 2:
        for x, y in rng.uniform(30, 225, (rng.integers(20, 150), 2)):
            draw.ellipse((x, y, x + 4, y + 4), fill=ink)
    else:
        cuts = [0, *np.sort(rng.uniform(0, 360, 4)).tolist(), 360]
        for start, end in pairwise(cuts):
            draw.pieslice((50, 30, 220, 200), start, end, fill=int(rng.integers(0, 256)), outline=ink)
    return _gray(image)


def scene(rng: Generator) -> Gray:
    """Dead leaves: textured, shaded shapes that cover one another."""
    image = _spectrum(rng, rng.uniform(0.8, 2.0)) * rng.uniform(0.2, 1) + rng.uniform(0, 0.5)
    textures = [_spectrum(rng, rng.uniform(0.5, 2.2)) for _ in range(4)]
    for _ in range(rng.integers(4, 90)):
        mask = np.zeros((SIDE, SIDE), np.uint8)
        centre, radius = rng.uniform(0, SIDE, 2), 8 * (1 - rng.random()) ** -0.6
        corners = rng.integers(3, 9)
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
        if rng.random() < 0.5:
            axes = (int(radius * rng.uniform(0.4, 1)) + 1, int(radius) + 1)
            cv2.ellipse(mask, tuple(int(v) for v in centre), axes, rng.uniform(0, 180), 0, 360, 1, -1)
        else:
            outline = centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
            cv2.fillPoly(mask, [outline.astype(np.int32)], 1)
        inside = mask > 0
        image[inside] = rng.uniform(0, 1) + rng.uniform(0, 0.6) * (textures[rng.integers(4)][inside] - 0.5)
    return np.asarray(np.clip(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 2.5)), 0, 1), dtype=np.float32)


def texture(rng: Generator) -> Gray:
    """Noise of one spectrum, from white to cloudy."""
    return _spectrum(rng, rng.uniform(0, 2.5))


def soft_shapes(rng: Generator) -> Gray:
    """A gradient with soft bright and dark spots."""
    down, across = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    image = rng.uniform(-1, 1) * down + rng.uniform(-1, 1) * across
    for _ in range(rng.integers(0, 9)):
        x, y, width, height = *rng.uniform(0, 1, 2), *rng.uniform(0.03, 0.4, 2)
        image += rng.uniform(-1, 1) * np.exp(-(((across - x) / width) ** 2) - ((down - y) / height) ** 2)
    image += rng.uniform(0, 0.1) * rng.standard_normal(image.shape)
    return np.asarray((image - image.min()) / max(float(np.ptp(image)), 1e-6), dtype=np.float32)


def line_drawing(rng: Generator) -> Gray:
    """Circles, boxes and curves in strokes."""
    ground, ink = _two_levels(rng)
    image, draw = _canvas(ground)
    for _ in range(rng.integers(3, 30)):
        x, y = rng.uniform(0, SIDE, 2).tolist()
        size, width = float(rng.uniform(8, 120)), int(rng.integers(1, 6))
        style = rng.integers(3)
        if style == 0:
            draw.ellipse((x, y, x + size, y + size * float(rng.uniform(0.3, 1))), outline=ink, width=width)
        elif style == 1:
            draw.rectangle((x, y, x + size, y + size), outline=ink, width=width)
        else:
            path = np.cumsum(rng.normal(0, 12, (25, 2)), axis=0) + np.array([x, y])
            draw.line([tuple(point) for point in path.tolist()], fill=ink, width=width)
    return _gray(image)


def landscape(rng: Generator) -> Gray:
    """Sky, sun, ranges of hills, trees."""
    image = np.linspace(rng.uniform(0.5, 1), rng.uniform(0.4, 1), SIDE, dtype=np.float32)[:, None].repeat(SIDE, axis=1)
    image += 0.25 * (_spectrum(rng, 1.6) - 0.5)
    sun = tuple(int(v) for v in rng.integers(20, 130, 2))
    cv2.circle(image, sun, int(rng.integers(6, 25)), 1.0, -1)
    ground = _spectrum(rng, 1.0)
    for depth in range(rng.integers(1, 5)):
        ridge = 90 + 35 * depth + 60 * (_spectrum(rng, 1.4)[0] - 0.5)
        below = np.arange(SIDE)[:, None] > ridge[None]
        image[below] = (rng.uniform(0.1, 0.6) + 0.5 * (ground - 0.5))[below]
    for x in rng.integers(0, SIDE, rng.integers(0, 9)).tolist():
        height = int(rng.integers(30, 120))
        cv2.line(image, (x, 230), (x, 230 - height), 0.1, 3)
        cv2.circle(image, (x, 230 - height), height // 3, float(rng.uniform(0.1, 0.4)), -1)
    return np.clip(image, 0, 1)


def tiling(rng: Generator) -> Gray:
    """Bricks with mortar."""
    image = 0.3 * _spectrum(rng, 1.0)
    height, width = int(rng.integers(12, 50)), int(rng.integers(20, 90))
    for row, y in enumerate(range(0, SIDE, height)):
        for x in range(-(row % 2) * width // 2, SIDE, width):
            part = image[y + 2 : y + height, max(x + 2, 0) : max(x + width, 0)]
            part += rng.uniform(0.1, 0.7)
    return np.asarray(np.clip(image, 0, 1))


def form(rng: Generator) -> Gray:
    """A table with scribbles in its cells."""
    image, draw = _canvas(rng.uniform(0.85, 1))
    height = int(rng.integers(16, 40))
    for y in range(10, SIDE, height):
        draw.line((8, y, 248, y), fill=60)
        for x in range(8, 250, 60):
            draw.line((x, 10, x, 248), fill=60)
            path = np.cumsum(rng.normal((2.5, 0), 3, (int(rng.integers(2, 15)), 2)), axis=0)
            path += np.array([x + 5, y + height / 2])
            draw.line([tuple(point) for point in path.tolist()], fill=30, width=2)
    return _gray(image)


def portrait(rng: Generator) -> Gray:
    """Head and shoulders of a person before a wall: the scene that is closest to a chest in its outline."""
    image = 0.3 * _spectrum(rng, 1.5) + rng.uniform(0, 0.6)
    x, tone = int(rng.integers(95, 160)), float(rng.uniform(0.4, 0.9))
    cv2.ellipse(
        image,
        (x, 260),
        (int(rng.integers(70, 120)), int(rng.integers(90, 130))),
        0,
        0,
        360,
        float(rng.uniform(0, 1)),
        -1,
    )
    cv2.rectangle(image, (x - 18, 130), (x + 18, 170), 0.85 * tone, -1)
    cv2.ellipse(image, (x, 90), (42, 56), 0, 0, 360, tone, -1)
    cv2.ellipse(image, (x, 62), (46, 34), 0, 180, 360, float(rng.uniform(0, 0.5)), -1)
    for side in (-16, 16):
        cv2.ellipse(image, (x + side, 85), (7, 4), 0, 0, 360, 0.1, -1)
    cv2.ellipse(image, (x, 120), (14, 4), 0, 0, 360, 0.3, -1)
    shade = np.linspace(rng.uniform(0.6, 1), rng.uniform(0.6, 1), SIDE, dtype=np.float32)
    return np.asarray(np.clip(cv2.GaussianBlur(image * shade, (0, 0), 1.2), 0, 1), dtype=np.float32)


LEARNED: Mapping[str, Draw] = {
    "text page": text_page,
    "screen": screen,
    "chart": chart,
    "scene": scene,
    "texture": texture,
    "soft shapes": soft_shapes,
    "line drawing": line_drawing,
}
UNSEEN: Mapping[str, Draw] = {"landscape": landscape, "tiling": tiling, "form": form, "portrait": portrait}


def draw_pictures(kinds: Mapping[str, Draw], each: int, seed: int) -> list[Gray]:
    """`each` pictures [256, 256] in [0, 1] of every kind, kind by kind; the same for the same seed."""
    rng = np.random.default_rng(seed)
    return [draw(rng) for draw in kinds.values() for _ in range(each)]
