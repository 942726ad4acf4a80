"""The few facts of a DICOM header that are kept: an allowlist for the screen, the spacing, the study date."""

import datetime

from pydicom import Dataset

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
# Windows and scales up to here keep float32 arithmetic finite.
_LARGEST = 1e30
# Pixel Spacing is calibrated to the patient where a projection image has it; Imager Pixel Spacing is that at
# the detector (PS3.3 10.7.1.3).
_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
_ODD_VALUE = (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError)


def describe(dataset: Dataset, spacing: tuple[float, float] | None) -> dict[str, str]:
    """Label -> text of the allowlisted facts that the file states.

    Args:
        dataset: the whole header.
        spacing: (row, column) in mm, see `spacing_mm`.
    """
    header = {}
    nuclear = _first_item(dataset, "RadiopharmaceuticalInformationSequence")
    for label, keyword in ALLOWLIST.items():
        text = _text(dataset, keyword) or _text(nuclear, keyword)
        if text:
            header[label] = text
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


def study_date(dataset: Dataset) -> str:
    """ISO form of the study date, or "" where it is missing or not a date."""
    digits = _text(dataset, "StudyDate").replace(".", "")
    try:
        return datetime.datetime.strptime(digits, "%Y%m%d").date().isoformat()
    except ValueError:
        return ""


def numbers(dataset: Dataset, keyword: str) -> list[float]:
    """The numbers of an attribute with one or several values; [] where any is not finite or absurdly large."""
    try:
        value = dataset.get(keyword)
        several = value if isinstance(value, (list, tuple)) or hasattr(value, "append") else [value]
        found = [float(each) for each in several if each is not None]
    except _ODD_VALUE:
        return []
    return found if all(abs(each) < _LARGEST for each in found) else []


def _text(dataset: Dataset, keyword: str) -> str:
    """Printable text of an attribute, cut to a length that a screen can show; "" where it cannot be read."""
    try:
        value = dataset.get(keyword)
    except _ODD_VALUE:
        return ""
    if value is None or isinstance(value, (bytes, Dataset)):
        return ""
    printable = "".join(letter if letter.isprintable() else " " for letter in str(value))
    return " ".join(printable.split())[:_MAX_TEXT]


def _first_item(dataset: Dataset, keyword: str) -> Dataset:
    """First item of a sequence, or an empty dataset."""
    try:
        items = dataset.get(keyword)
        return items[0] if items else Dataset()
    except _ODD_VALUE:
        return Dataset()
