"""The rest of a page waits until the answer is drawn and nobody else waits for one."""

import time

import pytest
import streamlit as st

from pages.ui import answer_first as module
from pages.ui.answer_first import answer_first


@pytest.fixture(autouse=True)
def _session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(module, "MOMENT", 0.06)
    monkeypatch.setattr(module, "LONGEST", 0.4)


def seconds(answer: str) -> float:
    start = time.monotonic()
    answer_first("tuberculosis", answer)
    return time.monotonic() - start


def test_an_answer_holds_the_rest_back_once() -> None:
    assert 0.06 <= seconds("a") < 0.4
    assert seconds("a") < 0.02
    assert seconds("b") >= 0.06


def test_others_who_wait_hold_it_back_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    end = time.monotonic() + 0.2
    monkeypatch.setattr(module, "waiting", lambda: int(time.monotonic() < end))
    assert 0.15 <= seconds("a") < 0.4


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "waiting", lambda: 1)
    assert 0.4 <= seconds("a") < 2
