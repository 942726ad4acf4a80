"""Many visitors at once, and many uploads one after the other, on one server."""

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import numpy as np
from playwright.sync_api import Browser, Page, Request

from benchmarks.remote import RemoteVisit, remote_visit
from benchmarks.server import Server, chromium, served
from benchmarks.timing import measured
from benchmarks.visit import IDLE, SHOWN, VIEWER, Visit, visit
from benchmarks.workbench import MIB, digest
from cxrkit.speed import Measurement
from cxrkit.task import Task

SESSIONS, UPLOADS = 10, 200
P95_GOAL, GROWTH_GOAL = 6.0, 50.0
"""Seconds from upload to answer with SESSIONS at once; MiB that UPLOADS may leave behind."""

_UPLOADS_OF_A_SESSION = 20
# Streamlit forgets a session that has gone two minutes after, once somebody else comes or goes.
_FORGOTTEN_SECONDS = 130
_PATIENCE = 300_000
"""Milliseconds."""
_STOPWATCH = f"""(digest) => {{
    const shown = {SHOWN};
    window.answerSeconds = null;
    document.addEventListener('change', () => {{
        const start = performance.now();
        const look = setInterval(() => {{
            if (!shown(digest)) return;
            window.answerSeconds = (performance.now() - start) / 1000;
            clearInterval(look);
        }}, 100);
    }}, {{ capture: true, once: true }});
}}"""
_PICTURE = f"() => {VIEWER}.panes[0].described.url"


@dataclass(frozen=True)
class Answer:
    """What one session got for its file.

    Attributes:
        seconds: from the file's choice until score, image and heatmap are on the screen, by the browser's clock.
        score: as the screen shows it.
        text: everything else on the screen.
        result: the JSON that can be taken away.
        picture: address of the image's pixels.
        pixels: what lies there.
        fetched: addresses of all files that the session fetched for its viewer and images.
    """

    seconds: float
    score: str
    text: str
    result: Mapping[str, object]
    picture: str
    pixels: bytes
    fetched: frozenset[str]


def at_once(browser: Browser, server: Server, task: Task, turns: Sequence[Sequence[Path]]) -> list[list[Answer]]:
    """One session for each file of a turn: all are open before the first upload, and all upload together.

    Args:
        browser: each session has a page of its own there.
        server: of the workbench.
        task: whose page it is.
        turns: what the sessions upload together, turn by turn; equally many files each.

    Returns:
        For each turn the answer of each session.
    """
    guests = [_arrived(browser, server, task) for _ in turns[0]]
    answers = [_uploaded(guests, server, files) for files in turns]
    for guest in guests:
        guest.close()
    return answers


def _uploaded(guests: Sequence[Visit], server: Server, files: Sequence[Path]) -> list[Answer]:
    fetched: list[set[str]] = []
    for guest, file in zip(guests, files, strict=True):
        fetched.append(_kept_addresses(guest.page))
        guest.page.evaluate(_STOPWATCH, digest(file))
    for guest, file in zip(guests, files, strict=True):
        guest.page.locator("input[type=file]").set_input_files(file)
    for guest in guests:
        guest.page.wait_for_function("() => window.answerSeconds !== null", timeout=_PATIENCE, polling=200)
        guest.page.wait_for_selector(IDLE)
    return [_answer(guest.page, server, addresses) for guest, addresses in zip(guests, fetched, strict=True)]


def elsewhere(server: Server, task: Task, turns: Sequence[Sequence[Path]]) -> list[list[float]]:
    """As at_once, but the browsers are on other machines; seconds until all that a page shows has arrived.

    Args:
        server, task, turns: as for at_once.

    Returns:
        For each turn the seconds of each session.
    """
    with ExitStack() as opened, ThreadPoolExecutor(len(turns[0])) as threads:
        guests = [opened.enter_context(remote_visit(server.url, task.name)) for _ in turns[0]]
        for guest in guests:
            guest.press("I understand")
        return [list(threads.map(RemoteVisit.upload, guests, files)) for files in turns]


def one_by_one(browser: Browser, server: Server, task: Task, files: Sequence[Path], session: int) -> None:
    """Upload each file in turn, `session` of them in one session, which then ends."""
    for start in range(0, len(files), session):
        guest = _arrived(browser, server, task)
        for file in files[start : start + session]:
            guest.upload(file, digest(file))
        guest.close()


def settled_memory(browser: Browser, server: Server, task: Task, wait: float) -> int:
    """Bytes of the server and its children after a wait, and a last visitor, who makes it drop what has expired."""
    time.sleep(wait)
    _arrived(browser, server, task).close()
    time.sleep(1)
    return server.memory()


