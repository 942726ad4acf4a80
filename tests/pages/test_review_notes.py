"""The notes beneath an opened case, driven through AppTest."""

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxrkit.errors import NotesError
from cxrkit.review.case_key import case_key
from cxrkit.review.notes import Notes, Remark, Verdict, open_notes
from cxrkit.review.table import ReviewSet, answer_columns, read_predictions
from cxrkit.task import Task
from cxrkit.tasks.nih14 import NIH14
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from pages.ui.review_notes import INITIALS, PLACE

PAGE = str(Path(__file__).with_name("review_notes_page.py"))


@pytest.fixture(autouse=True)
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notes:
    """An empty database of this test."""
    monkeypatch.setenv("CXRKIT_DATABASE_URL", f"sqlite:///{tmp_path}/reviews.sqlite")
    return open_notes()


@pytest.fixture
def review(tmp_path: Path) -> ReviewSet:
    return reviewed(TUBERCULOSIS, tmp_path, "1")


def reviewed(task: Task, root: Path, target: str) -> ReviewSet:
    """Three cases; what a file holds does not matter to notes."""
    lines = [",".join(["file", task.target_column, *answer_columns(task)])]
    for number in range(3):
        (root / f"{number}.png").write_bytes(b"image %d" % number)
        lines.append(",".join([f"{number}.png", target, *("0.5" for _ in task.labels)]))
    return read_predictions("\n".join(lines).encode(), "run", task, root)


def opened(review: ReviewSet, row: int = 0) -> AppTest:
    """As in a new session."""
    at = AppTest.from_file(PAGE, default_timeout=30)
    at.session_state["review"], at.session_state["row"] = review, row
    at.run()
    assert not at.exception
    return at


def write(at: AppTest, initials: str, verdict: Verdict | None, note: str = "", tags: tuple[str, ...] = ()) -> AppTest:
    at.text_input(key=INITIALS).set_value(initials).run()
    next(each for each in at.segmented_control if each.key.startswith(f"{PLACE}.")).set_value(verdict)
    next(each for each in at.multiselect if each.label == "Tags" and "filter" not in each.key).set_value(list(tags))
    at.text_area[0].set_value(note)
    at.button(key=f"{PLACE}.save").click().run()
    assert not at.exception
    return at


def said(at: AppTest) -> str:
    return "\n".join(
        str(each.value) for each in (*at.markdown, *at.caption, *at.text, *at.error, *at.success, *at.info)
    )


def test_a_saved_entry_is_there_after_a_reload(review: ReviewSet) -> None:
    at = opened(review)
    assert "Nobody has said anything" in said(at)
    write(at, "ab", Verdict.MODEL_WRONG, "a *scar* in the left apex", ("scar", "apex"))
    assert [each.value for each in at.success] == ["Saved."]
    again = opened(review)
    shown = said(again)
    assert "**AB**" in shown
    assert "model wrong" in shown
    assert "Tags: apex, scar" in shown
    assert "a *scar* in the left apex" in [each.value for each in again.text]
    assert " UTC" in shown
    assert again.text_area[0].value == ""
    again.text_input(key=INITIALS).set_value("AB").run()
    assert again.text_area[0].value == "a *scar* in the left apex"
    assert "Nobody has said anything" in said(opened(review, 1))


@pytest.mark.parametrize("weights", ["", "e" * 64])
def test_notes_keep_the_weights_that_the_scores_are_from(review: ReviewSet, notes: Notes, weights: str) -> None:
    """Of an uploaded table they are not known, whatever weights this server has."""
    write(opened(replace(review, weights=weights)), "AB", Verdict.AGREE)
    ((entry,),) = notes.current([case_key(review.paths(0))], "tuberculosis").values()
    assert entry.weights == weights


def test_two_reviewers_and_the_history_of_each(review: ReviewSet, notes: Notes) -> None:
    write(opened(review), "AB", Verdict.AGREE)
    write(opened(review), "CD", Verdict.UNCLEAR)
    at = write(opened(review), "AB", Verdict.LABEL_WRONG)
    shown = said(at)
    assert [each.value for each in at.markdown if each.value in {"**AB**", "**CD**"}] == ["**AB**", "**CD**", "**AB**"]
    assert shown.count("replaced since") == 1
    (current,) = notes.current([case_key(review.paths(0))], "tuberculosis").values()
    assert {entry.reviewer: entry.verdict for entry in current} == {"AB": "label wrong", "CD": "unclear"}


