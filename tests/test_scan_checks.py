"""The guard of lung scans: what is stopped, and what passes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cxrkit.image import read_image
from cxrkit.image_file import load_image
from cxrkit.phantoms import ChestSettings, HandSettings, simulate_chest, simulate_hand
from cxrkit.quality import Verdict, check_image
from cxrkit.scan_checks import scan_problem, upright_tones
from cxrkit.scan_facts import read_scan
from cxrkit.tasks.vq import VQ
from tests.scans import drawn_scan, nm_file, noisy, scan_of


def checked(image: Any) -> Verdict:
    return check_image(image, "planar lung scan")


@pytest.mark.parametrize(
    "scan",
    [
        scan_of(noisy(drawn_scan()), Modality="NM", Scan_type="STATIC"),
        scan_of(noisy(drawn_scan(neck=True)), Modality="NM", Body_part="CHEST"),
        scan_of(noisy(drawn_scan(left=False)), Modality="NM"),
        scan_of(noisy(drawn_scan())[::3, ::3], Modality="NM"),
        scan_of(255 - noisy(drawn_scan())),
    ],
    ids=["two lungs", "neck", "one lung", "coarse", "black and white swapped"],
)
def test_lung_scans_pass(scan: Any) -> None:
    verdict = checked(scan)
    assert verdict.ok, verdict
    assert verdict.found == "planar lung scan"
    assert verdict.probability > 0.1


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"Modality": "CT"}, "a CT image"),
        ({"Modality": "PT"}, "a PET image"),
        ({"Modality": "OT"}, "another modality"),
        ({"Modality": "NM", "Scan_type": "WHOLE BODY"}, "whole-body"),
        ({"Modality": "NM", "Scan_type": "TOMO"}, "tomographic"),
        ({"Modality": "NM", "Scan_type": "RECON GATED TOMO"}, "gated"),
        ({"Modality": "NM", "Scan_type": "DYNAMIC"}, "dynamic"),
        ({"Modality": "NM", "Body_part": "HEART"}, "another part"),
        ({"Modality": "NM", "Series_description": "Myocard perfusion"}, "another part"),
        ({"Modality": "NM", "Radiopharmaceutical": "Tc-99m HDP"}, "another part"),
    ],
)
def test_the_header_stops_other_scans(header: dict[str, str], words: str) -> None:
    problem = scan_problem(scan_of(drawn_scan(), **header))
    assert problem is not None
    assert words in problem.sentence


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (np.zeros((128, 128)), "empty"),
        (np.full((128, 128), 4), "empty"),
        (np.eye(128), "hardly any counts"),
        (np.tile(drawn_scan(), (5, 5)), "too large"),
        (np.tile(drawn_scan(), (4, 1)), "a strip"),
        (drawn_scan()[::8, ::8] + 100, "too small"),
        (np.linspace(10, 200, 128**2).reshape(128, 128), "no counts of lungs"),
    ],
)
def test_the_pixels_stop_what_holds_no_lungs(values: Any, found: str) -> None:
    problem = scan_problem(scan_of(values, Modality="NM"))
    assert problem is not None
    assert problem.found == found


def test_simulated_radiographs_are_stopped() -> None:
    chest = np.round(simulate_chest(ChestSettings(seed=7, size=240)).values * 255)
    assert not checked(scan_of(chest)).ok
    assert not checked(scan_of(255 - chest)).ok
    hand = simulate_hand(HandSettings(seed=1, age_months=120, sex="female", size=240)).values * 255
    assert not checked(scan_of(np.round(hand))).ok


def test_tones_ignore_a_hot_spot_and_padding() -> None:
    scan = scan_of(drawn_scan())
    plain = upright_tones(scan)
    assert (plain.min(), plain.max()) == (0, 1)
    hot = scan.values.copy()
    hot[0, 0] = 10_000
    np.testing.assert_allclose(upright_tones(replace(scan, values=hot))[1:], plain[1:], atol=1e-6)
    valid = np.ones(hot.shape, np.bool_)
    valid[0, 0] = False
    np.testing.assert_array_equal(upright_tones(replace(scan, values=hot, valid=valid)), plain)


def test_a_nuclear_medicine_file_passes_with_its_header() -> None:
    image = read_scan(nm_file(noisy(drawn_scan()), SeriesDescription="LUNG PERF ANT"))
    assert checked(image).ok


@pytest.mark.parametrize(
    "file", ["cr_chest_mono1_jpeg2000.dcm", "dx_chest_mono1_jpeg2000_lossless.dcm", "photo_flowers_rle.dcm"]
)
def test_real_radiographs_and_photographs_are_stopped_by_their_pixels_alone(file: str, shared_data: Path) -> None:
    image = replace(load_image(shared_data / "dicom" / file), header={})
    small = replace(image, values=image.values[::4, ::4].copy(), valid=None)
    assert not checked(image).ok
    assert not checked(small).ok
    assert not checked(replace(small, values=small.values.max() - small.values)).ok


def test_real_scans_of_other_organs_are_stopped(shared_data: Path) -> None:
    bone = load_image(shared_data / "dicom" / "nm_bone_scan_jpeg_lossless.dcm", read=VQ.read_file)
    assert "whole-body" in checked(bone).reasons[0]
    assert not checked(replace(bone, header={})).ok
    for frame in (1, 7, 13):
        heart = load_image(shared_data / "dicom" / "nm_heart_13_frames.dcm", frame, VQ.read_file)
        assert "tomographic" in checked(heart).reasons[0]


def test_a_real_chest_set_is_stopped(shared_data: Path) -> None:
    files = [file for file in sorted((shared_data / "nih").rglob("*.*g")) if file.suffix in {".png", ".jpg"}]
    files = files[:: len(files) // 8]
    assert not any(checked(read_image(file.read_bytes())).ok for file in files)
