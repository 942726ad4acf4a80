"""A visitor whose browser is elsewhere: speaks Streamlit's protocol, fetches the images shown, and draws nothing.

Ten pages of a real browser on the machine of the server take most of its processor. Real visitors bring their own;
what they wait for is the server's part, and this measures it.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileUploaderState, FileURLsRequest, UploadedFileInfo
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets import Origin, Subprotocol
from websockets.sync.client import ClientConnection, connect

_MEDIA = re.compile(rb"/media/[0-9a-f]+\.[a-z0-9]+")
_OF_VIEWER = b".bin"
"""How addresses of the viewer's pixels end."""
_PATIENCE = 120.0
"""Seconds."""


class RemoteVisit:
    """One session on a task's page.

    Args:
        url: of the server.
        page: name in the page's address.
        socket: open connection of this session.
        http: with the server's cookies.

    Attributes:
        elements: what is on the page, by place.
    """

    def __init__(self, url: str, page: str, socket: ClientConnection, http: requests.Session) -> None:
        self.url, self.page, self.socket, self.http = url, page, socket, http
        self.session = self.script = ""
        self.elements: dict[tuple[int, ...], Element] = {}
        self._kept: dict[str, ForwardMsg] = {}
        self._fetched: set[bytes] = set()

    def run(self, *states: WidgetState) -> set[bytes]:
        """Run the page with what was changed; addresses of the files that its elements name."""
        message = BackMsg()
        message.rerun_script.page_name = self.page
        message.rerun_script.page_script_hash = self.script
        message.rerun_script.context_info.url = f"{self.url}/{self.page}"
        message.rerun_script.widget_states.widgets.extend(states)
        self.socket.send(message.SerializeToString())
        named: set[bytes] = set()
        while not _is_done(said := self._next()):
            named |= set(_MEDIA.findall(said.SerializeToString()))
        return named

    def press(self, label: str) -> None:
        """Press the button of this label, and wait until nothing runs."""
        button = next(each.button for each in self.elements.values() if each.button.label == label)
        self.run(WidgetState(id=button.id, trigger_value=True))

    def upload(self, file: Path) -> float:
        """Give a file to the page's first uploader; seconds until its answer and all that it shows have arrived.

        Raises:
            RuntimeError: the page shows no score for it.
        """
        uploader = next(each.file_uploader for each in self.elements.values() if each.HasField("file_uploader"))
        data, started = file.read_bytes(), time.perf_counter()
        asked = BackMsg(
            file_urls_request=FileURLsRequest(request_id="1", file_names=[file.name], session_id=self.session)
        )
        self.socket.send(asked.SerializeToString())
        (urls,) = self._await(lambda said: said.HasField("file_urls_response")).file_urls_response.file_urls
        where = urljoin(f"{self.url}/", urls.upload_url.lstrip("/"))
        self.http.put(where, files={file.name: data}, timeout=_PATIENCE).raise_for_status()
        given = UploadedFileInfo(file_id=urls.file_id, name=file.name, size=len(data), file_urls=urls)
        state = FileUploaderState(uploaded_file_info=[given])
        for address in sorted(self.run(WidgetState(id=uploader.id, file_uploader_state_value=state)) - self._fetched):
            # As pages/ui/viewer/files.js asks: whole files the server would compress first.
            headers = {"Range": "bytes=0-"} if address.endswith(_OF_VIEWER) else {}
            self.http.get(urljoin(self.url, address.decode()), headers=headers, timeout=_PATIENCE).raise_for_status()
            self._fetched.add(address)
        seconds = time.perf_counter() - started
        self.score()
        return seconds

    def score(self) -> str:
        """What the page's first figure says.

        Raises:
            RuntimeError: there is none, so the page did not analyse an image.
        """
        for each in self.elements.values():
            if each.HasField("metric"):
                return str(each.metric.body)
        raise RuntimeError("The page did not analyse the image.")

    def _await(self, wanted: Callable[[ForwardMsg], bool]) -> ForwardMsg:
        while not wanted(said := self._next()):
            pass
        return said

    def _next(self) -> ForwardMsg:
        """The next message; what it says is kept."""
        said: ForwardMsg = ForwardMsg.FromString(bytes(self.socket.recv(_PATIENCE, decode=False)))
        if said.WhichOneof("type") == "ref_hash":
            kept = ForwardMsg()
            kept.CopyFrom(self._kept[said.ref_hash])
            kept.metadata.CopyFrom(said.metadata)
            said = kept
        elif said.hash:
            self._kept[said.hash] = said
        if said.HasField("new_session"):
            self.session = said.new_session.initialize.session_id or self.session
            if not said.metadata.run.fragment_ids:
                self.elements.clear()
        if said.HasField("navigation"):
            self.script = said.navigation.page_script_hash
        if said.HasField("delta"):
            place = tuple(said.metadata.delta_path)
            # A new block or element takes the place of all that was beneath it.
            self.elements = {path: each for path, each in self.elements.items() if path[: len(place)] != place}
            if said.delta.HasField("new_element"):
                self.elements[place] = said.delta.new_element
        return said


def _is_done(said: ForwardMsg) -> bool:
    """Whether nothing runs now; a run that has ended early is followed by another one."""
    return said.HasField("script_finished") and said.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN


@contextmanager
def remote_visit(url: str, page: str) -> Iterator[RemoteVisit]:
    """A new session on a page, whose first run is over.

    Args:
        url: of the server, without a slash at the end.
        page: name in the page's address.
    """
    with requests.Session() as http:
        http.get(f"{url}/_stcore/health", timeout=_PATIENCE).raise_for_status()
        token = http.cookies.get("_streamlit_xsrf") or ""
        http.headers["X-Xsrftoken"] = token
        address = f"ws://{urlsplit(url).netloc}/_stcore/stream"
        cookies = {"Cookie": f"_streamlit_xsrf={token}"}
        with connect(
            address,
            subprotocols=[Subprotocol(each) for each in ("streamlit", token)],
            origin=Origin(url),
            additional_headers=cookies,
            max_size=None,
        ) as socket:
            made = RemoteVisit(url, page, socket, http)
            made.run()
            yield made
