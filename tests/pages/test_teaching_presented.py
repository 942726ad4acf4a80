"""Presenter mode on the Teaching page hides captions, but none that says what a picture or a figure means."""

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element

from cxrkit.lesson_cases import MISLEADING
from pages.ui import lesson_network, presenter
from pages.ui.quiz_words import HONEST
from tests.pages.teaching_page import answer, go_on, page, small_images, start

__all__ = ["page", "small_images"]

SEED = MISLEADING[0].seed


def stays(app: AppTest) -> str:
    """Captions in containers that presenter mode leaves alone."""
    return "\n".join(caption.value for block in _blocks(app.main) for caption in _captions(block))


def _blocks(block: Block) -> Iterator[Block]:
    for child in block.children.values():
        if isinstance(child, Block):
            if getattr(child.proto, "id", "").endswith("explains"):
                yield child
            yield from _blocks(child)


def _captions(block: Block) -> Iterator[Element]:
    yield from block.caption


def test_presenter_mode_has_a_rule_for_them() -> None:
    assert '[class*="st-key-"][class*="explains"]' in presenter._STYLE


def test_legend_and_what_is_counted_and_the_scores_caveat_stay(page: AppTest) -> None:
    assert HONEST["tuberculosis"] in stays(page)
    start(page, "tuberculosis", 1)
    answer(page, "abnormal")
    assert "The heatmap shows evidence for" in stays(page)
    go_on(page)
    assert "of a few cases they say little" in stays(page)


def test_limits_of_the_lesson_stay(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson_network, "STEPS", 3)
    page.session_state["teaching.tabs"] = "Is the heatmap right?"
    page.run()
    asked = (
        ("1. On the lesion?", f"lesson.where.{SEED}", "On a real radiograph nobody can"),
        ("2. Random weights", f"lesson.trained.{SEED}.0", "Limit of this check"),
        ("3. Two labels", f"lesson.stronger.{SEED}", "So ask of every map"),
    )
    for step, key, limit in asked:
        page.segmented_control(key="lesson.step").set_value(step).run()
        radio = page.radio(key=key)
        radio.set_value(radio.options[0]).run()
        assert not page.exception
        assert limit in stays(page)
