"""The shell: navigation, start page, acknowledgement, what every task's page does."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrkit.task import Task
from cxrkit.tasks import TASKS, find_task
from pages.ui import models, shell
from pages.ui.shell import FOOTER
from tests.pages.conftest import IMAGE_TASKS, REPOSITORY, picture, png

NAMES = [task.name for task in TASKS]
IMAGE_PAGES = [task.name for task in IMAGE_TASKS]
Opened = Callable[[str], AppTest]


def slots(name: str) -> list[str]:
    """Keys of a page's uploaders, without their ending."""
    task = find_task(name)
    return [name] if len(task.inputs) == 1 else [f"{name}.{place}" for place in range(len(task.inputs))]


def upload(app: AppTest, name: str, data: bytes, file: str = "chest.png") -> AppTest:
    """Give the page a file; where it reads several, another image in the other places."""
    for key, each in zip(slots(name), (data, png(np.fliplr(picture(name)))), strict=False):
        app.file_uploader(key=f"{key}.upload").upload(file, each)
    return app.run()


def said(app: AppTest) -> str:
    """All texts of the page."""
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.text, app.info, app.warning, app.error)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def test_first_paint_needs_no_torch() -> None:
    heavy = ("torch", "timm", "pytorch_grad_cam", "pandas", "scipy.stats")
    program = (
        "import sys; from streamlit.testing.v1 import AppTest; import streamlit.dataframe_util;"
        "before = set(sys.modules); at = AppTest.from_file(sys.argv[1], default_timeout=60).run();"
        f"assert at.title and not at.exception; print([m for m in {heavy} if m in set(sys.modules) - before])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(REPOSITORY / "app.py")],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("task", TASKS, ids=NAMES)
def test_start_page_introduces_every_task(task: Task, small_weights: Path, app: AppTest) -> None:
    text = said(app)
    assert task.title in text
    assert task.summary in text
    assert "12 images, all simulated: Drawn chests" in text
    assert FOOTER in text
    assert not app.exception


def test_libraries_load_once_a_page_that_uses_networks_is_drawn(
    app: AppTest, small_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(shell, "begin_to_load_libraries", lambda: begun.append("now"))
    app.switch_page("pages/tuberculosis.py").run()
    assert not begun, "not before the first paint"
    app.button(key="acknowledge").click().run()
    assert begun
    begun.clear()
    for name in ("start", "models"):
        app.switch_page(f"pages/{name}.py").run()
        assert not app.exception
    assert not begun


def test_acknowledgement_is_asked_once(small_weights: Path, app: AppTest) -> None:
    app.button(key="acknowledge").click().run()
    assert "acknowledge" not in [button.key for button in app.button]
    app.switch_page(f"pages/{NAMES[0]}.py").run()
    assert "acknowledge" not in [button.key for button in app.button]


@pytest.mark.parametrize("name", NAMES)
def test_page_without_image_says_what_it_takes(name: str, opened: Opened) -> None:
    app = opened(name)
    (info,) = app.info
    assert "DICOM, PNG, JPEG or TIFF" in info.value
    assert "64 MB" in info.value
    assert FOOTER in said(app)
    assert not app.metric
    assert not app.exception


@pytest.mark.parametrize("task", TASKS, ids=NAMES)
def test_missing_weights_say_the_command(
    task: Task, app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "WEIGHTS", tmp_path)
    app.run()
    assert task.train_command in "".join(warning.value for warning in app.warning)
    app.switch_page(f"pages/{task.name}.py").run()
    assert task.train_command in app.error[0].value
    assert FOOTER in said(app)
    assert not app.exception


@pytest.mark.parametrize("task", TASKS, ids=NAMES)
def test_altered_weights_are_refused(
    task: Task, app: AppTest, small_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / task.name
    folder.mkdir()
    card = (small_root / task.name / "card.json").read_text().replace('"sha256": "', '"sha256": "0')
    (folder / "card.json").write_text(card)
    (folder / "model.safetensors").write_bytes((small_root / task.name / "model.safetensors").read_bytes())
    monkeypatch.setattr(models, "WEIGHTS", tmp_path)
    app.switch_page(f"pages/{task.name}.py").run()
    upload(app, task.name, png(picture(task.name)))
    assert "SHA-256" in app.error[0].value
    assert not app.metric
    assert not app.exception


BAD_FILES = {
    "empty": (b"", "empty"),
    "malformed": (b"This is a letter, not an image.", ""),
    "half a PNG": (png(np.random.default_rng(0).integers(0, 256, (200, 200)))[:2000], ""),
    "too many pixels": (png(np.zeros((6400, 6400))), "megapixels"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
@pytest.mark.parametrize("name", IMAGE_PAGES)
def test_bad_file_gives_one_sentence(kind: str, name: str, opened: Opened) -> None:
    data, word = BAD_FILES[kind]
    app = opened(name)
    upload(app, name, data, "Zebedee.png")
    (error,) = app.error
    assert word in error.value
    assert "Zebedee" not in error.value
    assert not app.metric
    assert not app.exception


@pytest.mark.parametrize("name", IMAGE_PAGES)
def test_a_tinted_film_is_read_with_a_warning(name: str, opened: Opened) -> None:
    app = opened(name)
    colour = np.stack([picture(name) * share for share in (1, 0.9, 0.8)], axis=2)
    upload(app, name, png(colour))
    assert any("colour" in warning.value for warning in app.warning)
    assert app.metric
    assert not app.exception


@pytest.mark.parametrize("name", IMAGE_PAGES)
def test_upload_survives_a_page_switch_and_can_be_removed(name: str, opened: Opened) -> None:
    app = opened(name)
    upload(app, name, png(picture(name)))
    score = app.metric[0].value
    app.switch_page("pages/start.py").run()
    app.switch_page(f"pages/{name}.py").run()
    assert app.metric[0].value == score
    assert "In use: chest.png" in said(app)
    app.button(key=f"{slots(name)[0]}.remove").click().run()
    assert not app.metric
    assert app.info
    assert not app.exception
