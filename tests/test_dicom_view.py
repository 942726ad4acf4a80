"""The view that a radiograph's header states: as a position, as a code, or as the patient's directions."""

from typing import Any

import numpy as np
import pytest

from cxrkit.image import read_image
from cxrkit.plain_checks import header_problem
from tests.dicom_files import make_dicom
from tests.scans import code

PIXELS = np.arange(19 * 23, dtype=np.uint16).reshape(19, 23)


@pytest.mark.parametrize(
    ("stated", "view"),
    [
        ({"code": ("R-10236", "left lateral")}, "left lateral"),
        ({"code": ("399297009", "")}, "right lateral"),
        ({"code": ("R-10214", "postero-anterior")}, None),
        ({"code": ("R-10214", "postero-anterior"), "orientation": ["A", "F"]}, None),
        ({"orientation": ["P", "F"]}, "left lateral"),
        ({"orientation": ["L", "F"]}, None),
        ({"orientation": ["L"]}, None),
        ({"code": ("R-10236", "left lateral"), "position": "PA"}, "PA"),
    ],
)
def test_a_view_that_is_not_frontal_is_told_by_its_code_or_by_directions(
    stated: dict[str, Any], view: str | None
) -> None:
    facts: dict[str, Any] = {}
    if "code" in stated:
        facts["ViewCodeSequence"] = [code(*stated["code"])]
    if "orientation" in stated:
        facts["PatientOrientation"] = stated["orientation"]
    if "position" in stated:
        facts["ViewPosition"] = stated["position"]
    header = read_image(make_dicom(PIXELS, **facts)).header
    assert header.get("View position") == view
    assert (header_problem(header, "frontal chest") is not None) == ("lateral" in (view or ""))
