"""Simulated scintigrams as DICOM files: NM Image Storage (PS3.3 A.5), both heads' views as frames of one file."""

import datetime
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydicom import Dataset, FileDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, NuclearMedicineImageStorage, generate_uid

from cxrkit.errors import InputError
from cxrkit.phantoms.scan import SimulatedScan
from cxrkit.phantoms.scan_patient import scan_stream
from cxrkit.phantoms.scan_settings import VIEWS, ScanKind, Tracer, View

Coding = Literal["SCT", "SNM3", "none"]

# PS3.16 CID 26 (projections), CID 18 (nuclides), CID 11 (routes); the older codes are those of its former editions.
_VIEW_CODES: dict[Coding, dict[View, tuple[str, str]]] = {
    "SCT": {"anterior": ("399321004", "Anterior projection"), "posterior": ("399001007", "Posterior projection")},
    "SNM3": {"anterior": ("G-5215", "anterior"), "posterior": ("G-5216", "posterior")},
}
_TECHNETIUM = ("72454006", "^99m^Technetium")
_NUCLIDES: dict[Tracer, tuple[str, str]] = {
    "Xe-133": ("80751004", "^133^Xenon"),
    "Kr-81m": ("61716009", "^81m^Krypton"),
}
_ROUTES: dict[ScanKind, tuple[str, str]] = {
    "perfusion": ("47625008", "Intravenous route"),
    "ventilation": ("446406008", "By inhalation"),
}
_WINDOWS_KEV: dict[Tracer, tuple[float, float]] = {"Xe-133": (72.0, 90.0), "Kr-81m": (171.0, 209.0)}
_TECHNETIUM_KEV = (126.5, 154.6)

_SERIES: dict[ScanKind, tuple[str, ...]] = {
    "perfusion": (
        "LUNG PERF ANT/POST",
        "PERFUSION",
        "Lung Perfusion Static",
        "PERF A/P",
        "Q planar",
        "Perfusion statisch",
        "LungPerf_AntPost",
        "Lungenperfusion ANT POST",
        "Perfusion pulmonaire",
        "Tc99m MAA PERF",
        "PERFUSIONE",
        "Perfusi\u00f3n pulmonar",
    ),
    "ventilation": (
        "LUNG VENT ANT/POST",
        "VENT",
        "Lung Ventilation Static",
        "VENT A/P",
        "V planar",
        "Ventilation statisch",
        "LungVent_AntPost",
        "Lungenventilation ANT POST",
        "Ventilation pulmonaire",
        "AEROSOL VENT",
        "VENTILAZIONE",
        "Inhalation ANT/POST",
    ),
}
_NAMES: dict[Tracer, tuple[str, ...]] = {
    "Tc-99m MAA": ("Tc99m MAA", "99mTc-Makroaggregate", "Tc-99m macroaggregated albumin", "MAA", "99mTc MAASOL"),
    "Tc-99m DTPA aerosol": ("Tc-99m DTPA aerosol", "DTPA Aerosol", "99mTc-DTPA", "Tc99m Aerosol"),
    "Tc-99m Technegas": ("Technegas", "99mTc-Technegas", "Tc-99m TECHNEGAS"),
    "Xe-133": ("Xe-133", "Xenon 133 gas", "133Xe"),
    "Kr-81m": ("Kr-81m", "81mKr", "Krypton-81m gas"),
}
_MAKERS = (
    ("SIEMENS NM", "Symbia"),
    ("GE MEDICAL SYSTEMS", "Discovery NM 630"),
    ("Mediso", "AnyScan"),
    ("ADAC", "Forte"),
)
_STUDIES = ("NM Lung V/Q", "Lung scan", "Lungenszintigraphie", "VENT/PERF LUNG", "NM LUNG VENTILATION PERFUSION")
_FIRST_DAY = datetime.datetime(2001, 3, 5, 8, 30)