def measure_sessions(task: Task, files: Sequence[Path], rounds: int = 3) -> list[Measurement]:
    """SESSIONS sessions at once on a warm server, several rounds; each uploads two images.

    Args:
        task: with weights.
        files: images, each different; SESSIONS of them.
        rounds: each with a browser session of its own for each file.
    """
    first: list[float] = []
    following: list[float] = []
    remote: list[list[float]] = [[], []]
    both = [files, [*files[1:], files[0]]]
    with chromium() as browser, served() as server:
        at_once(browser, server, task, [files[:1]])
        before = server.seconds()
        for _ in range(rounds):
            turns = at_once(browser, server, task, both)
            first += [answer.seconds for answer in turns[0]]
            following += [answer.seconds for answer in turns[1]]
        spent = (server.seconds() - before) / (rounds * len(files))
        for _ in range(rounds):
            for so_far, turn in zip(remote, elsewhere(server, task, both), strict=True):
                so_far.extend(turn)
    name, goal = f"{len(files)} sessions upload at once", f"goal of the 95th percentile: {P95_GOAL:g} s"
    shared = f"{goal}; {len(files)} pages of one Chromium share the processor with the server"
    each = "for a visitor's page, two images and what is taken away, without the browser"
    return [
        measured(f"{name}, each the first image", first, "s", waiting=True, note=shared),
        measured(f"{name}, each the next image", following, "s", waiting=True, note=shared),
        measured("processor time of the server for each of these sessions", [spent], "s", note=each),
        *(
            _remote(f"{name} with browsers on other machines, each the {which} image", seconds)
            for which, seconds in zip(("first", "next"), remote, strict=True)
        ),
    ]


def _remote(name: str, seconds: Sequence[float]) -> Measurement:
    """The goal is one of the 95th percentile, so that is the value."""
    note = f"median {np.median(seconds):.2f} s; until all that the page shows has arrived, without drawing it"
    worst = float(np.percentile(seconds, 95))
    return Measurement(f"{name}: 95th percentile", worst, "s", len(seconds), goal=P95_GOAL, note=note)


def measure_growth(
    task: Task, files: Sequence[Path], uploads: int = UPLOADS, wait: float = _FORGOTTEN_SECONDS
) -> list[Measurement]:
    """How much memory stays after many uploads, once their sessions are forgotten.

    Args:
        task: with weights.
        files: different images; taken round and round.
        uploads: how many.
        wait: seconds until the server has forgotten the last session.
    """
    turns = [files[number % len(files)] for number in range(uploads)]
    with chromium() as browser, served() as server:
        one_by_one(browser, server, task, turns[:_UPLOADS_OF_A_SESSION], _UPLOADS_OF_A_SESSION)
        before = settled_memory(browser, server, task, wait)
        one_by_one(browser, server, task, turns, _UPLOADS_OF_A_SESSION)
        after = settled_memory(browser, server, task, wait)
    note = f"after a first session of {_UPLOADS_OF_A_SESSION} uploads, and once all sessions are forgotten"
    return [measured(f"left behind by {uploads} uploads", [(after - before) / MIB], "MiB", goal=GROWTH_GOAL, note=note)]


def _arrived(browser: Browser, server: Server, task: Task) -> Visit:
    """A new visitor on the task's page, who has acknowledged."""
    guest = visit(browser)
    guest.open(f"{server.url}/{task.name}", task.title)
    guest.acknowledge()
    return guest


def _kept_addresses(page: Page) -> set[str]:
    """Set that fills with the addresses of the server's files as the page fetches them."""
    addresses: set[str] = set()

    def keep(request: Request) -> None:
        if urlsplit(request.url).path.startswith("/media/"):
            addresses.add(request.url)

    page.on("request", keep)
    return addresses


def _answer(page: Page, server: Server, fetched: set[str]) -> Answer:
    picture = urljoin(server.url, page.evaluate(_PICTURE))
    with page.expect_download() as download:
        page.get_by_role("button", name="Result (JSON)").click()
    facts = page.get_by_test_id("stTable").filter(has_text="Image size")
    if not facts.is_visible():
        page.get_by_text("The file", exact=True).click()
        facts.wait_for()
    page.wait_for_selector(IDLE)
    return Answer(
        seconds=page.evaluate("() => window.answerSeconds"),
        score=page.get_by_test_id("stMetricValue").first.inner_text(),
        text=page.get_by_test_id("stMain").inner_text(),
        result=json.loads(Path(download.value.path()).read_text(encoding="utf-8")),
        picture=picture,
        pixels=page.request.get(picture, headers={"Range": "bytes=0-"}).body(),
        fetched=frozenset(address for address in fetched if address != download.value.url),
    )
