"""The page of chest findings: bars, labels side by side, rollout, edits, truth, training, exports."""

import csv
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from cxrkit.card import read_card
from cxrkit.explain import Method, explain
from cxrkit.image import Radiograph, read_image
from cxrkit.predict import encode, predict
from cxrkit.task import ModelInput
from cxrkit.tasks.nih14 import LABELS
from cxrkit.weights import load_model
from pages.ui import models
from pages.ui.finding_export import COLUMNS, findings_csv, findings_json, findings_png
from pages.ui.finding_plot import epochs_figure, score_figure
from pages.ui.finding_question import open_label
from pages.ui.finding_view import FindingsView, Shown
from pages.ui.finding_words import name_of
from pages.ui.words import share
from tests.pages.conftest import chest, png
from tests.pages.nih14_page import CANARY, TASK, nih14_root, open_tab, page, read
from tests.pages.test_app import said

__all__ = ["nih14_root", "page", "read"]


def test_the_empty_page_says_what_it_takes_and_what_labels_rest_on(page: AppTest) -> None:
    assert "DICOM, PNG, JPEG or TIFF" in page.info[0].value
    (support,) = page.dataframe
    assert list(support.value["Label"]) == [name_of(label) for label in LABELS]
    hernia = support.value.iloc[-1]
    assert (hernia["Called from"], hernia["Remark"], hernia["AUC (95 % interval)"]) == (
        "never",
        "too few training cases",
        "undefined",
    )
    assert not page.exception


def test_an_upload_gives_scores_and_the_heatmap_of_the_first(read: AppTest, nih14_root: Path) -> None:
    text = said(read)
    found = reading(read_image(png()), nih14_root).findings
    assert [card.value for card in read.metric] == [f"{len(found.called)} of 13", share(found.by_excess()[0].score)]
    assert read.multiselect(key="nih14.labels").value == [found.by_excess()[0].label]
    assert "not the probability that your patient has the finding" in text
    assert "Gray, and never called: Hernia (too few training cases)." in text
    assert ("No label is called" if not found.called else "Called at the card's thresholds") in text
    assert "square around both lungs" in text
    assert "Grad-CAM map" in text
    assert CANARY not in text
    assert "Actual findings" not in text


def test_labels_are_opened_side_by_side_and_stay_with_the_next_image(read: AppTest) -> None:
    chooser = read.multiselect(key="nih14.labels")
    chooser.set_value(["Effusion", "Mass", "Hernia"]).run()
    assert not read.exception
    assert "for “Effusion”" in said(read)
    read.selectbox(key="nih14.method").set_value(Method.LAYER_CAM).run()
    assert "LayerCAM map" in said(read)
    other = np.ascontiguousarray(chest()[:, ::-1])
    read.file_uploader(key="nih14.upload").set_value(("other.png", png(other), "image/png")).run()
    assert read.multiselect(key="nih14.labels").value == ["Effusion", "Mass", "Hernia"]
    read.multiselect(key="nih14.labels").set_value([]).run()
    assert not read.exception
    assert "Raw maximum" in said(read) or "No positive evidence" in said(read)


