"""The image guard: header, plain checks, network, and what it says."""

import io
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw

from cxrkit import quality
from cxrkit.card import WEIGHTS, read_card
from cxrkit.cases import Case
from cxrkit.decoded import SEVERAL_COLOURS, to_gray
from cxrkit.errors import WeightsError
from cxrkit.evaluate import predict_cases
from cxrkit.image import Radiograph, read_image
from cxrkit.image_file import load_image
from cxrkit.phantoms import ChestSettings, simulate_chest
from cxrkit.phantoms.settings import Position
from cxrkit.pixels import Gray
from cxrkit.plain_checks import header_problem, pixel_problem
from cxrkit.quality import KINDS, NAME, SWAPPED_WARNING, TRAIN_COMMAND, Verdict, check_image, guard_input
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from tests.dicom_files import make_dicom
from tests.models_for_tests import small_loaded

RNG = np.random.default_rng(0)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def image_of(gray: Gray) -> Radiograph:
    """[H, W] in [0, 1] by way of a file."""
    return read_image(png(np.uint8(np.clip(gray, 0, 1) * 255 + 0.5)))


@cache
def chest(view: Position = "PA") -> Gray:
    return np.asarray(simulate_chest(ChestSettings(seed=7, view=view, size=320)).values, dtype=np.float32)


def page_of_text(bright: bool = True) -> Gray:
    image = Image.new("L", (600, 800), 245)
    draw = ImageDraw.Draw(image)
    for row in range(20, 780, 16):
        draw.text((30, row), "The quick brown fox jumps over the lazy dog, as always in such samples.", fill=10)
    gray = np.asarray(image, dtype=np.float32) / 255
    return gray if bright else 1 - gray


@pytest.mark.parametrize("view", ["PA", "AP"])
def test_a_simulated_frontal_chest_passes(view: Position) -> None:
    verdict = check_image(image_of(chest(view)), "frontal chest")
    assert (verdict.ok, verdict.found, verdict.reasons) == (True, "frontal chest", ())
    assert verdict.probability > 0.5


@pytest.mark.parametrize(
    "change",
    [
        lambda gray: gray[:, ::-1],
        lambda gray: 0.3 + 0.3 * gray,
        lambda gray: gray**2,
        lambda gray: gray[10:-20, 15:-10],
        lambda gray: np.pad(gray, 40),
        lambda gray: gray[::4, ::4],
    ],
    ids=["mirrored", "faint", "dark", "cropped", "bordered", "80 pixels"],
)
def test_look_and_framing_do_not_matter(change: object) -> None:
    assert callable(change)
    assert check_image(image_of(change(chest())), "frontal chest").ok


def test_a_lateral_chest_is_stopped_with_a_sentence() -> None:
    verdict = check_image(image_of(chest("lateral")), "frontal chest")
    assert (verdict.ok, verdict.found) == (False, "lateral chest")
    assert verdict.reasons == (
        "This task reads a frontal chest radiograph, but the image looks like a lateral chest radiograph.",
    )


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_chest_is_stopped_and_named(turns: int) -> None:
    verdict = check_image(image_of(np.rot90(chest(), turns)), "frontal chest")
    assert (verdict.ok, verdict.found) == (False, "frontal chest, turned")
    assert "turn it so that the head is at the top" in verdict.reasons[0]


def test_an_inverted_chest_passes_with_a_warning() -> None:
    verdict = check_image(image_of(1 - chest()), "frontal chest")
    assert verdict.ok
    assert verdict.reasons == (SWAPPED_WARNING,)


def test_a_chest_is_no_hand() -> None:
    verdict = check_image(image_of(chest()), "hand")
    assert not verdict.ok
    assert verdict.found == "frontal chest"
    assert verdict.probability < read_card(WEIGHTS / NAME / "card.json").thresholds["hand"]


