"""Report text to four classes: every rule, on original sentences."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from train.report_labels.rules import change, label_reports, state

CHANGED = {
    "Increased amount of right pleural effusion.": "increased",
    "Increasing opacity in the left lower lobe.": "increasing",
    "Interval increase in size of the nodule.": "increase",
    "Decreased extent of consolidation.": "decreased",
    "There is a decrease in pulmonary edema.": "decrease",
    "A new nodule is seen in the right upper lobe.": "new",
    "Newly developed pneumothorax on the left.": "newly",
    "Improvement of the pneumonia.": "improvement",
    "The congestion has improved.": "improved",
    "Aggravation of tuberculosis, both upper lobes.": "aggravation",
    "Aggravated consolidation.": "aggravated",
    "Progression of the interstitial disease.": "progression",
    "The lesion progressed since the last study.": "progressed",
    "Resolution of the right effusion.": "resolution",
    "The infiltrate has resolved completely.": "resolved",
    "Disappearance of the cavity.": "disappearance",
    "The previous opacity has disappeared.": "disappeared",
    "The pneumonia is cured.": "cured",
    "Enlargement of the cardiac silhouette.": "enlargement",
    "Enlarged hilar mass.": "enlarged",
    "The nodule is no longer seen.": "no longer",
    "Incresed left effusion.": "incresed",
    "Improvemnet of the edema.": "improvemnet",
    "Aggrevation of the infiltrates.": "aggrevation",
    "Resoultion of atelectasis.": "resoultion",
    "Dissapearance of the nodule.": "dissapearance",
    "No pneumothorax, increased effusion.": "increased",
    "No pneumothorax but increased effusion.": "increased",
    "No pneumothorax and increased effusion.": "increased",
    "Not only the effusion but also the nodule increased.": "increased",
    "No doubt increased opacity.": "increased",
    "Heart size unchanged. Decreased congestion.": "decreased",
    "Increased effusion. Otherwise no interval change.": "increased",
    "Without fever, however new consolidation in the lingula.": "new",
}
UNCHANGED = {
    "No interval change.": "no interval",
    "No significant interval change since last study.": "no significant interval",
    "Difference is not significant.": "not significant",
    "Not remarkable compared with the previous study.": "not remarkable",
    "No change in the right upper lobe nodule.": "no change",
    "Unchanged position of the catheter.": "unchanged",
    "Stable fibrotic lesion.": "stable",
    "No new lesion.": "denied: new",
    "No newly developed lesion.": "denied: newly",
    "Without increase in size.": "denied: increase",
    "The nodule shows no enlargement.": "denied: enlargement",
    "The mass has not increased.": "denied: increased",
    "No evidence of progression.": "denied: progression",
    "No new nodule, mass, or enlargement of the heart.": "denied: new",
    "Absence of progression.": "denied: progression",
    "Negative for new infiltrates.": "denied: new",
    "Neither improvement nor aggravation.": "denied: improvement",
    "An increase of the effusion is not seen.": "denied: increase",
    "Progression was excluded.": "denied: progression",
    "No intervel change.": "no intervel",
    "No signifcant change of the effusion.": "no signifcant change",
    "Nothing new.": "denied: new",
    "Lack of progression.": "denied: progression",
    "The nodule hasn't increased.": "denied: increased",
    "The effusion didn’t progress.": "denied: progress",
    "W/o new infiltrate.": "denied: new",
    "None of the nodules has enlarged.": "denied: enlarged",
    "No definite interval change.": "no definite interval",
}
SILENT = (
    "Right upper lobe nodule.",
    "High resolution CT is recommended.",
    "Newborn chest.",
    "Improper inspiration.",
    "Central venous catheter in place.",
    "",
)


@pytest.mark.parametrize(("sentence", "word"), CHANGED.items())
def test_change_is_found_with_its_word(sentence: str, word: str) -> None:
    found = change(sentence)
    assert found.value is True
    assert word in found.words


@pytest.mark.parametrize(("sentence", "word"), UNCHANGED.items())
def test_no_change_is_found_with_its_word(sentence: str, word: str) -> None:
    found = change(sentence)
    assert found.value is False
    assert word in found.words


@pytest.mark.parametrize("sentence", SILENT)
def test_other_sentences_say_nothing_of_change(sentence: str) -> None:
    assert change(sentence).value is None


@pytest.mark.parametrize(
    ("report", "abnormal"),
    [
        ("No active lung lesion.", False),
        ("No acitve lung lesion", False),
        ("No active lung lesions in both lungs.", False),
        ("Within normal limits.", False),
        ("Lungs are clear. No effusion.", False),
        ("Unremarkable chest.", False),
        ("No active lung lesion. Old calcified nodule in the right apex.", False),
        ("Consolidation in the right lower lobe.", True),
        ("Efusion on the left.", True),
        ("No active lung lesion, but cardiomegaly.", True),
        ("No pneumothorax. Multiple nodules.", True),
        ("Endotracheal tube in place.", None),
        ("Lungs w/o infiltrate.", False),
        ("Pleural effusion: none.", False),
        ("Pneumothorax: no", False),
        ("Consolidation isn't seen.", False),
        ("Impression: no effusion, but pneumonia.", True),
        ("An effusion can't be excluded. Nodule on the left.", True),
    ],
)
def test_state(report: str, abnormal: bool | None) -> None:
    assert state(report).value is abnormal


@pytest.mark.parametrize(
    ("baseline", "follow_up", "name", "words"),
    [
        ("No active lung lesion.", "No interval change.", "normal, no change", ("no interval",)),
        ("No active lung lesion.", "Newly developed effusion.", "normal, change", ("newly",)),
        ("Pneumonia.", "No interval change.", "abnormal, no change", ("no interval",)),
        ("Pneumonia.", "Improved.", "abnormal, change", ("improved",)),
        # A state that turned is change without any keyword, and both reports' words are behind it.
        ("No active lesion.", "Consolidation, left.", "normal, change", ("no active lesion", "consolidation")),
        ("Consolidation, left.", "No active lesion.", "abnormal, change", ("consolidation", "no active lesion")),
        ("Catheter in place.", "Catheter in place.", "abnormal, no change", ()),
    ],
)  # fmt: skip
def test_two_reports_give_a_class(baseline: str, follow_up: str, name: str, words: tuple[str, ...]) -> None:
    labels = label_reports(baseline, follow_up)
    assert labels.name == name
    assert labels.change.words == words


def test_command_writes_labels_and_words(tmp_path: Path) -> None:
    reports = tmp_path / "reports.csv"
    reports.write_text("id,baseline,followup\n7,No active lung lesion.,New nodule.\n8,Mass.,No new lesion.\n")
    command = [sys.executable, "-m", "train.report_labels", str(reports), "--output", str(tmp_path / "out.csv")]
    subprocess.run(command, check=True, capture_output=True)
    table = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert list(table["id"]) == [7, 8]
    assert list(table["class"]) == ["normal, change", "abnormal, no change"]
    assert list(table["change"]) == [1, 0]
    assert list(table["change_words"]) == ["new", "denied: new"]


def test_command_refuses_a_table_without_reports(tmp_path: Path) -> None:
    table = tmp_path / "reports.csv"
    table.write_text("text\nMass.\n")
    done = subprocess.run(
        [sys.executable, "-m", "train.report_labels", str(table)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "lacks the column" in done.stderr
