"""What is kept of a lung scan's header: views, kind, tracer, study; and nothing that names a person."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset

from cxrkit.errors import FrameRequired, ImageError
from cxrkit.image import read_image
from cxrkit.scan_facts import ScanFacts, choose_frame, read_facts, read_scan
from cxrkit.scan_views import view_in, view_of_code, view_of_orientation
from tests.dicom_files import make_dicom, to_bytes
from tests.scans import ANTERIOR, POSTERIOR, code, detector, drawn_scan, nm_dataset, nm_file, views_file
from tests.test_privacy import CANARY, canary_dataset

EIGHT = [
    POSTERIOR, ("G-5208", "Right posterior oblique"), ("G-5222", "Right lateral projection"),
    ("G-5206", "Right anterior oblique"), ANTERIOR, ("G-5207", "Left anterior oblique"),
    ("G-5223", "Left lateral projection"), ("G-5209", "Left posterior oblique"),
]  # fmt: skip


def facts_of(data: bytes) -> ScanFacts:
    found = read_facts(data)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("value", "meaning", "view"),
    [
        ("399321004", "Anterior projection", "anterior"),
        ("G-5215", "", "anterior"),
        ("R-10206", "antero-posterior", "anterior"),
        ("G-5216", "", "posterior"),
        ("399273000", "Sagittal-oblique axial", None),
        ("49370004", "", "lateral"),
        ("G-A104", "", "lateral"),
        ("LOCAL6", "Antero-posterior oblique", "oblique"),
        ("LOCAL1", "ANT", "anterior"),
        ("LOCAL2", "Antero-posterior", "anterior"),
        ("LOCAL3", "Postero-anterior", "posterior"),
        ("LOCAL4", "Left Lateral", "left lateral"),
        ("LOCAL5", "RPO", "right posterior oblique"),
        ("", "", None),
    ],
)
def test_coded_views(value: str, meaning: str, view: str | None) -> None:
    assert view_of_code(value, meaning) == view


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("LUNG PERF ANT", "anterior"),
        ("Ventilation anterior", "anterior"),
        ("Lunge von vorn", "anterior"),
        ("vue antérieure", "anterior"),
        ("Perfusión ANTERIOR", "anterior"),
        ("LEFT LUNG ANT", "anterior"),
        ("PERF_POST", "posterior"),
        ("Lunge dorsal", "posterior"),
        ("LAO", "left anterior oblique"),
        ("Left Anterior Oblique", "left anterior oblique"),
        ("OBL POST DROITE", "right posterior oblique"),
        ("R LAT", "right lateral"),
        ("ANT/POST", None),
        ("LAO RPO", None),
        ("LATERAL", "lateral"),
        ("LUNG PERF LAT", "lateral"),
        ("LEFT RIGHT LAT", "lateral"),
        ("LAT G", "left lateral"),
        ("PROFIL D", "right lateral"),
        ("ANT OBL", "oblique"),
        ("OBLIQUE", "oblique"),
        ("RLO", "oblique"),
        ("OAD", "right anterior oblique"),
        ("OPG", "left posterior oblique"),
        ("PERF OAI", "left anterior oblique"),
        ("ANT LAT", None),
        ("Perfusion post ventilation", None),
        ("Perf post Technegas", None),
        ("Perf post TechneGas ant", "anterior"),
        ("Post MAA", None),
        ("Post 99mTc-MAA", None),
        ("LUNG PERF POST INJ", None),
        ("Static post ventilation", None),
        ("V/Q PERF POST VENT", None),
        ("POST PERF", "posterior"),
        ("LUNG POST PERF", "posterior"),
        ("V/Q POST VENT", "posterior"),
        ("LUNG VENT POST LUNG", "posterior"),
        ("PERF POST LAT", "oblique"),
        ("ANTE", None),
        ("important", None),
        ("VENT", None),
    ],
)
def test_views_in_words(text: str, view: str | None) -> None:
    assert view_in(text) == view


def test_views_by_the_directions_of_rows_and_columns() -> None:
    assert [view_of_orientation(row, "F") for row in "LRAP"] == [
        "anterior", "posterior", "right lateral", "left lateral"
    ]  # fmt: skip
    assert view_of_orientation("L", "P") is None


def test_the_anterior_one_of_eight_views_is_chosen_and_read() -> None:
    frames = np.stack([drawn_scan(move=(index, 0)) for index in range(8)])
    data = views_file(EIGHT, frames, SeriesDescription="LUNG PERF", CountsAccumulated=4_000_000)
    facts = facts_of(data)
    assert facts.views[:2] == ("posterior", "right posterior oblique")
    assert (facts.modality, facts.scan_type, facts.stated_counts) == ("NM", "STATIC", 4_000_000)
    assert choose_frame(facts) == 5
    image = read_scan(data)
    np.testing.assert_array_equal(image.values, frames[4])
    assert (image.view, image.scan) == ("anterior", facts)
    other = read_scan(data, frame=1)
    np.testing.assert_array_equal(other.values, frames[0])
    assert other.view == "posterior"
    with pytest.raises(FrameRequired):
        read_image(data)
    with pytest.raises(ImageError, match="no frame 9"):
        read_scan(data, frame=9)


def test_detectors_counted_from_0_are_taken_in_their_order() -> None:
    assert facts_of(views_file([ANTERIOR, POSTERIOR], DetectorVector=[0, 1])).views == ("anterior", "posterior")


def test_a_detector_serves_the_frames_that_name_it() -> None:
    data = views_file([POSTERIOR, ANTERIOR], np.stack([drawn_scan()] * 3))
    assert facts_of(data).views == ("posterior", "anterior", None)
    single = nm_dataset(drawn_scan(), DetectorInformationSequence=[Dataset()])
    single.DetectorInformationSequence[0].ViewCodeSequence = [code(*ANTERIOR)]
    assert facts_of(to_bytes(single)).views == ("anterior",)


@pytest.mark.parametrize(
    ("elements", "view"),
    [
        ({"DetectorVector": [2]}, "posterior"),
        ({"DetectorVector": [0]}, None),
        ({"DetectorVector": [3]}, None),
        ({"DetectorVector": [2], "SeriesDescription": "PERF ANT"}, "posterior"),
        ({"SeriesDescription": "LUNG PERF POST"}, "posterior"),
        ({}, None),
    ],
)
def test_one_frame_of_two_detectors_is_not_that_of_the_first(elements: dict[str, Any], view: str | None) -> None:
    detectors = [detector(*ANTERIOR), detector(*POSTERIOR)]
    assert facts_of(nm_file(drawn_scan(), DetectorInformationSequence=detectors, **elements)).views == (view,)


@pytest.mark.parametrize(
    ("views", "words"), [([POSTERIOR, POSTERIOR], "none of them"), ([ANTERIOR, ANTERIOR], "2 of them are anterior")]
)
def test_a_file_without_one_anterior_view_cannot_be_told(views: list[tuple[str, str]], words: str) -> None:
    data = views_file(views)
    assert choose_frame(facts_of(data)) is None
    with pytest.raises(ImageError, match=words):
        read_scan(data)
    assert read_scan(data, frame=2).values.shape == (224, 224)


@pytest.mark.parametrize(
    "elements",
    [
        {"ViewCodeSequence": [code(*ANTERIOR)]},
        {"ViewCodeSequence": [code("399321004", "", "SCT")]},
        {"ViewPosition": "ANT"},
        {"PatientOrientation": ["L", "F"]},
        {"SeriesDescription": "LUNG PERF ANT"},
        {"ImageID": "ANT PERF"},
    ],
    ids=["SRT", "SCT", "position", "orientation", "series", "image"],
)
def test_the_view_of_a_single_frame_is_found_elsewhere_too(elements: dict[str, Any]) -> None:
    assert facts_of(nm_file(drawn_scan(), **elements)).views == ("anterior",)


def test_functional_groups_state_views_too() -> None:
    groups = [Dataset(), Dataset()]
    for group, view in zip(groups, (POSTERIOR, ANTERIOR), strict=True):
        macro = Dataset()
        macro.ViewCodeSequence = [code(*view)]
        group.FrameAnatomySequence = [macro]
    data = nm_file(np.stack([drawn_scan()] * 2), PerFrameFunctionalGroupsSequence=groups)
    assert facts_of(data).views == ("posterior", "anterior")


def test_a_modifier_turns_a_view() -> None:
    anterior = code(*ANTERIOR)
    anterior.ViewModifierCodeSequence = [code("R-102C1", "oblique")]
    assert facts_of(nm_file(drawn_scan(), ViewCodeSequence=[anterior])).views == ("oblique",)


def test_the_tracer_is_named_as_text_and_by_codes() -> None:
    item = Dataset()
    item.Radiopharmaceutical = "Tc-99m MAA"
    item.RadiopharmaceuticalCodeSequence = [code("C-B1302", "Macroaggregated albumin Tc^99m^")]
    item.RadionuclideCodeSequence = [code("C-163A8", "^99m^Technetium")]
    found = facts_of(nm_file(drawn_scan(), RadiopharmaceuticalInformationSequence=[item]))
    assert found.radiopharmaceutical == "Tc-99m MAA; Macroaggregated albumin Tc^99m^; ^99m^Technetium"


def test_scans_of_one_study_share_a_key_that_does_not_show_it() -> None:
    uid = "1.2.840.99999.1"
    first, second = (facts_of(nm_file(drawn_scan(), StudyInstanceUID=uid, InstanceNumber=n)) for n in (1, 2))
    assert first.study is not None
    assert first.study == second.study
    assert len(first.study) == 12
    assert uid not in first.study
    assert facts_of(nm_file(drawn_scan(), StudyInstanceUID=uid + "2")).study != first.study
    assert facts_of(nm_file(drawn_scan())).study is None


def test_other_files_have_no_facts_and_are_read_as_ever() -> None:
    assert read_facts(b"\x89PNG\r\n\x1a\n") is None
    image = read_scan(make_dicom(drawn_scan()))
    assert image.scan is not None
    assert image.scan.views == (None,)
    assert image.view is None


def test_a_damaged_header_is_one_error() -> None:
    data = nm_file(drawn_scan())
    with pytest.raises(ImageError):
        read_scan(data[:200] + b"\xff" * 60)


def test_the_scan_type_is_a_term_of_the_standard_or_nothing() -> None:
    dataset = nm_dataset(drawn_scan())
    assert read_image(to_bytes(dataset)).header["Scan type"] == "STATIC"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", CANARY, "EMISSION"]
    assert "Scan type" not in read_image(to_bytes(dataset)).header
    assert facts_of(to_bytes(dataset)).scan_type == ""


def test_canary_is_nowhere_in_the_facts() -> None:
    dataset, _ = canary_dataset()
    dataset.Modality, dataset.SeriesDescription = "NM", "LUNG PERF"
    dataset.StudyInstanceUID = "1.2.3"
    nested = Dataset()
    nested.PatientName = CANARY
    nested.Radiopharmaceutical = "MAA"
    dataset.RadiopharmaceuticalInformationSequence = [nested]
    found = facts_of(to_bytes(dataset))
    assert CANARY not in repr(found)
    assert found.radiopharmaceutical == "MAA"


def test_real_files(shared_data: Path) -> None:
    bone = facts_of((shared_data / "dicom" / "nm_bone_scan_jpeg_lossless.dcm").read_bytes())
    assert (bone.frames, bone.modality, bone.scan_type, bone.stated_counts) == (1, "NM", "WHOLE BODY", 3596452)
    heart = (shared_data / "dicom" / "nm_heart_13_frames.dcm").read_bytes()
    assert facts_of(heart).frames == 13
    assert facts_of(heart).scan_type == "RECON TOMO"
    with pytest.raises(ImageError, match=r"reconstructed tomographic slice.*Choose a planar lung scan"):
        read_scan(heart)
