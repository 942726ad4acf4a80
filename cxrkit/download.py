"""Fetch a file whose size and SHA-256 are known: over https, resumed where it stopped, never more than its size."""

import errno
import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from cxrkit.errors import FetchError

SECONDS_WITHOUT_A_BYTE = 20.0
SECONDS_A_FILE = 180.0
ATTEMPTS = 3
"""To go on with one file whose connection ended early."""

PART = ".part"
"""Suffix of a file that is not complete."""

_BLOCK = 1 << 14
_HERE = {"127.0.0.1", "::1", "localhost"}
_PARTIAL = 206
_FULL = {errno.ENOSPC, errno.EDQUOT}


class _Ended(Exception):
    """The connection ended before the file did."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A source that sends elsewhere is not the source that was named."""

    def redirect_request(self, *args: object) -> None:
        return None


def check_source(source: str) -> str:
    """The address of a folder, without a slash at its end.

    Raises:
        FetchError: it is not https, and not on this machine; or it holds other letters than ASCII, or a host name or
            port that there cannot be.
    """
    try:
        parts = urlsplit(source)
    except ValueError:  # an address such as https://[x
        parts = urlsplit("")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)):
        raise FetchError("The source has to be an address that begins with https://, such as that of the repository.")
    if not source.isascii() or not _can_be_asked(parts):
        raise FetchError(
            "The source's address cannot be used: it needs a host name such as example.org and no other letters than "
            "ASCII. Write others as a browser copies them, with percent signs."
        )
    return source.rstrip("/")


def _can_be_asked(parts: SplitResult) -> bool:
    """Whether host name and port are such as a connection takes."""
    try:
        (parts.hostname or "").encode("idna")
        return parts.port != 0
    except ValueError:  # UnicodeError of a label that is empty or too long, or a port beyond 65535
        return False


def download(url: str, file: Path, size: int, sha256: str, told: Callable[[int], object] = lambda count: None) -> None:
    """Fetch one file; what was fetched before of it is kept beside it and not fetched again.

    Args:
        url: as check_source lets pass.
        file: to be written once its content is right; its folder exists.
        size: of the file in bytes, and the limit of what is read.
        sha256: of its content, hexadecimal.
        told: hears after each block how many bytes there are.

    Raises:
        FetchError: no network, another file than expected, a full disk; says which, and what to do.
    """
    part = file.with_name(file.name + PART)
    before = _length(part)
    _complete(url, part, size, told)
    if not _is(part, sha256) and before > 0:
        # What was kept may have been damaged, and not what the source holds.
        _remove(part)
        _complete(url, part, size, told)
    if not _is(part, sha256):
        _remove(part)
        raise _changed()
    with _disk():
        os.replace(part, file)


def _complete(url: str, part: Path, size: int, told: Callable[[int], object]) -> None:
    """Bring a partial file to its size, over several connections if one ends early."""
    end = time.monotonic() + SECONDS_A_FILE
    for _ in range(ATTEMPTS):
        if _length(part) > size:
            _remove(part)
        if _length(part) == size:
            return
        try:
            _append(url, part, size, end, told)
        except _Ended:
            continue
        return
    raise FetchError(
        f"The connection to {urlsplit(url).hostname} ended before the file did, {ATTEMPTS} times. What was fetched is "
        "kept: run the same again later, and it goes on from there."
    )


def _append(url: str, part: Path, size: int, end: float, told: Callable[[int], object]) -> None:
    """One connection: from the end of the partial file to the end of the file."""
    start = _length(part)
    with _opened(url, start) as answer:
        if answer.status != _PARTIAL:
            start = 0
        _check_length(answer, start, size)
        with _disk(), part.open("ab" if start else "wb") as kept:
            while block := _read(url, answer):
                start += len(block)
                if start > size:
                    raise _changed()
                kept.write(block)
                told(start)
                if time.monotonic() > end:
                    raise FetchError(
                        f"The connection to {urlsplit(url).hostname} is too slow: {SECONDS_A_FILE:.0f} seconds were "
                        "not enough for one file. What was fetched is kept; run the same again later."
                    )
    if start < size:
        raise _Ended


def _opened(url: str, start: int) -> http.client.HTTPResponse:
    """The answer to a request for the file, or for the rest of it.

    Raises:
        FetchError: there is none, or not this one.
    """
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    direct = [urllib.request.ProxyHandler({})] if urlsplit(url).hostname in _HERE else []
    opener = urllib.request.build_opener(_NoRedirect, *direct)
    host = urlsplit(url).hostname
    try:
        answer: http.client.HTTPResponse = opener.open(request, timeout=SECONDS_WITHOUT_A_BYTE)
    except urllib.error.HTTPError as error:
        error.close()
        raise _refused(host, error.code) from None
    except (OSError, http.client.HTTPException):
        raise FetchError(
            f"There is no network connection to {host}. Check the network and run the same again; what was fetched is "
            "kept."
        ) from None
    return answer


def _read(url: str, answer: http.client.HTTPResponse) -> bytes:
    """The next block; empty at the end, also at one that comes too early."""
    try:
        return answer.read(_BLOCK)
    except http.client.IncompleteRead as error:
        return error.partial
    except TimeoutError:
        raise FetchError(
            f"{urlsplit(url).hostname} has sent nothing for {SECONDS_WITHOUT_A_BYTE:.0f} seconds. What was fetched is "
            "kept; run the same again later."
        ) from None
    except OSError:  # an error of the network, which must not be told as one of the disk
        return b""


def _check_length(answer: http.client.HTTPResponse, start: int, size: int) -> None:
    """Refuse before anything is kept where the source says that the file has another size or starts elsewhere."""
    if answer.status == _PARTIAL:
        if answer.headers.get("Content-Range", "") != f"bytes {start}-{size - 1}/{size}":
            raise _changed()
        return
    stated = answer.headers.get("Content-Length")
    if stated is not None and stated != str(size):
        raise _changed()


def _refused(host: str | None, status: int) -> FetchError:
    if status in {404, 410, 416}:
        return _changed()
    return FetchError(f"{host} does not hand out the file now (HTTP status {status}). Run the same again later.")


def _changed() -> FetchError:
    return FetchError(
        "The source no longer holds the file that this version knows: its size or its SHA-256 differs, or it is gone. "
        "A newer version of the workbench may know the new one."
    )


@contextmanager
def _disk() -> Iterator[None]:
    """Errors of the disk as sentences."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise FetchError("The disk is full. Make room and run the same again; it goes on from there.") from None
        raise FetchError("The folder for the samples cannot be written. Check it, or name another one.") from None


def _length(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _remove(file: Path) -> None:
    with _disk():
        file.unlink(missing_ok=True)


def _is(file: Path, sha256: str) -> bool:
    with _disk():
        return hashlib.sha256(file.read_bytes()).hexdigest() == sha256