PLAIN = {
    "blank": (np.full((200, 200), 0.4), "blank"),
    "black": (np.zeros((200, 200)), "blank"),
    "clipped": ((RNG.random((200, 200)) > 0.5).astype(float), "fully black or fully white"),
    "tiny": (RNG.random((63, 300)), "63 pixels"),
    "a strip": (RNG.random((100, 301)), "a strip"),
    "a page": (page_of_text(), "page of text"),
    "a dark page": (page_of_text(bright=False), "page of text"),
}


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("reads", ["frontal chest", "hand"])
def test_plain_checks_stop_before_the_network(kind: str, reads: quality.Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "probabilities", lambda inputs: pytest.fail("the network was asked"))
    gray, words = PLAIN[kind]
    verdict = check_image(image_of(np.asarray(gray, dtype=np.float32)), reads)
    assert (verdict.ok, verdict.probability) == (False, 0.0)
    (reason,) = verdict.reasons
    assert words in reason


def test_a_colour_photograph_is_stopped_and_a_tinted_film_is_not() -> None:
    gray = np.uint8(chest() * 255)
    tinted = np.stack([gray, gray * 0.9, gray * 0.7], axis=2).astype(np.uint8)
    marked = np.stack([gray] * 3, axis=2)
    marked[10:30, 10:60] = (255, 0, 0)
    for colour in (tinted, marked):
        image = read_image(png(colour))
        assert pixel_problem(image, image.windowed()) is None
    blocks = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8).repeat(40, axis=0).repeat(40, axis=1)
    image = read_image(png(blocks))
    problem = pixel_problem(image, image.windowed())
    assert problem is not None
    assert "several colours" in problem.sentence


