"""The few facts of a DICOM header that are kept: an allowlist for the screen, the spacing, the view, the date."""

import datetime
import re

from pydicom import Dataset

from cxrkit.scan_views import View, view_of_code, view_of_orientation

# Label on the screen -> keyword of the attribute. Nothing that is not here or in `describe` is ever kept.
ALLOWLIST = {
    "Modality": "Modality",
    "View position": "ViewPosition",
    "Body part": "BodyPartExamined",
    "Series description": "SeriesDescription",
    "Radiopharmaceutical": "Radiopharmaceutical",
    "Photometric interpretation": "PhotometricInterpretation",
    "Bits stored": "BitsStored",
    "Model": "ManufacturerModelName",
}
_MAX_TEXT = 64
# Third value of Image Type of a nuclear medicine image (PS3.3 C.8.4.9.1.1).
_SCAN_TYPES = {
    "STATIC", "DYNAMIC", "GATED", "WHOLE BODY", "TOMO", "GATED TOMO", "RECON TOMO", "RECON GATED TOMO"
}  # fmt: skip
# Windows and scales up to here keep float32 arithmetic finite.
_LARGEST = 1e30
# Pixel Spacing is calibrated to the patient where a projection image has it; Imager Pixel Spacing is that at
# the detector (PS3.3 10.7.1.3).
_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
# Each date with the time that goes with it: of the image's taking and making (PS3.3 C.7.6.1), of the study (C.7.2.1).
_DATES = (("AcquisitionDate", "AcquisitionTime"), ("ContentDate", "ContentTime"), ("StudyDate", "StudyTime"))
# Value representations DA and TM (PS3.5 6.2), also with the points and colons of files from before DICOM 3.
_DATE = re.compile(r"([0-9]{4})\.?([0-9]{2})\.?([0-9]{2})")
_TIME = re.compile(r"([0-9]{2}):?(?:([0-9]{2}):?(?:([0-9]{2})(?:\.[0-9]{1,6})?)?)?")
# Value representation DT: the two together, with an offset from UTC that is left out: clocks on walls are compared.
_DATE_TIME = re.compile(r"([0-9]{8})([0-9]*(?:\.[0-9]{1,6})?)(?:[+-][0-9]{4})?")
_ODD_VALUE = (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError)


def describe(dataset: Dataset, spacing: tuple[float, float] | None) -> dict[str, str]:
    """Label -> text of the allowlisted facts that the file states.

    Args:
        dataset: the whole header.
        spacing: (row, column) in mm, see `spacing_mm`.
    """
    header = {}
    nuclear = first_item(dataset, "RadiopharmaceuticalInformationSequence")
    for label, keyword in ALLOWLIST.items():
        text = text_of(dataset, keyword) or text_of(nuclear, keyword)
        if text:
            header[label] = text
    if "View position" not in header and (view := _turned_view(dataset)):
        header["View position"] = view
    sex = text_of(dataset, "PatientSex").upper()
    if sex in ("F", "M"):
        header["Patient's sex"] = sex
    kind = scan_type(dataset)
    if kind:
        header["Scan type"] = kind
    header["Rows x columns"] = f"{dataset.Rows} x {dataset.Columns}"
    if spacing is not None:
        header["Pixel spacing (mm)"] = f"{spacing[0]:g} x {spacing[1]:g}"
    return header


def spacing_mm(*datasets: Dataset) -> tuple[float, float] | None:
    """(row, column) distance of pixel centres in mm out of the first dataset that states one, or None."""
    for dataset in datasets:
        for keyword in _SPACINGS:
            values = numbers(dataset, keyword)
            if len(values) == 2 and min(values) > 0:
                return values[0], values[1]
    return None


