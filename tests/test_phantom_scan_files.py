"""Simulated scintigrams as DICOM files: what is written is what the workbench and pydicom read."""

import io

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import NuclearMedicineImageStorage

from cxrkit.errors import InputError
from cxrkit.image import read_image
from cxrkit.phantoms import Camera, LungPatient, ScanHeader, ScanSettings, simulate_scan, usual_header, write_scan

SCAN = simulate_scan(
    ScanSettings("ventilation", LungPatient(2), 4, "Kr-81m", neck=0.1, camera=Camera(matrix=64, pixel_mm=9.6))
)
HEADER = ScanHeader("LUNG VENT ANT/POST", "Kr-81m", study=7)


@pytest.mark.parametrize(("frame", "view"), [(1, "anterior"), (2, "posterior")])
def test_a_file_gives_its_counts_back(frame: int, view: str) -> None:
    image = read_image(write_scan(SCAN, HEADER), frame=frame)
    np.testing.assert_array_equal(image.values, SCAN.views[view])  # type: ignore[index]
    assert image.spacing_mm == pytest.approx((9.6, 9.6))
    assert image.header["Series description"] == "LUNG VENT ANT/POST"
    assert image.header["Radiopharmaceutical"] == "Kr-81m"
    assert image.window is not None
    assert image.window[0] == pytest.approx(0.0)


def test_the_header_is_that_of_a_static_nuclear_medicine_image() -> None:
    dataset = dcmread(io.BytesIO(write_scan(SCAN, HEADER)))
    assert dataset.SOPClassUID == NuclearMedicineImageStorage
    assert (dataset.Modality, list(dataset.ImageType)) == ("NM", ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"])
    assert [int(tag) for tag in dataset.FrameIncrementPointer] == [0x00540010, 0x00540020]
    assert list(dataset.DetectorVector) == [1, 2]
    codes = [detector.ViewCodeSequence[0] for detector in dataset.DetectorInformationSequence]
    assert [code.CodeValue for code in codes] == ["399321004", "399001007"]
    assert dataset.CountsAccumulated == sum(int(view.sum()) for view in SCAN.views.values())


def test_a_file_may_hold_one_view_and_no_code() -> None:
    stated = ScanHeader("LUNG VENT POST", coding="none")
    dataset = dcmread(io.BytesIO(write_scan(SCAN, stated, views=("posterior",))))
    assert dataset.NumberOfFrames == 1
    assert "ViewCodeSequence" not in dataset.DetectorInformationSequence[0]
    assert "Radiopharmaceutical" not in dataset.RadiopharmaceuticalInformationSequence[0]
    np.testing.assert_array_equal(dataset.pixel_array, SCAN.views["posterior"])
    with pytest.raises(InputError, match="one view or two"):
        write_scan(SCAN, stated, views=())


def test_both_files_of_a_study_share_its_identifier_and_are_the_same_every_time() -> None:
    perfusion, ventilation = usual_header("perfusion", 3), usual_header("ventilation", 3)
    files = [write_scan(SCAN, header) for header in (perfusion, ventilation)]
    first, second = (dcmread(io.BytesIO(data)) for data in files)
    assert first.StudyInstanceUID == second.StudyInstanceUID
    assert first.SeriesInstanceUID != second.SeriesInstanceUID
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert perfusion.taken > ventilation.taken
    assert write_scan(SCAN, perfusion) == files[0]


def test_a_text_too_long_for_the_header_is_refused() -> None:
    with pytest.raises(InputError, match="65 letters"):
        ScanHeader("L" * 65)
