from dataclasses import replace

import numpy as np
import pytest

from cxrkit.scan_claim import Claim, Kind, claim
from cxrkit.scan_day import Scan, duplicates, judge, odd_studies, pixel_digest
from tests.scans import drawn_scan, scan_of

PERF, VENT = claim("LUNG PERF"), claim("LUNG VENT")


def scan(name: str, kind: Kind | None, stated: Claim, study: str | None = "a", digest: str = "") -> Scan:
    return Scan(name, digest or name, study, kind, stated)


@pytest.mark.parametrize(
    ("kind", "stated", "verdict"),
    [
        ("perfusion", PERF, "agree"),
        ("ventilation", PERF, "mismatch"),
        ("perfusion", VENT, "mismatch"),
        ("perfusion", claim("V/Q"), "header says nothing"),
        (None, PERF, "cannot tell"),
        (None, claim(""), "cannot tell"),
        ("perfusion", claim("PERF", "Technegas"), "header contradicts itself"),
        (None, claim("PERF", "Technegas"), "header contradicts itself"),
    ],
)
def test_a_scan_is_judged_against_its_header(kind: Kind | None, stated: Claim, verdict: str) -> None:
    assert judge(kind, stated) == verdict


def test_studies_of_one_type_and_swapped_ones_are_found() -> None:
    scans = [
        scan("a1", "perfusion", PERF, "a"),
        scan("a2", "perfusion", VENT, "a"),
        scan("b1", "perfusion", VENT, "b"),
        scan("b2", "ventilation", PERF, "b"),
        scan("c1", "perfusion", PERF, "c"),
        scan("c2", "ventilation", VENT, "c"),
        scan("d1", "perfusion", PERF, "d"),
        scan("d2", None, PERF, "d"),
        scan("e1", "perfusion", PERF, None),
        scan("e2", "perfusion", PERF, None),
    ]
    first, second = odd_studies(scans)
    assert (first.study, first.odd, first.kind, first.names) == ("a", "one type", "perfusion", ("a1", "a2"))
    assert (second.study, second.odd, second.kind, second.names) == ("b", "swapped", None, ("b1", "b2"))


def test_swapped_headers_are_found_beside_a_repeat_and_beside_a_scan_that_cannot_be_told() -> None:
    swapped = [scan("1", "perfusion", VENT), scan("2", "ventilation", PERF)]
    (found,) = odd_studies([*swapped, scan("3", "perfusion", VENT)])
    assert (found.odd, found.names) == ("swapped", ("1", "2", "3"))
    (found,) = odd_studies([*swapped, scan("3", None, PERF)])
    assert (found.odd, found.names) == ("swapped", ("1", "2"))
    assert odd_studies([*swapped, scan("3", "perfusion", PERF)]) == (), "one header is right"
    assert odd_studies([swapped[0], scan("2", "perfusion", VENT), scan("3", None, PERF)]) == (), "the third may be it"


def test_a_copy_of_a_scan_is_no_second_scan_of_its_study() -> None:
    scans = [scan("1", "perfusion", PERF, digest="x"), scan("copy of 1", "perfusion", PERF, digest="x")]
    assert odd_studies(scans) == ()
    assert duplicates(scans) == (("1", "copy of 1"),)
    assert duplicates([scans[0], replace(scans[1], digest="y")]) == ()


def test_the_digest_is_of_the_pixels_and_not_of_the_file() -> None:
    image = scan_of(drawn_scan())
    assert pixel_digest(image) == pixel_digest(replace(image, sha256="1" * 64, header={"Modality": "NM"}))
    assert pixel_digest(image) != pixel_digest(scan_of(drawn_scan(neck=True)))
    flat = scan_of(np.zeros((10, 20), np.uint16))
    assert pixel_digest(flat) != pixel_digest(scan_of(np.zeros((20, 10), np.uint16)))


def test_other_views_do_not_hide_what_is_odd_about_a_study() -> None:
    ant = [scan("1", "perfusion", PERF), scan("2", "perfusion", PERF)]
    post = [replace(scan(name, None, PERF), other_view=True) for name in ("3", "4")]
    assert [found.odd for found in odd_studies([*ant, *post])] == ["one type"]
    swapped = [scan("1", "perfusion", VENT), scan("2", "ventilation", PERF)]
    assert [found.odd for found in odd_studies([*swapped, *post])] == ["swapped"]
    assert odd_studies([ant[0], *post]) == ()
