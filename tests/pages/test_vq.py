"""The V/Q page: a simulated day, files that are no scans, frames, one scan with its map, preparation and groups."""

import csv
import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrkit.phantoms import ScanHeader
from cxrkit.weights import load_model
from pages.ui import scan_rows
from pages.ui.scan_export import COLUMNS
from pages.ui.scan_samples import simulated_day
from tests.pages.conftest import chest, png
from tests.pages.test_app import said
from tests.pages.vq_page import CANARY, TASK, day, open_scan, open_tab, scan_file, upload, vq_root
from tests.scans import POSTERIOR, nm_file, views_file

__all__ = ["vq_root"]


@pytest.fixture
def page(vq_root: Path, app: AppTest) -> AppTest:
    """The page without scans."""
    return app.switch_page("pages/vq.py").run()


def test_the_empty_page_says_what_it_takes(page: AppTest) -> None:
    (info,) = page.info
    assert "DICOM, PNG, JPEG or TIFF" in info.value
    assert "before scans are stored" in said(page)
    assert not page.metric
    assert not page.exception


def test_a_simulated_day_is_read_and_what_is_wrong_is_said(page: AppTest) -> None:
    page.button(key="vq.first_sample").click().run()
    assert not page.exception
    text, table = said(page), day(page)
    assert "Simulated images: no patient." in text
    assert "**14 scans.**" in text
    assert len(table) == 14
    assert set(table["True type"]) == {"perfusion", "ventilation"}
    # Scan 13 is scan 1 sent again; scan 14 has no coded view.
    assert "Scans 1 and 13 hold the same pixels" in text
    assert list(table[table["Scan"] == 14]["Verdict"]) == ["? cannot tell"]
    assert list(table[table["Scan"] == 12]["Header says"]) == ["–"]
    assert "embol" not in text.casefold()
    page.button(key="vq.leave_sample").click().run()
    assert page.info


def test_the_day_has_pairs_that_are_swapped_and_of_one_type() -> None:
    names = [file.name for file in simulated_day()]
    assert len(set(names)) == len(names) == 14
    assert len({file.data for file in simulated_day()}) == 14
    kinds = {file.name: file.truth for file in simulated_day()}
    assert kinds["scan_05.dcm"] == kinds["scan_09.dcm"] == "perfusion"
    assert (kinds["scan_10.dcm"], kinds["scan_11.dcm"]) == ("perfusion", "ventilation")


@pytest.fixture
def mixed(page: AppTest) -> AppTest:
    """A scan, a letter, a chest radiograph, an empty image, and a file whose frames have no view."""
    return upload(
        page,
        (f"{CANARY}.dcm", scan_file("perfusion")),
        ("letter.dcm", b"This is a letter, not an image."),
        ("chest.png", png(chest())),
        ("empty.dcm", nm_file(np.zeros((128, 128), dtype=np.uint16))),
        ("frames.dcm", scan_file("mismatch", ScanHeader("LUNG", study=1, coding="none"))),
    )


def test_a_bad_file_costs_its_row_alone(mixed: AppTest) -> None:
    verdicts = dict(zip(day(mixed)["Scan"], day(mixed)["Verdict"].str[2:], strict=True))
    assert verdicts[2] == "not readable"
    assert verdicts[3] == verdicts[4] == "not analysed"
    assert verdicts[5] == "cannot tell"
    assert verdicts[1] in {"agree", "mismatch", "cannot tell"}
    assert f"{CANARY}.dcm" in set(day(mixed)["File"])
    open_scan(mixed, 2)
    assert len(mixed.error) - (verdicts[1] == "mismatch") == 1
    assert not mixed.metric


def test_what_is_no_scan_is_stopped_until_the_user_insists(mixed: AppTest) -> None:
    open_scan(mixed, 4)
    assert "empty" in said(mixed)
    assert "It was not analysed" in said(mixed)
    assert not mixed.metric
    mixed.button(key="vq.anyway").click().run()
    assert not mixed.exception
    assert mixed.metric
    assert "because you asked for it" in said(mixed)
    assert "Two lungs side by side were not found" in said(mixed)
    open_scan(mixed, 3)
    assert not mixed.metric
    mixed.switch_page("pages/start.py").run()
    mixed.switch_page("pages/vq.py").run()
    assert "In use:" in said(mixed)
    assert list(day(mixed)["Verdict"].str[2:]).count("not analysed") == 1


