"""A case that is opened on the review page: images, heatmap on demand, what is known to lie there, its row."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrkit.explain_pair import Overlay
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from pages.ui import review_case
from pages.ui.viewer import Pane
from tests.pages.conftest import chest, hand, png
from tests.pages.review_cases import predictions, write_images
from tests.pages.review_page import cards, folder, load, loaded, page
from tests.pages.test_app import said

__all__ = ["folder", "loaded", "page"]


def test_a_case_is_opened_with_its_row_and_closed(loaded: AppTest) -> None:
    row = cards(loaded)[0]
    loaded.button(key=f"review.open.{row}").click().run()
    assert not loaded.exception
    assert not loaded.error
    assert f"Case {row + 1}, 1 of 30" in said(loaded)
    loaded.button(key="review.case.next").click().run()
    assert f"Case {cards(loaded)[1] + 1}, 2 of 30" in said(loaded)
    loaded.button(key="review.case.close").click().run()
    assert "1 of 30" not in said(loaded)


def test_the_heatmap_comes_on_demand_and_other_weights_are_told(page: AppTest, folder: Path) -> None:
    (folder / "a.png").write_bytes(png())
    (folder / "b.png").write_bytes(png(np.fliplr(chest())))
    data = predictions(TUBERCULOSIS, [["a.png"], ["b.png"]], ["0", "1"], [1.0, 0.0])
    load(page, data).button(key="review.open.0").click().run()
    assert "by the weights of this server" not in said(page)
    page.toggle(key="review.heatmap").set_value(True).run()
    assert not page.exception
    assert not page.error, page.error[0].value
    assert "Drawn by the weights of this server" in said(page)
    assert "written by other weights" in said(page)


def test_known_lesions_are_outlined_and_a_wrong_mask_is_a_sentence(page: AppTest, folder: Path) -> None:
    names = write_images(folder, 2)
    (folder / "mask.png").write_bytes(png(np.pad(np.full((20, 20), 255), ((30, 46), (20, 40)))))
    (folder / "wide.png").write_bytes(png(np.full((20, 90), 255)))
    table = predictions(TUBERCULOSIS, [[name] for name in names], ["1", "0"], [0.2, 0.1]).decode().splitlines()
    rows = [f"{line},{mask}" for line, mask in zip(table, ("mask", "mask.png", "wide.png"), strict=True)]
    load(page, "\n".join(rows).encode()).button(key="review.open.0").click().run()
    assert "Dashed outline" in said(page)
    page.button(key="review.open.1").click().run()
    assert not page.exception
    assert "do not show the same part" in said(page)


def test_a_hand_is_explained_with_the_childs_sex(page: AppTest, folder: Path) -> None:
    (folder / "hand.png").write_bytes(png(hand()))
    data = predictions(BONE_AGE, [["hand.png"], ["hand.png"]], ["96", "96"], [100.0, 90.0])
    load(page, data).button(key="review.open.0").click().run()
    page.toggle(key="review.heatmap").set_value(True).run()
    assert not page.exception
    assert not page.error, page.error[0].value
    assert "months here" in said(page)


def test_both_images_of_a_pair_are_shown(page: AppTest, folder: Path) -> None:
    (folder / "a.png").write_bytes(png())
    (folder / "b.png").write_bytes(png(np.fliplr(chest())))
    data = predictions(FOLLOW_UP, [["a.png", "b.png"], ["b.png", "a.png"]], ["0", "1"], [0.8, 0.4])
    load(page, data).button(key="review.open.0").click().run()
    page.toggle(key="review.heatmap").set_value(True).run()
    assert not page.exception
    assert not page.error, page.error[0].value
    assert "the pixelwise minimum" in said(page)
    assert "Drawn by the weights of this server" in said(page)


def test_what_was_in_the_baseline_is_outlined_there(
    page: AppTest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Pane] = []
    monkeypatch.setattr(review_case, "viewer", lambda panes, **_: shown.extend(panes))
    (folder / "a.png").write_bytes(png())
    height, width = chest().shape
    (folder / "gone.png").write_bytes(png(np.pad(np.full((20, 20), 255), ((30, height - 50), (20, width - 40)))))
    table = predictions(FOLLOW_UP, [["a.png", "a.png"]], ["1"], [0.8]).decode().splitlines()
    more = ("baseline_mask,boxes", "gone.png,Mass 40 50 30 20")
    data = "\n".join(f"{line},{cells}" for line, cells in zip(table, more, strict=True)).encode()
    load(page, data).button(key="review.open.0").click().run()
    assert not page.exception
    baseline, follow_up = shown[-2:]
    assert [(name, int(mask.sum())) for name, mask in baseline.masks] == [("mask", 400)]
    assert [(name, int(mask.sum())) for name, mask in follow_up.masks] == [("Mass", 600)]
    assert "Dashed outline" in said(page)


def test_the_overlay_of_a_pair_is_chosen_and_said(page: AppTest, folder: Path) -> None:
    (folder / "a.png").write_bytes(png())
    data = predictions(FOLLOW_UP, [["a.png", "a.png"]], ["0"], [0.5])
    load(page, data).button(key="review.open.0").click().run()
    page.toggle(key="review.heatmap").set_value(True).run()
    choice = page.selectbox(key="review.overlay")
    assert list(choice.options) == [str(overlay) for overlay in Overlay]
    for overlay, words in ((Overlay.UNION, "the pixelwise maximum"), (Overlay.LESION_CHANGE, "It is not scaled")):
        choice.set_value(overlay).run()
        assert not page.exception
        assert words in said(page)


def test_a_hostile_table_is_shown_as_it_was_written_and_never_as_markdown(page: AppTest, folder: Path) -> None:
    image = "![](https://evil.example/p.png)"
    table = predictions(TUBERCULOSIS, [[name] for name in write_images(folder, 4)], "0101", [0.2, 0.8, 0.3, 0.6])
    head, *rows = table.decode().splitlines()
    few, numbers, many = (f"{image}{number}" for number in range(3))
    data = [f"{head},{few},{numbers},{many}"]
    data += [f"{row},{image}{number % 2},{number / 3},{'x' * number}" for number, row in enumerate(rows)]
    data += [f"{rows[0]},,{number},{number}z" for number in range(70)]  # too many texts to be offered one by one
    load(page, "\n".join(data).encode()).button(key="review.open.0").click().run()
    page.session_state["review.row"] = True
    next(each for each in page.multiselect if each.label == "Filter by").set_value([few, numbers, many]).run()
    assert not page.exception
    (row,) = (frame.value for frame in page.dataframe if "Column" in frame.value)
    assert {few, numbers, many} < set(row["Column"])
    assert f"{image}0" in set(row["Value"])
    read_as_markdown = [*page.markdown, *page.caption, *page.table, *page.subheader, *page.warning]
    assert not [element for element in read_as_markdown if "evil" in str(element.proto)]
    labels = [each.label for each in (*page.multiselect, *page.slider, *page.text_input)]
    asked = [label for label in labels if "evil" in label]
    assert len(asked) == 3
    assert all(r"\!\[\]\(https\:" in label and "https://" not in label for label in asked)