def scan_type(dataset: Dataset) -> str:
    """How a nuclear medicine image was acquired, such as "STATIC" or "RECON TOMO", or "" where no term is stated."""
    try:
        values = dataset.get("ImageType")
        term = str(values[2]).strip().upper() if values is not None and len(values) > 2 else ""
    except _ODD_VALUE:
        return ""
    return term if term in _SCAN_TYPES else ""


def view_position(dataset: Dataset) -> str:
    """The view position as it is stated, or ""."""
    return text_of(dataset, "ViewPosition")


def coded_view(holder: Dataset) -> View | None:
    """The view of a View Code Sequence, as its modifier turns it."""
    code = first_item(holder, "ViewCodeSequence")
    view = view_of_code(text_of(code, "CodeValue"), text_of(code, "CodeMeaning"))
    for place in (code, holder):
        modifier = text_of(first_item(place, "ViewModifierCodeSequence"), "CodeMeaning")
        if view in {"anterior", "posterior"} and "obl" in modifier.casefold():
            return "oblique"
    return view


def orientation_of(dataset: Dataset) -> list[str]:
    """The patient's directions along rows and columns, in capitals; [] where none are stated."""
    try:
        return [str(each).strip().upper() for each in dataset.get("PatientOrientation") or ()]
    except _ODD_VALUE:
        return []


def _turned_view(dataset: Dataset) -> str:
    """Lateral or oblique by the view's code, which PS3.3 C.8.11.5 asks for where the view position is optional; else
    lateral by the patient's directions, of which an upright frontal image has none to the front or the back."""
    row, column = [*orientation_of(dataset), "", ""][:2]
    view = coded_view(dataset) or view_of_orientation(row, column) or ""
    return view if view.endswith(("lateral", "oblique")) else ""


def taken(dataset: Dataset) -> str:
    """ISO date and time when the image was taken, or "" where no date is stated that is one.

    Out of the acquisition's date and time in one, its date, the content's date or the study's date: the first that is
    valid. A time that is missing or none counts as midnight.
    """
    stated = [(text_of(dataset, date), text_of(dataset, time)) for date, time in _DATES]
    whole = _DATE_TIME.fullmatch(text_of(dataset, "AcquisitionDateTime"))
    for date, time in [(whole[1], whole[2]), *stated] if whole else stated:
        moment = _moment(date, time)
        if moment is not None:
            return moment.isoformat()
    return ""


def _moment(date: str, time: str) -> datetime.datetime | None:
    found = _DATE.fullmatch(date)
    try:
        day = datetime.datetime(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None
    clock = _TIME.fullmatch(time)
    if day is None or clock is None:
        return day
    hour, minute, second = (int(part or 0) for part in clock.groups())
    # Second 60 is a leap second (PS3.5 6.2).
    return day.replace(hour=hour, minute=minute, second=min(second, 59)) if hour < 24 and minute < 60 else day


def numbers(dataset: Dataset, keyword: str) -> list[float]:
    """The numbers of an attribute with one or several values; [] where any is not finite or absurdly large."""
    try:
        value = dataset.get(keyword)
        several = value if isinstance(value, (list, tuple)) or hasattr(value, "append") else [value]
        found = [float(each) for each in several if each is not None]
    except _ODD_VALUE:
        return []
    return found if all(abs(each) < _LARGEST for each in found) else []


def text_of(dataset: Dataset, keyword: str) -> str:
    """Printable text of an attribute, cut to a length that a screen can show; "" where it cannot be read."""
    try:
        value = dataset.get(keyword)
    except _ODD_VALUE:
        return ""
    if value is None or isinstance(value, (bytes, Dataset)):
        return ""
    printable = "".join(letter if letter.isprintable() else " " for letter in str(value))
    return " ".join(printable.split())[:_MAX_TEXT]


def first_item(dataset: Dataset, keyword: str) -> Dataset:
    """First item of a sequence, or an empty dataset."""
    try:
        items = dataset.get(keyword)
        return items[0] if items else Dataset()
    except _ODD_VALUE:
        return Dataset()
