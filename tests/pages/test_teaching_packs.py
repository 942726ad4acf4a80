"""Own cases on the Teaching page: a pack is checked, asked and judged; what a stranger wrote stays plain text."""

import pytest
from streamlit.testing.v1 import AppTest

from cxrkit.quiz import example_pack as example
from cxrkit.quiz.example_pack import example_pack
from pages.ui import quiz_case
from pages.ui.viewer import ViewerState
from tests.pages.teaching_page import answer, calm, go_on, page, run_of, small_images
from tests.pages.test_app import said
from tests.test_quiz_pack import entry, one_row, pack, picture

__all__ = ["page", "small_images"]

NOTE = "![x](https://evil.example/p.png) <img src=x> **bold**"


@pytest.fixture(autouse=True)
def _small_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example, "_HEIGHT", 200)


def begin(app: AppTest, data: bytes) -> AppTest:
    app.session_state["quiz.own"] = True
    app.run()
    app.file_uploader(key="quiz.pack").upload("pack.zip", data).run()
    assert "every image can be read." in app.success[0].value
    return calm(app.button(key="quiz.start_pack").click().run())


def test_own_cases_of_every_kind_are_checked_and_asked(page: AppTest) -> None:
    begin(page, example_pack())
    assert "Case 1 of 7" in said(page)
    assert "Simulated: " not in said(page), "the note comes with the answer"
    readings = {"tuberculosis": "abnormal", "followup": "change", "bone_age": (8, 3), "vq": "perfusion"}
    for row, question in enumerate(run_of(page).questions, start=2):
        answer(page, readings[question.task])  # type: ignore[arg-type]
        assert f"As the pack says, row {row} " in said(page)
        assert question.what in [text.value for text in page.text]
        go_on(page)
    assert [metric.label.partition(":")[0] for metric in page.metric[::2]] == [
        "Tuberculosis",
        "Follow-up comparison",
        "Bone age",
        "V/Q scan type",
    ]
    assert "quiz" not in page.query_params


def test_a_mark_on_the_baseline_of_an_own_pair_is_not_known_and_no_miss(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(page, pack(one_row("a.png,b.png,followup,change,,5,6,20,30,,,"), b=picture(value=90)))
    monkeypatch.setattr(quiz_case, "viewer", lambda *_, **__: ViewerState(None, (0, 5.0, 5.0)))
    page.run()
    answer(page, "change")
    (found,) = run_of(page).outcomes
    assert found.region
    assert found.learner.mark is None
    assert "Whether your mark is right is not known." in said(page)
    go_on(page)
    assert page.dataframe[0].value["Marks inside"][0] == "–"
    assert page.dataframe[1].value["Your mark"][0] == "place not known"


def test_a_pack_stays_until_it_is_removed(page: AppTest) -> None:
    begin(page, pack(one_row("a.png,,tuberculosis,normal,,,,,,,,")))
    answer(page, "normal")
    go_on(page)
    calm(page.button(key="quiz.again").click().run())
    assert "Case 1 of 1" in said(page)
    answer(page, "normal")
    go_on(page)
    calm(page.button(key="quiz.leave").click().run())
    assert page.file_uploader(key="quiz.pack").value is None
    calm(page.button(key="quiz.start_pack").click().run())
    assert "Case 1 of 1" in said(page)
    page.button(key="quiz.end").click().run()
    page.button(key="quiz.remove_pack").click().run()
    assert not page.exception
    assert "quiz.start_pack" not in [button.key for button in page.button]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (entry("../../etc/passwd.png"), "leads out of the pack"),
        (pack(b=b"\x89PNG\r\n\x1a\n" + bytes(60 << 20)), "grows more than 200 times"),
        (pack(a=b"<html><script>alert(1)</script></html>"), "is no image"),
        (pack(a=picture((12, 12))), "row 2 of quiz.csv cannot be used. The image is 12 x 12 pixels"),
        (b"This is a letter.", "no zip file"),
    ],
    ids=["path", "bomb", "wrong type", "too small", "no zip"],
)
def test_a_hostile_pack_gives_a_sentence(page: AppTest, data: bytes, words: str) -> None:
    page.file_uploader(key="quiz.pack").upload("Zebedee.zip", data).run()
    assert not page.exception
    (error,) = page.error
    assert words in error.value
    assert "Zebedee" not in error.value
    assert "quiz.start_pack" not in [button.key for button in page.button]


def test_a_hostile_note_is_shown_as_it_was_written_and_never_as_markdown(page: AppTest) -> None:
    begin(page, pack(one_row(f"a.png,,tuberculosis,normal,,,,,,,,{NOTE}")))
    answer(page, "normal")
    assert NOTE in [text.value for text in page.text]
    read_as_markdown = [*page.markdown, *page.caption, *page.subheader, *page.title, *page.warning, *page.metric]
    assert not [element for element in read_as_markdown if "evil" in str(element.proto)]
    go_on(page)
    assert "evil" not in said(page)