@dataclass(frozen=True)
class ScanHeader:
    """What a file says of its scan, true or not.

    Args:
        series_description: up to 64 letters.
        radiopharmaceutical: as free text, up to 64 letters; "" leaves it out.
        study: number of the study; files with the same one have one Study Instance UID and one patient.
        study_description: up to 64 letters.
        maker: manufacturer and model of the camera.
        coding: how the views are coded: "SCT" (SNOMED CT, as now), "SNM3" (as in older files), or "none".
        taken: date and time of the acquisition.

    Raises:
        InputError: a text that is too long for its place in the file.
    """

    series_description: str
    radiopharmaceutical: str = ""
    study: int = 0
    study_description: str = "NM Lung V/Q"
    maker: tuple[str, str] = _MAKERS[0]
    coding: Coding = "SCT"
    taken: datetime.datetime = _FIRST_DAY

    def __post_init__(self) -> None:
        for text in (self.series_description, self.radiopharmaceutical, self.study_description, *self.maker):
            if len(text) > 64:
                raise InputError(f"A text of the header has {len(text)} letters; at most 64 have room in a DICOM file.")


def usual_header(kind: ScanKind, seed: int, tracer: Tracer | None = None) -> ScanHeader:
    """Draw a header as cameras and departments word it, which tells the truth.

    Args:
        kind: of the scan.
        seed: whole number >= 0, of the study: both kinds of one seed belong to one study, ventilation first.
        tracer: what was given; None: macroaggregates for perfusion, an aerosol for ventilation.
    """
    study = scan_stream(seed, "header")
    taken = _FIRST_DAY + datetime.timedelta(days=int(study.integers(6000)), minutes=int(study.integers(420)))
    maker = _MAKERS[int(study.integers(len(_MAKERS)))]
    study_description = _STUDIES[int(study.integers(len(_STUDIES)))]
    coding: Coding = "SCT" if study.random() < 0.6 else "SNM3"
    own = scan_stream(seed, "header", 1 if kind == "perfusion" else 2)
    names = _NAMES[tracer or ("Tc-99m MAA" if kind == "perfusion" else "Tc-99m DTPA aerosol")]
    return ScanHeader(
        series_description=_SERIES[kind][int(own.integers(len(_SERIES[kind])))],
        radiopharmaceutical=names[int(own.integers(len(names)))],
        study=seed,
        study_description=study_description,
        maker=maker,
        coding=coding,
        taken=taken + datetime.timedelta(minutes=25 if kind == "perfusion" else 0),
    )


def write_scan(scan: SimulatedScan, stated: ScanHeader, views: Sequence[View] = VIEWS) -> bytes:
    """A DICOM Part 10 file, explicit little endian, a frame for each view in the order given.

    Args:
        scan: whose counts are written.
        stated: what the file says.
        views: which views; one makes a file with one frame.

    Raises:
        InputError: no view, or one of them twice.
    """
    if not views or len(set(views)) < len(views):
        raise InputError("Choose one view or two different ones to be written.")
    dataset = _dataset(scan, stated, views)
    for part in (_general(scan, stated), _pixels(scan, views), _nuclear(scan, stated, views)):
        for keyword, value in part.items():
            setattr(dataset, keyword, value)
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _dataset(scan: SimulatedScan, stated: ScanHeader, views: Sequence[View]) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = NuclearMedicineImageStorage
    # Of the pixels too: other noise is another image.
    meta.MediaStorageSOPInstanceUID = _uid("image", stated, *views, scan.radiograph(views[0]).sha256)
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    return dataset


def _uid(*parts: object) -> UID:
    """The same for the same parts, on every machine."""
    return generate_uid(entropy_srcs=["simulated scintigram", *map(str, parts)])


