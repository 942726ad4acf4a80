"""Real patients on the follow-up page: nothing is fetched before the button, and whose images they are is said."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrkit import hannover_samples, samples_command
from cxrkit.errors import FetchError
from cxrkit.hannover_samples import ATTRIBUTION, RealSample
from cxrkit.tasks.followup import FOLLOW_UP
from pages.ui import export, real_samples
from tests.pages.conftest import chest, png
from tests.pages.test_followup import texts

NAME = FOLLOW_UP.name


@pytest.fixture
def contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Content of each file of a table of two, simulated as everything in the tests is; an empty folder for them."""
    files = {"a.png": png(), "b.png": png(np.clip(chest()[:460, :400] + 3, 0, 255))}
    table = tuple(
        RealSample("A", 9 * number, "PA", f"png/{name}", len(data), hashlib.sha256(data).hexdigest())
        for number, (name, data) in enumerate(files.items())
    )
    monkeypatch.setattr(hannover_samples, "REAL_SAMPLES", table)
    monkeypatch.setenv("CXRKIT_SAMPLES", str(tmp_path / "samples"))
    return files


@pytest.fixture
def page(opened: Callable[[str], AppTest], contents: dict[str, bytes]) -> AppTest:
    real_samples._read.clear()
    at = opened(NAME)
    at.button(key="acknowledge").click().run()
    return at


def test_the_button_says_what_it_does_and_then_does_it(
    page: AppTest, contents: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fetched: list[str] = []

    def fetch(url: str, file: Path, size: int, sha256: str, told: Callable[[int], None]) -> None:
        fetched.append(url)
        file.write_bytes(contents[file.name])
        told(size)

    made: dict[str, object] = {}
    monkeypatch.setattr(export.st, "download_button", lambda label, data, **_: made.__setitem__(label, data()))
    monkeypatch.setattr(samples_command, "download", fetch)
    said = texts(page)
    for part in ("2 radiographs", hannover_samples.HOST, str(tmp_path / "samples"), "SHA-256", "Nothing of yours"):
        assert part in said
    assert ATTRIBUTION in said
    assert fetched == []
    page.button(key=f"{NAME}.fetch_real").click().run()
    assert not page.exception
    assert fetched == [f"{hannover_samples.SOURCE}/png/{name}" for name in contents]
    assert not [button for button in page.button if button.key == f"{NAME}.fetch_real"]

    page.button(key=f"{NAME}.real.A").click().run()
    assert not page.exception
    said = texts(page)
    assert "Radiographs of a real patient." in said
    assert ATTRIBUTION in said
    assert "9 days apart" in said
    assert page.metric
    assert json.loads(str(made["Result (JSON)"]))["attribution"] == ATTRIBUTION
    assert made["Both overlays (PNG)"]
    page.button(key=f"{NAME}.leave_real").click().run()
    assert "Still missing: Baseline and Follow-up" in texts(page)


def test_without_network_the_page_says_so(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise FetchError("There is no network connection to nowhere.")

    monkeypatch.setattr(samples_command, "download", fail)
    page.button(key=f"{NAME}.fetch_real").click().run()
    assert not page.exception
    assert [error.value for error in page.error] == ["There is no network connection to nowhere."]
    assert page.button(key=f"{NAME}.fetch_real")


def test_an_altered_file_is_refused_with_a_sentence(page: AppTest, contents: dict[str, bytes], tmp_path: Path) -> None:
    folder = tmp_path / "samples"
    folder.mkdir()
    for name, data in contents.items():
        (folder / name).write_bytes(data[:-1] + b"x")
    page.run()
    page.button(key=f"{NAME}.real.A").click().run()
    assert not page.exception
    assert "SHA-256 differs" in page.error[0].value
    assert page.button(key=f"{NAME}.fetch_real").label.startswith("Fetch 2 radiographs")