def test_of_frames_without_a_view_one_is_chosen(mixed: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    open_scan(mixed, 5)
    assert "Cannot tell" in said(mixed)
    assert not mixed.metric
    mixed.number_input[0].set_value(1).run()
    assert not mixed.exception
    assert mixed.metric
    open_scan(mixed, 1)
    open_scan(mixed, 5)
    assert mixed.metric
    assert mixed.number_input[0].value == 1
    monkeypatch.setattr(scan_rows, "_known", cache(lambda _: {}))  # as after an hour
    mixed.run()
    assert not mixed.exception
    mixed.number_input[0].set_value(2).run()
    assert mixed.metric


def test_a_posterior_view_alone_is_not_called(page: AppTest) -> None:
    upload(page, ("post.dcm", views_file([POSTERIOR], SeriesDescription="LUNG PERF POST")))
    assert list(day(page)["Read as"]) == ["cannot tell"]
    assert list(day(page)["View"]) == ["posterior"]
    assert "another view than the anterior one" in said(page)


@pytest.fixture
def scan(page: AppTest) -> AppTest:
    """One scan, whose header says the other type than the untrained network does."""
    upload(page, (f"{CANARY}.dcm", scan_file("ventilation_neck")))
    return page


def test_one_scan_has_its_map_and_a_second_opinion(scan: AppTest) -> None:
    text = said(scan)
    assert [metric.label for metric in scan.metric] == ["Read as", "Score for perfusion", "The header says"]
    assert scan.metric[2].value == "ventilation"
    assert "Share of this heat above the lungs" in text or "No positive evidence" in text
    assert "Second opinion, without the neck" in text
    assert "beside the mean maps of both types" in text
    scan.selectbox(key="vq.label").set_value("ventilation").run()
    scan.selectbox(key="vq.method").set_value("LayerCAM").run()
    assert not scan.exception


def test_the_preparation_is_shown_step_by_step(scan: AppTest) -> None:
    text = said(open_tab(scan, "How it was prepared"))
    assert "White from 30 on" in text
    assert "their midpoint (yellow)" in text
    assert "so that the midpoint lies on the centre" in text
    assert "To 224 × 224 pixels" in text


def test_one_lung_is_moved_by_mutual_information(page: AppTest) -> None:
    upload(page, ("one.dcm", scan_file("one_lung")))
    assert "Two lungs side by side were not found" in said(page)
    assert "normalised mutual information is highest" in said(open_tab(page, "How it was prepared"))


def test_groups_have_figures_differences_and_significance(scan: AppTest) -> None:
    text = said(open_tab(scan, "Groups"))
    assert "6 perfusion and 6 ventilation scans" in text
    assert "Benjamini and Hochberg 1995" in text
    assert any("Figure" in each.value for each in scan.dataframe)


def test_the_groups_need_no_scan_of_ones_own(page: AppTest) -> None:
    assert "Benjamini" not in said(page)
    page.session_state[f"{TASK.name}.groups"] = True
    assert "6 perfusion and 6 ventilation scans" in said(page.run())


def test_missing_maps_of_the_groups_are_said(scan: AppTest, vq_root: Path, tmp_path: Path) -> None:
    file = vq_root / TASK.name / "groups.npz"
    file.rename(tmp_path / "away.npz")
    try:
        assert "maps of the two groups are missing" in said(open_tab(scan, "Groups"))
        assert "maps of the two groups are missing" in said(open_tab(scan, "The scan"))
    finally:
        (tmp_path / "away.npz").rename(file)


def test_a_row_of_the_table_opens_its_scan(page: AppTest) -> None:
    upload(page, ("one.dcm", scan_file("perfusion")), ("letter.dcm", b"This is a letter, not an image."))
    shown = list(day(page)["Scan"])
    table = next(each for each in page.dataframe if "Verdict" in each.value)
    page.session_state[table.key] = {"selection": {"rows": [1]}}
    page.run()
    assert not page.exception
    assert page.selectbox(key="vq.open").value in shown


def test_the_csv_holds_nothing_of_the_files(page: AppTest, vq_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {}
    monkeypatch.setattr("streamlit.download_button", lambda label, data, **_: made.__setitem__(label, data))
    stated = ScanHeader(f"=1+1 {CANARY} PERF", f"@SUM(A1) {CANARY} MAA", study=5)
    upload(
        page,
        (f"={CANARY}.dcm", scan_file("perfusion", stated)),
        (f"{CANARY}2.dcm", scan_file("perfusion", ScanHeader("LUNG PERF", study=5))),
        (f"{CANARY}.txt", b"letter"),
    )
    text = made["Table (CSV)"]()
    assert CANARY not in text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    assert all(cell == "" or cell[0].isalnum() for row in rows for cell in row.values())
    by_number = {row["scan"]: row for row in rows}
    assert by_number["1"]["header_words"] == "perf maa"
    assert by_number["1"]["same_pixels_as"] == "2"
    assert by_number["1"]["study"] == by_number["2"]["study"] == "1"
    assert by_number["1"]["weights"] == load_model(TASK, vq_root).card.sha256
    assert int(by_number["1"]["counts"]) > 100_000
    assert by_number["3"]["verdict"] == "not readable"


def test_files_are_read_once(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    read = scan_rows.Asked.image
    monkeypatch.setattr(scan_rows.Asked, "image", lambda asked: opened.append(asked.file.number) or read(asked))
    first = ("one.dcm", scan_file("perfusion"))
    upload(page, first)
    upload(page, first, ("two.dcm", scan_file("defects")))
    # Once for the table; the one below it once more for its image.
    assert opened.count(2) <= 2
    assert opened.count(1) <= 2