@pytest.mark.parametrize(
    ("points", "shown"), [([{"y": "Pleural thickening"}], ["Pleural_Thickening"]), ([], ["Mass"])], ids=["bar", "none"]
)
def test_a_click_on_a_bar_opens_its_label(
    points: list[dict[str, str]], shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = {"nih14.bars": {"selection": {"points": points}}, "nih14.labels": ["Mass"]}
    monkeypatch.setattr(st, "session_state", state)
    open_label(TASK, "nih14.bars")
    assert state["nih14.labels"] == shown


def test_attention_rollout_is_the_second_view(read: AppTest) -> None:
    assert "Attention rollout:" not in said(read)
    read.toggle(key="nih14.rollout").set_value(True).run()
    assert not read.exception
    assert "times an even share" in said(read)
    assert "no evidence for a finding" in said(read)


def test_edits_are_compared_with_the_unedited_reading(read: AppTest) -> None:
    read.session_state["nih14.model_input"] = True
    read.run()
    assert "nih14.size" not in [each.key for each in read.selectbox]
    read.slider(key="nih14.brightness").set_value(0.3).run()
    assert not read.exception
    assert "The edits move" in said(read)
    assert "Edits: brightness +0.30." in said(read)
    read.button(key="nih14.reset").click().run()
    assert "The edits move" not in said(read)


def test_a_simulated_case_is_shown_with_its_truth(page: AppTest) -> None:
    page.selectbox(key="nih14.sample").set_value("effusion").run()
    assert not page.exception
    text = said(page)
    assert "Simulated image: no patient." in text
    assert "**Actual findings:** Effusion." in text
    outcome = next(each.value for each in page.dataframe if "Outcome" in each.value)
    (row,) = outcome[outcome["Finding"] == "Effusion"].to_dict("records")
    assert row["Actual"] == "there"
    assert row["Outcome"] in {"✓ right", "✗ missed"}
    page.multiselect(key="nih14.labels").set_value(["Effusion"]).run()
    assert "Heatmap for effusion" in said(page)


def test_of_a_cavity_the_page_says_that_it_has_no_label(page: AppTest) -> None:
    page.selectbox(key="nih14.sample").set_value("cavity").run()
    assert "none of the 14 labels" in said(page)
    assert "A cavity is there, for which there is no label." in said(page)
    assert not page.exception


def test_a_lateral_view_is_stopped(page: AppTest) -> None:
    page.selectbox(key="nih14.sample").set_value("lateral").run()
    assert "lateral view" in said(page)
    assert "It was not analysed" in said(page)
    assert "nih14.labels" not in [each.key for each in page.multiselect]
    page.button(key="nih14.anyway").click().run()
    assert not page.exception
    assert "means little" in said(page)


def test_the_table_holds_the_numbers_of_the_bars(read: AppTest) -> None:
    read.session_state["nih14.table"] = True
    read.run()
    table = next(each.value for each in read.dataframe if "Called" in each.value)
    assert set(table["Label"]) == {name_of(label) for label in LABELS}
    assert table["Label"].iloc[-1] == "Hernia"
    cardiomegaly = table[table["Label"] == "Cardiomegaly"].iloc[0]
    assert cardiomegaly["95 % interval"] == "not calibrated"


def test_how_the_network_learned_is_shown_for_teaching(page: AppTest) -> None:
    open_tab(page, "How the network learned")
    text = said(page)
    assert "AUC of each epoch" in text
    assert "Best: epoch 2, 0.600 in validation and 0.700 in training" in text
    assert "All of these images are generated: they show no patient" in text
    captions = [caption for image in page.get("image") for caption in image.captions]
    assert captions == ["After the first step", "After 1,000 steps"]


def test_missing_files_of_training_are_a_sentence(
    page: AppTest, nih14_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(nih14_root, tmp_path / "weights")
    for name in ("epochs.csv", "stages.npz"):
        (tmp_path / "weights" / "nih14" / name).unlink()
    monkeypatch.setattr(models, "WEIGHTS", tmp_path / "weights")
    open_tab(page, "How the network learned")
    assert "missing" in page.info[-1].value
    assert "missing" in page.info[-2].value
    assert not page.error


def test_about_shows_the_card(page: AppTest) -> None:
    page.session_state["nih14.about"] = True
    page.run()
    assert "Untrained weights of a test." in said(page)
    assert not page.exception


def reading(image: Radiograph, root: Path, edits: ModelInput | None = None) -> FindingsView:
    """As the page makes it."""
    loaded, chosen = load_model(TASK, root), edits or ModelInput()
    prepared = TASK.prepare([image], {}, chosen)
    return FindingsView(chosen, prepared, predict(loaded, prepared, encode(loaded, prepared), [image]))


def shown_of(view: FindingsView, root: Path, label: str) -> Shown:
    loaded = load_model(TASK, root)
    (heatmap,) = explain(loaded, view.prepared, encode(loaded, view.prepared), [label])
    return Shown(view.edits, view.prepared, heatmap)


@pytest.fixture(scope="module")
def views(nih14_root: Path) -> list[FindingsView]:
    image = read_image(png(), f"{CANARY}.png")
    return [reading(image, nih14_root, edits) for edits in (ModelInput(), ModelInput(brightness=0.2))]


def test_the_table_as_a_file_holds_every_label_and_no_name(views: list[FindingsView], nih14_root: Path) -> None:
    card = read_card(nih14_root / "nih14" / "card.json")
    text = findings_csv(card, views)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    assert [row["label"] for row in rows] == list(LABELS)
    for row, finding, before in zip(rows, views[1].findings.findings, views[0].findings.findings, strict=True):
        assert float(row["score"]) == pytest.approx(finding.score, abs=1e-4)
        assert float(row["unedited_score"]) == pytest.approx(before.score, abs=1e-4)
        assert row["called"] == ("yes" if finding.called else "no")
        assert row["actual"] == ""
    assert (rows[-1]["threshold"], rows[-1]["remark"]) == ("", "too few training cases")
    assert CANARY not in text
    mask = np.ones((2, 2), dtype=bool)
    known = list(csv.DictReader(io.StringIO(findings_csv(card, views, (("nodule", mask),)))))
    assert {row["label"] for row in known if row["actual"] == "yes"} == {"Nodule"}
    assert known[0]["note"].startswith("Simulated image, no patient.")


def test_the_result_as_json_says_what_was_read_and_by_what(views: list[FindingsView], nih14_root: Path) -> None:
    card = read_card(nih14_root / "nih14" / "card.json")
    shown = shown_of(views[1], nih14_root, "Mass")
    text = findings_json(TASK, card, views, shown, (("cavity", np.ones((2, 2), dtype=bool)),))
    result = json.loads(text)
    assert result["weights"] == card.sha256
    assert result["called"] == list(views[1].findings.called)
    assert [one["label"] for one in result["findings"]] == list(LABELS)
    assert result["unedited_scores"] == views[0].prediction.scores
    assert result["edits"]["brightness"] == 0.2
    assert result["heatmap"]["label"] == "Mass"
    assert result["simulated"] == {"findings": [], "lesions_without_label": ["cavity"]}
    assert CANARY not in text


def test_the_overlay_holds_the_heatmap_and_nothing_of_the_file(views: list[FindingsView], nih14_root: Path) -> None:
    image, card = read_image(png(), f"{CANARY}.png"), read_card(nih14_root / "nih14" / "card.json")
    shown = shown_of(views[0], nih14_root, "Hernia")
    full = replace(shown.heatmap, values=np.ones_like(shown.heatmap.values), maximum=1.0)
    data = findings_png(TASK, card, image, views[0], replace(shown, heatmap=full))
    assert CANARY.encode() not in data
    drawn = Image.open(io.BytesIO(data))
    assert drawn.info == {}
    left, top, right, bottom = (round(edge * 1600 / max(image.values.shape)) for edge in full.box)
    coloured = np.ptp(np.asarray(drawn).astype(int)[top:bottom, left:right], axis=2) > 20
    assert coloured.mean() > 0.5


def test_the_bars_are_ordered_coloured_and_marked(views: list[FindingsView]) -> None:
    found = views[1].findings
    figure = score_figure(found, views[0].findings)
    order = [name_of(finding.label) for finding in found.by_excess()]
    assert list(figure.layout.yaxis.categoryarray) == order[::-1]
    bars = {trace.name: list(trace.y) for trace in figure.data if trace.type == "bar"}
    assert bars["never called"] == ["Hernia"]
    (gray,) = (trace for trace in figure.data if trace.name == "never called")
    assert gray.marker.color == "rgba(127, 139, 149, 0.35)"
    assert sorted(label for each in bars.values() for label in each) == sorted(order)
    marks = {trace.name: trace for trace in figure.data if trace.type == "scatter"}
    assert "Hernia" not in marks["threshold"].y
    assert set(marks["threshold"].x) == {0.5}
    assert len(marks["unedited"].x) == 14
    assert "unedited" not in [trace.name for trace in score_figure(found).data]


def test_curves_of_training_start_at_the_first_epoch(nih14_root: Path) -> None:
    from cxrkit.finding_training import read_epochs

    figure = epochs_figure(read_epochs(nih14_root / "nih14"))
    assert [list(trace.x) for trace in figure.data] == [[1, 2, 3]] * 2
    assert {trace.name for trace in figure.data} == {"training", "validation"}