def test_colours_are_told_apart() -> None:
    gray = RNG.integers(0, 200, (50, 60), dtype=np.uint8)
    assert to_gray(np.dstack([gray] * 3))[1] == ""
    assert to_gray(np.dstack([gray, gray + 20, gray // 2]))[1] == "one tint"
    assert to_gray(RNG.integers(0, 256, (50, 60, 3), dtype=np.uint8))[1] == SEVERAL_COLOURS


@pytest.mark.parametrize(
    ("header", "reads", "found"),
    [
        ({"View position": "LL"}, "frontal chest", "lateral chest"),
        ({"View position": "Lateral"}, "frontal chest", "lateral chest"),
        ({"View position": "RLO"}, "frontal chest", "oblique chest"),
        ({"View position": "LEFT LAT"}, "frontal chest", "lateral chest"),
        ({"View position": "XTABLE_LAT"}, "frontal chest", "lateral chest"),
        ({"View position": "PROFIL"}, "frontal chest", "lateral chest"),
        ({"View position": "OBL"}, "frontal chest", "oblique chest"),
        ({"View position": "PA OBLIQUE"}, "frontal chest", "oblique chest"),
        ({"View position": "RAO"}, "frontal chest", "oblique chest"),
        ({"View position": "LPO"}, "frontal chest", "oblique chest"),
        ({"View position": "LEFT LAT DECUB"}, "frontal chest", None),
        ({"View position": "PA/LAT"}, "frontal chest", None),
        ({"View position": "ANTERIOR"}, "frontal chest", None),
        ({"Modality": "CT"}, "frontal chest", "a CT image"),
        ({"Modality": "MG"}, "hand", "a mammogram"),
        ({"Body part": "HAND"}, "frontal chest", "other radiograph"),
        ({"Body part": "CHEST"}, "hand", "other radiograph"),
        ({"Modality": "NM"}, "planar lung scan", None),
        ({"Modality": "DX", "View position": "PA", "Body part": "CHEST"}, "frontal chest", None),
        ({"Modality": "CR", "View position": "AP", "Body part": "PORT CHEST 1V"}, "frontal chest", None),
        ({"View position": "LLD"}, "frontal chest", None),
        ({"View position": "LL", "Body part": "HAND"}, "hand", None),
        ({}, "frontal chest", None),
    ],
)
def test_the_header_is_believed_where_it_is_plain(
    header: dict[str, str], reads: quality.Reads, found: str | None
) -> None:
    problem = header_problem(header, reads)
    assert (problem.found if problem else None) == found


def test_a_file_whose_header_says_lateral_is_stopped_whatever_it_shows() -> None:
    pixels = np.uint16(chest() * 4000)
    assert check_image(read_image(make_dicom(pixels, ViewPosition="PA")), "frontal chest").ok
    verdict = check_image(read_image(make_dicom(pixels, ViewPosition="LL")), "frontal chest")
    assert not verdict.ok
    assert "header says that this is a lateral view" in verdict.reasons[0]


def test_too_little_of_the_right_kind_is_stopped_with_its_probability(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = read_card(WEIGHTS / NAME / "card.json").thresholds["frontal chest"]

    def verdict(frontal: float) -> Verdict:
        shares = np.full((1, len(KINDS)), (1 - frontal) / (len(KINDS) - 2))
        shares[0, :2] = frontal, 0
        monkeypatch.setattr(quality, "probabilities", lambda inputs: shares)
        return check_image(image_of(chest()), "frontal chest")

    assert verdict(limit + 1e-6).ok
    below = verdict(limit - 1e-6)
    assert not below.ok
    assert below.probability == pytest.approx(limit, abs=1e-5)
    assert below.reasons


def test_tone_curves_and_uniform_margins_change_next_to_nothing() -> None:
    plain = guard_input(chest())
    assert plain.shape == (quality.SIZE, quality.SIZE)
    assert -1 <= plain.min() < -0.9 < 0.9 < plain.max() <= 1
    assert np.abs(guard_input(chest() ** 1.7) - plain).mean() < 0.03
    assert np.abs(guard_input(np.pad(chest(), 32)) - plain).mean() < 0.2


def test_missing_weights_say_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cxrkit.card.WEIGHTS", tmp_path)
    quality._loaded.cache_clear()
    try:
        with pytest.raises(WeightsError, match=TRAIN_COMMAND):
            check_image(image_of(chest()), "frontal chest")
    finally:
        quality._loaded.cache_clear()


def test_a_table_of_cases_is_warned_about_and_not_stopped(tmp_path: Path) -> None:
    (tmp_path / "page.png").write_bytes(png(np.uint8(page_of_text() * 255)))
    (row,) = predict_cases(small_loaded(TUBERCULOSIS), [Case(("page.png",), "1", row={}, number=2)], tmp_path)
    assert row.error == ""
    assert row.prediction is not None
    assert "page of text" in row.prediction.warnings[0]


def test_the_card_meets_the_goals_on_images_set_aside() -> None:
    metrics = {(m.name.split(": ")[-1], m.part): m for m in read_card(WEIGHTS / NAME / "card.json").metrics}
    most = {("frontal chest", "real frontal chests, set aside"): 0.02, ("hand", "real hands, set aside"): 0.02}
    for key, limit in most.items():
        assert metrics[key].value <= limit
    least = ("other body parts", "drawn", "simulated lateral", "drawn by routines that were not learned")
    for group in least:
        assert metrics["frontal chest", f"{group}, set aside"].value >= 0.9
    assert all(metric.low is not None and metric.high is not None for metric in metrics.values())


def test_real_images_set_aside(shared_data: Path) -> None:
    nih = pd.read_csv(shared_data / "nih" / "labels.csv")
    chests = [shared_data / "nih" / file for file in nih[nih["split"] == "val"]["file"][::4]]
    hands = pd.read_csv(shared_data / "boneage" / "labels.csv")
    hands_aside = [shared_data / "boneage" / file for file in hands[hands["split"] == "val"]["file_100"][::50]]
    passed = [check_image(load_image(file), "frontal chest").ok for file in chests]
    assert sum(passed) >= len(passed) - 1
    assert np.mean([check_image(load_image(file), "hand").ok for file in hands_aside]) >= 0.95
    assert not any(check_image(load_image(file), "frontal chest").ok for file in hands_aside)


@pytest.mark.parametrize(
    ("file", "ok"),
    [
        ("cr_chest_mono1_jpeg2000.dcm", True),
        ("dx_chest_mono1_jpeg2000_lossless.dcm", True),
        ("cr_hand_jpeg2000_lossless.dcm", False),
        ("cr_hip_jpeg_lossless.dcm", False),
        ("cr_leg_mono1_jpeg2000.dcm", False),
        ("ct_rle.dcm", False),
        ("photo_flowers_rle.dcm", False),
    ],
)
def test_real_dicom_files_by_their_pixels_alone(file: str, ok: bool, shared_data: Path) -> None:
    image = replace(load_image(shared_data / "dicom" / file), header={})
    assert check_image(image, "frontal chest").ok is ok