def _general(scan: SimulatedScan, stated: ScanHeader) -> dict[str, Any]:
    """Patient, study, series, equipment (PS3.3 C.7.1 to C.7.5)."""
    day, time = stated.taken.strftime("%Y%m%d"), stated.taken.strftime("%H%M%S")
    patient = scan.settings.patient
    return {
        "SpecificCharacterSet": "ISO_IR 100",
        "PatientName": f"SIMULATED^{stated.study}",
        "PatientID": f"SIM{stated.study}",
        "PatientBirthDate": "",
        "PatientSex": "F" if patient.sex == "female" else "M",
        "StudyInstanceUID": _uid("study", stated.study),
        "SeriesInstanceUID": _uid("series", stated),
        "StudyID": str(stated.study),
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "StudyDescription": stated.study_description,
        "SeriesDescription": stated.series_description,
        "SeriesNumber": 1,
        "InstanceNumber": 1,
        "Manufacturer": stated.maker[0],
        "ManufacturerModelName": stated.maker[1],
        "BodyPartExamined": "LUNG",
        "PatientPosition": "HFS",
        **{f"{what}Date": day for what in ("Study", "Series", "Acquisition", "Content")},
        **{f"{what}Time": time for what in ("Study", "Series", "Acquisition", "Content")},
    }


def _pixels(scan: SimulatedScan, views: Sequence[View]) -> dict[str, Any]:
    """Image pixel and multi-frame modules (PS3.3 C.8.4.8, C.7.6.6), with a window from zero to the most counts."""
    frames = np.stack([scan.views[view] for view in views])
    most = max(int(frames.max()), 1)
    return {
        "Modality": "NM",
        "ImageType": ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "NumberOfFrames": len(views),
        "Rows": frames.shape[1],
        "Columns": frames.shape[2],
        "PixelSpacing": [f"{scan.pixel_mm:.8g}"] * 2,
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "SmallestImagePixelValue": int(frames.min()),
        "LargestImagePixelValue": int(frames.max()),
        "WindowCenter": (most + 1) / 2,
        "WindowWidth": most + 1,
        "CountsAccumulated": int(frames.sum()),
        "PixelData": frames.astype("<u2").tobytes(),
    }


def _nuclear(scan: SimulatedScan, stated: ScanHeader, views: Sequence[View]) -> dict[str, Any]:
    """Multi-frame vectors, isotope and detector modules (PS3.3 C.8.4.8 to C.8.4.11)."""
    tracer, camera = scan.settings.tracer, scan.settings.camera
    low, high = _WINDOWS_KEV.get(tracer, _TECHNETIUM_KEV)
    given = Dataset()
    given.RadionuclideCodeSequence = [_code(*_NUCLIDES.get(tracer, _TECHNETIUM))]
    given.AdministrationRouteCodeSequence = [_code(*_ROUTES[scan.settings.kind])]
    if stated.radiopharmaceutical:
        given.Radiopharmaceutical = stated.radiopharmaceutical
    energies = Dataset()
    energies.EnergyWindowLowerLimit, energies.EnergyWindowUpperLimit = low, high
    window = Dataset()
    window.EnergyWindowName = "Photopeak"
    window.EnergyWindowRangeSequence = [energies]
    return {
        "FrameIncrementPointer": [0x00540010, 0x00540020],
        "EnergyWindowVector": [1] * len(views),
        "NumberOfEnergyWindows": 1,
        "DetectorVector": list(range(1, len(views) + 1)),
        "NumberOfDetectors": len(views),
        "EnergyWindowInformationSequence": [window],
        "RadiopharmaceuticalInformationSequence": [given],
        "DetectorInformationSequence": [_detector(stated.coding, view, camera.field_mm) for view in views],
        "PatientOrientationCodeSequence": [_code("102538003", "recumbent")],
        "PatientGantryRelationshipCodeSequence": [_code("102540008", "headfirst")],
        "AcquisitionTerminationCondition": "CNTS",
        "ActualFrameDuration": 240_000,
    }


def _detector(coding: Coding, view: View, field_mm: tuple[float, float]) -> Dataset:
    detector = Dataset()
    detector.CollimatorType = "PARA"
    detector.FocalDistance = 0
    detector.FieldOfViewShape = "RECTANGLE"
    detector.FieldOfViewDimensions = [round(field_mm[1]), round(field_mm[0])]
    if coding != "none":
        detector.ViewCodeSequence = [_code(*_VIEW_CODES[coding][view], scheme=coding)]
        detector.ViewCodeSequence[0].ViewModifierCodeSequence = []
    return detector


def _code(value: str, meaning: str, scheme: str = "SCT") -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code
