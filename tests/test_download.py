"""Fetching files of known content from a server on this machine: whole, cut off, resumed, wrong, dead, disk full."""

import errno
import fcntl
import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cxrkit import download as downloads
from cxrkit import hannover_samples
from cxrkit.commands import run
from cxrkit.download import PART, check_source, download
from cxrkit.errors import FetchError
from cxrkit.hannover_samples import ATTRIBUTION, REAL_SAMPLES, RealSample, missing, samples_folder, series
from cxrkit.samples_command import fetch_samples

DATA = bytes(range(256)) * 400
SHA256 = hashlib.sha256(DATA).hexdigest()


@dataclass
class Source:
    """What the server holds and how it behaves.

    Attributes:
        files: content by path.
        cut: bytes after which the next answers end, one for each.
        ranges: whether it can begin in the middle.
        status: in place of the content.
        asked: (path, Range header) of each request.
        url: of the server.
    """

    files: dict[str, bytes]
    cut: list[int] = field(default_factory=list)
    ranges: bool = True
    status: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""


def handler_of(source: Source) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            """Silent."""

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            source.asked.append((self.path, asked))
            data = source.files.get(self.path)
            if source.status or data is None:
                self.send_response(source.status or 404)
                self.send_header("Location", "http://127.0.0.1:9/")
                self.end_headers()
                return
            found = re.fullmatch(r"bytes=(\d+)-", asked) if source.ranges else None
            start = int(found[1]) if found else 0
            self.send_response(206 if found else 200)
            if found:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            self.wfile.write(data[start : start + source.cut.pop(0)] if source.cut else data[start:])

    return Handler


@pytest.fixture
def source() -> Iterator[Source]:
    held = Source({"/png/a.png": DATA})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler_of(held)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        held.url = f"http://127.0.0.1:{server.server_port}"
        yield held
        server.shutdown()
        thread.join()


