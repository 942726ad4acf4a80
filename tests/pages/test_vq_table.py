"""A day's scans in order, what is said of them, and the table to take away, on readings made up here."""

import csv
import io
from dataclasses import replace

import pytest

from cxrkit.predict import Prediction
from cxrkit.scan_claim import Claim, Kind
from cxrkit.scan_claim import claim as claim_of
from cxrkit.scan_day import judge
from cxrkit.scan_reading import CANNOT_TELL, FROM, TO, ScanReading
from cxrkit.tasks.vq import VQ
from pages.ui import scan_table
from pages.ui.scan_export import scans_csv
from pages.ui.scan_files import ScanFile
from pages.ui.scan_rows import Asked, Found, Row
from pages.ui.scan_table import in_order, say_what_is_wrong, summary
from pages.ui.uploads import Upload
from tests.models_for_tests import small_card
from tests.scans import mean_image

__all__ = ["mean_image"]

PERFUSION, VENTILATION = claim_of("LUNG PERF"), claim_of("LUNG VENT")


def row(number: int, kind: Kind | None, claim: Claim, study: str | None = None, digest: str = "") -> Row:
    """A scan that was read as `kind`."""
    score = {None: 0.5, "perfusion": 0.98, "ventilation": 0.02}[kind]
    reading = ScanReading(
        kind=kind,
        reason="",
        band=(0.3, 0.7),
        claim=claim,
        verdict=judge(kind, claim),
        view="anterior",
        counts=512_000,
        series="",
        tracer="",
        stated_counts=None,
        method="two lungs",
        shift=(0, 0),
        information=None,
    )
    scores = {"ventilation": 1 - score, "perfusion": score}
    prediction = Prediction(scores, 0.5, kind or CANNOT_TELL, (), scan=reading)
    return Row(asked(number), Found("read", digest=digest or str(number), study=study, prediction=prediction))


def asked(number: int) -> Asked:
    return Asked(ScanFile(number, Upload("Zebedee.dcm", b"", str(number))), None, False)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is said on the page, with its kind."""
    found: list[tuple[str, str]] = []
    for kind in ("error", "warning", "success"):
        monkeypatch.setattr(scan_table.st, kind, lambda text, kind=kind, **_: found.append((kind, text)))
    return found


def test_mismatches_come_first_and_what_was_not_read_before_what_is_right() -> None:
    rows = [
        row(1, "perfusion", PERFUSION),
        row(2, "perfusion", claim_of("")),
        Row(asked(3), Found("unreadable", "It is damaged.")),
        row(4, None, PERFUSION),
        Row(asked(5), Found("stopped", "It is a chest radiograph.")),
        row(6, "perfusion", claim_of("LUNG PERF", "Technegas")),
        Row(asked(7), Found("frame wanted", "It holds two frames.", 2)),
        row(8, "ventilation", PERFUSION),
    ]
    assert [each.number for each in in_order(rows)] == [8, 6, 4, 7, 5, 3, 2, 1]
    assert summary(rows) == (
        "**8 scans.** Mismatch: 1; header contradicts itself: 1; cannot tell: 2; not analysed: 1; not readable: 1; "
        "header says nothing: 1; agree: 1."
    )
    assert summary(rows[:1]) == "**1 scan.** Agree: 1."


def test_swapped_scans_are_loud(shown: list[tuple[str, str]]) -> None:
    rows = [row(1, "perfusion", VENTILATION, "a"), row(2, "ventilation", PERFUSION, "a")]
    say_what_is_wrong(rows)
    (error, warning) = shown
    assert error[0] == "error"
    assert "**2 scans do not match their header. Check before anything is stored.**" in error[1]
    assert "**Scan 1** is read as **perfusion** (score for perfusion 0.98); its header says **ventilation**" in error[1]
    assert warning == ("warning", "- **Study 1:** scans 1 and 2 look swapped; each header names the other type.")


def test_a_study_of_one_type_and_copies_are_said(shown: list[tuple[str, str]]) -> None:
    rows = [
        row(1, "perfusion", PERFUSION, "a"),
        row(2, "ventilation", VENTILATION, "a"),
        row(3, "ventilation", VENTILATION, "b"),
        row(4, "ventilation", VENTILATION, "b"),
        row(5, "perfusion", PERFUSION, "c", digest="1"),
    ]
    say_what_is_wrong(rows)
    assert shown == [
        (
            "warning",
            "- **Study 2:** scans 3 and 4 are all read as ventilation. Where is the perfusion scan?",
        ),
        ("warning", "- Scans 1 and 5 hold the same pixels: one is a copy."),
    ]


def test_of_three_copies_two_are_copies(shown: list[tuple[str, str]]) -> None:
    say_what_is_wrong([row(n, "perfusion", PERFUSION, str(n), digest="1") for n in (1, 2, 3)])
    assert any(text.endswith("Scans 1, 2 and 3 hold the same pixels: all but one are copies.") for _, text in shown)


def test_a_day_without_a_fault_is_said_once(shown: list[tuple[str, str]]) -> None:
    rows = [row(1, "perfusion", PERFUSION, "a"), row(2, "ventilation", VENTILATION, "a")]
    say_what_is_wrong(rows)
    assert shown == [("success", "Every scan is read as what its header says.")]


def test_what_was_not_read_says_why_and_a_long_list_ends(shown: list[tuple[str, str]]) -> None:
    rows = [Row(asked(number), Found("stopped", f"It is *empty* {number}")) for number in range(1, 12)]
    say_what_is_wrong(rows)
    ((kind, text),) = shown
    assert kind == "warning"
    assert "- **Scan 1:** It is \\*empty\\* 1" in text
    assert "**Scan 8:**" in text
    assert "**Scan 9:**" not in text
    assert text.endswith("And 3 more: open them below.")


@pytest.mark.usefixtures("mean_image")
def test_the_csv_says_what_the_page_says() -> None:
    card = replace(small_card(VQ), thresholds={"perfusion": 0.5, FROM: 0.3, TO: 0.7})
    stopped = Row(asked(3), Found("stopped", "The image is empty."))
    text = scans_csv([row(1, "perfusion", VENTILATION, "a"), row(2, "ventilation", PERFUSION, "a"), stopped], card)
    assert "Zebedee" not in text
    first, second, third = csv.DictReader(io.StringIO(text))
    assert (first["verdict"], first["read_as"], first["header_says"]) == ("mismatch", "perfusion", "ventilation")
    assert (first["score_perfusion"], first["cannot_tell_from"], first["cannot_tell_to"]) == ("0.9800", "0.3", "0.7")
    assert first["study_finding"] == second["study_finding"] == "swapped"
    assert (third["verdict"], third["remark"], third["read_as"]) == ("not analysed", "The image is empty.", "")
    assert {first["weights"], third["weights"]} == {card.sha256}
