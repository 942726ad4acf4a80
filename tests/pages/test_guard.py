"""The image guard on the page: nothing is scored until the user insists."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import IMAGE_TASKS, chest, picture, png
from tests.pages.test_app import said

Opened = Callable[[str], AppTest]
NAMES = [task.name for task in IMAGE_TASKS if len(task.inputs) == 1]


def page_of_text() -> bytes:
    image = Image.new("L", (500, 600), 250)
    draw = ImageDraw.Draw(image)
    for row in range(20, 580, 18):
        draw.text((20, row), "Discharge letter, page one of three, printed on paper.", fill=10)
    return png(np.asarray(image))


STOPPED = {
    "blank": (png(np.full((300, 300), 128)), "blank"),
    "page": (page_of_text(), "page of text"),
    "turned": (None, "turn it"),
}


def upload(app: AppTest, name: str, data: bytes) -> AppTest:
    app.file_uploader(key=f"{name}.upload").set_value(("image.png", data, "image/png")).run()
    assert not app.exception
    assert not app.error
    return app


def buttons(app: AppTest) -> list[str]:
    return [button.key for button in app.button]


@pytest.mark.parametrize("kind", STOPPED)
@pytest.mark.parametrize("name", NAMES)
def test_another_kind_of_image_is_stopped_until_the_user_insists(name: str, kind: str, opened: Opened) -> None:
    data, words = STOPPED[kind]
    app = upload(opened(name), name, png(np.rot90(chest())) if data is None else data)
    assert words in said(app)
    assert "It was not analysed" in said(app)
    assert not app.metric
    assert "Heatmap" not in said(app)
    assert f"{name}.overlay" not in buttons(app)

    app.button(key=f"{name}.anyway").click().run()
    assert not app.exception
    assert app.metric
    asked = "because you asked for it"
    assert [words in warning.value for warning in app.warning if asked in warning.value] == [True]
    assert f"{name}.anyway" not in buttons(app)


@pytest.mark.parametrize("name", NAMES)
def test_insisting_holds_for_the_one_image(name: str, opened: Opened) -> None:
    blank, page = STOPPED["blank"][0], STOPPED["page"][0]
    assert blank is not None
    assert page is not None
    app = upload(opened(name), name, blank)
    app.button(key=f"{name}.anyway").click().run()
    assert app.metric
    app.switch_page("pages/start.py").run()
    app.switch_page(f"pages/{name}.py").run()
    assert app.metric
    upload(app, name, page)
    assert not app.metric
    assert f"{name}.anyway" in buttons(app)


@pytest.mark.parametrize("name", NAMES)
def test_the_right_kind_is_scored_without_a_word(name: str, opened: Opened) -> None:
    app = upload(opened(name), name, png(picture(name)))
    assert app.metric
    assert "It was not analysed" not in said(app)
    assert f"{name}.anyway" not in buttons(app)