@pytest.fixture
def dead() -> str:
    """An address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def fetch(source: Source, folder: Path) -> bytes:
    download(f"{source.url}/png/a.png", folder / "a.png", len(DATA), SHA256)
    assert not (folder / f"a.png{PART}").exists()
    return (folder / "a.png").read_bytes()


def test_a_file_is_fetched_and_told_of(source: Source, tmp_path: Path) -> None:
    told: list[int] = []
    download(f"{source.url}/png/a.png", tmp_path / "a.png", len(DATA), SHA256, told.append)
    assert (tmp_path / "a.png").read_bytes() == DATA
    assert told == sorted(told)
    assert told[-1] == len(DATA)
    assert source.asked == [("/png/a.png", "")]


def test_what_was_cut_off_goes_on_where_it_ended(source: Source, tmp_path: Path) -> None:
    source.cut = [50_000, 20_000]
    assert fetch(source, tmp_path) == DATA
    assert [asked for _, asked in source.asked] == ["", "bytes=50000-", "bytes=70000-"]


def test_always_cut_off_it_says_so_and_keeps_what_came(source: Source, tmp_path: Path) -> None:
    source.cut = [10_000] * 3
    with pytest.raises(FetchError, match="ended before the file did, 3 times"):
        fetch(source, tmp_path)
    assert (tmp_path / f"a.png{PART}").read_bytes() == DATA[:30_000]
    assert not (tmp_path / "a.png").exists()
    assert fetch(source, tmp_path) == DATA
    assert source.asked[-1][1] == "bytes=30000-"


def test_a_source_without_ranges_begins_anew(source: Source, tmp_path: Path) -> None:
    source.ranges = False
    (tmp_path / f"a.png{PART}").write_bytes(DATA[:1000])
    assert fetch(source, tmp_path) == DATA


@pytest.mark.parametrize("kept", [b"x" * 1000, b"x" * len(DATA), b"x" * (len(DATA) + 1)])
def test_a_damaged_part_is_fetched_anew(source: Source, tmp_path: Path, kept: bytes) -> None:
    (tmp_path / f"a.png{PART}").write_bytes(kept)
    assert fetch(source, tmp_path) == DATA


@pytest.mark.parametrize("other", [DATA[:-1] + b"x", DATA[:-1], DATA + b"x"])
def test_another_file_than_known_is_refused(source: Source, tmp_path: Path, other: bytes) -> None:
    source.files["/png/a.png"] = other
    with pytest.raises(FetchError, match="no longer holds the file"):
        fetch(source, tmp_path)
    assert not list(tmp_path.glob("a.png*"))


def test_a_missing_file_has_changed_and_a_busy_source_may_come_back(source: Source, tmp_path: Path) -> None:
    source.files.clear()
    with pytest.raises(FetchError, match="no longer holds the file"):
        fetch(source, tmp_path)
    for source.status in (503, 302):
        with pytest.raises(FetchError, match=f"HTTP status {source.status}"):
            fetch(source, tmp_path)


def test_no_network_is_said_plainly(dead: str, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"no network connection to 127\.0\.0\.1"):
        download(f"{dead}/png/a.png", tmp_path / "a.png", len(DATA), SHA256)


def test_silence_and_slowness_end(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "SECONDS_A_FILE", 0.0)
    with pytest.raises(FetchError, match="too slow"):
        fetch(source, tmp_path)
    assert (tmp_path / f"a.png{PART}").stat().st_size > 0
    monkeypatch.setattr(downloads, "SECONDS_WITHOUT_A_BYTE", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        source.url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(FetchError, match="no network connection"):
            fetch(source, tmp_path)


def test_a_full_disk_is_said_plainly(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(FetchError, match="disk is full"):
        fetch(source, tmp_path)
    monkeypatch.undo()
    (tmp_path / f"a.png{PART}").mkdir()
    with pytest.raises(FetchError, match="cannot be written"):
        fetch(source, tmp_path)


@pytest.mark.parametrize("address", ["http://example.org/", "ftp://127.0.0.1/", "file:///etc", "", "https://"])
def test_only_https_or_this_machine(address: str) -> None:
    with pytest.raises(FetchError, match="https://"):
        check_source(address)


@pytest.mark.parametrize(
    "address",
    [
        "https://a..b",
        "https://.",
        f"https://{'a' * 64}.org",
        "https://example.org/Röntgen",
        "https://röntgen.example",
        "https://example.org:99999",
    ],
)
def test_an_address_that_cannot_be_asked_is_a_sentence(address: str) -> None:
    with pytest.raises(FetchError, match="address cannot be used"):
        check_source(address)


def test_the_repositorys_address_passes() -> None:
    assert check_source(hannover_samples.SOURCE + "/") == hannover_samples.SOURCE


@pytest.fixture
def three(source: Source, monkeypatch: pytest.MonkeyPatch) -> tuple[RealSample, ...]:
    """A table of three files that the server holds."""
    made = []
    for name, patient, day in (("a", "A", 0), ("b", "A", 5), ("c", "B", 0)):
        data = name.encode() * 3000
        source.files[f"/png/{name}.png"] = data
        made.append(RealSample(patient, day, "PA", f"png/{name}.png", len(data), hashlib.sha256(data).hexdigest()))
    monkeypatch.setattr(hannover_samples, "REAL_SAMPLES", tuple(made))
    return tuple(made)


def test_the_command_fetches_what_is_missing_and_names_the_source(
    source: Source, three: tuple[RealSample, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "samples"
    source.cut = [3000, 3000, 100, 50, 50]
    assert run(["samples", "--out", str(folder), "--source", source.url]) == 2
    assert "ended before the file did" in capsys.readouterr().err
    assert [sample.name for sample in missing(folder)] == ["c.png"]
    source.asked.clear()
    assert run(["samples", "--out", str(folder), "--source", source.url]) == 0
    assert source.asked == [("/png/c.png", "bytes=200-")]
    said = capsys.readouterr().out
    assert ATTRIBUTION in said
    assert str(folder) in said
    assert {patient: len(found) for patient, found in series(folder).items()} == {"A": 2}

    source.asked.clear()
    (folder / "b.png").write_bytes(b"x" * three[1].size)  # altered: as long as before
    assert [sample.name for sample in fetch_samples(folder, source.url)] == ["b.png"]
    assert fetch_samples(folder, source.url) == []
    assert len(source.asked) == 1


def test_a_refused_source_or_folder_is_an_error_of_the_users(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["samples", "--out", str(tmp_path), "--source", "http://example.org"]) == 2
    assert "https://" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    with pytest.raises(FetchError, match="cannot be made"):
        fetch_samples(tmp_path / "file")


def test_a_folder_that_cannot_be_locked_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(FetchError, match="cannot be locked"):
        fetch_samples(tmp_path)


def test_the_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CXRKIT_SAMPLES", str(tmp_path))
    assert samples_folder() == tmp_path
    monkeypatch.delenv("CXRKIT_SAMPLES")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert samples_folder() == tmp_path / "cxrkit" / "samples"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert samples_folder() == tmp_path / ".local" / "share" / "cxrkit" / "samples"


def test_a_dozen_of_patients_seen_twice_and_more() -> None:
    assert len(REAL_SAMPLES) == 12
    assert len({sample.sha256 for sample in REAL_SAMPLES}) == 12
    for patient in {sample.patient for sample in REAL_SAMPLES}:
        days = [sample.day for sample in REAL_SAMPLES if sample.patient == patient]
        assert len(days) > 1
        assert days == sorted(set(days))
        assert days[0] == 0


@pytest.mark.data
def test_the_table_is_that_of_the_originals(shared_data: Path) -> None:
    rows = (shared_data / "hannover" / "originals.csv").read_text().splitlines()
    assert {f"{sample.path},{sample.sha256},{sample.size}" for sample in REAL_SAMPLES} <= set(rows)