def test_initials_and_something_to_say_are_asked_for_and_nothing_typed_is_lost(review: ReviewSet, notes: Notes) -> None:
    at = opened(review)
    at.text_area[0].set_value("typed first")
    at.button(key="review.notes.save").click().run()
    assert ["1 to 4 letters" in each.value for each in at.error] == [True]
    at.text_input(key=INITIALS).set_value("ab").run()
    assert at.text_area[0].value == "typed first"
    at.button(key="review.notes.save").click().run()
    assert [each.value for each in at.success] == ["Saved."]
    write(at, "ab", None)
    assert ["nothing to save" in each.value for each in at.error] == [True]
    assert notes.state("tuberculosis")[0] == 1


def test_initials_are_kept_for_the_next_case_and_tags_are_offered(review: ReviewSet) -> None:
    at = write(opened(review), "ab", None, tags=("scar",))
    at.session_state["row"] = 1
    at.run()
    assert at.text_input(key=INITIALS).value == "ab"
    (tags,) = at.multiselect
    assert (tags.options, tags.value) == (["scar"], [])


def test_entries_of_a_task_with_several_labels_say_which(tmp_path: Path) -> None:
    at = opened(reviewed(NIH14, tmp_path, "No Finding"))
    at.selectbox(key="review.notes.label").set_value("Effusion").run()
    write(at, "AB", Verdict.AGREE)
    at.selectbox(key="review.notes.label").set_value("Mass").run()
    write(at, "AB", Verdict.UNCLEAR)
    assert [each.value for each in at.text if each.value in {"Effusion", "Mass"}] == ["Mass", "Effusion"]
    assert "replaced since" not in said(at)


def test_entries_on_another_label_say_so_where_one_label_is_reviewed(tmp_path: Path) -> None:
    at = opened(reviewed(NIH14, tmp_path, "No Finding"))
    at.selectbox(key="review.notes.label").set_value("Effusion").run()
    write(at, "AB", Verdict.MODEL_WRONG)
    at.session_state["label"] = "Mass"
    at.run()
    assert "Effusion" in [each.value for each in at.text]


def test_without_the_database_all_cases_stay(review: ReviewSet, monkeypatch: pytest.MonkeyPatch) -> None:
    at = opened(review)
    at.button(key="review.notes.filter.find").click().run()

    def broken(*_: object) -> object:
        raise NotesError("The notes cannot be reached.")

    monkeypatch.setattr(Notes, "state", broken)
    at.run()
    assert not at.exception
    assert "The notes cannot be reached." in at.error[0].value
    assert "left: [0, 1, 2]" in said(at)


def test_cases_are_chosen_by_verdict_and_tag_once_their_keys_are_known(review: ReviewSet, notes: Notes) -> None:
    first = Remark(case_key="", task="tuberculosis", label="tuberculosis", reviewer="AB", verdict=Verdict.AGREE)
    notes.add(replace(first, case_key=case_key(review.paths(1)), tags=("scar",)))
    notes.add(replace(first, case_key=case_key(review.paths(2)), verdict=Verdict.UNCLEAR))
    at = opened(review)
    place = "review.notes.filter"
    at.button(key=f"{place}.find").click().run()
    assert "left: [0, 1, 2]" in said(at)
    at.pills(key=f"{place}.verdict").set_value(["agree"]).run()
    assert "left: [1]" in said(at)
    at.pills(key=f"{place}.verdict").set_value(["unclear", "none yet"]).run()
    assert "left: [0, 2]" in said(at)
    at.pills(key=f"{place}.verdict").set_value([]).run()
    at.multiselect(key=f"{place}.tags").set_value(["scar"]).run()
    assert "left: [1]" in said(at)
    assert not at.exception


def test_without_images_there_is_a_sentence_in_place_of_notes(review: ReviewSet) -> None:
    at = opened(replace(review, root=None))
    assert "the images cannot be opened" in said(at)
    assert not at.text_area


def test_a_missing_image_and_a_database_that_cannot_be_used_are_said(
    review: ReviewSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0.png").unlink()
    assert "is not in the root folder" in opened(review).error[0].value
    monkeypatch.setenv("CXRKIT_DATABASE_URL", "mysql://me:secret@host/notes")
    shown = [each.value for each in opened(review, 1).error]
    assert shown
    assert all("CXRKIT_DATABASE_URL is no address" in each and "secret" not in each for each in shown)
