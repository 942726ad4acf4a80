"""The child's side of cxrkit.batch_workers: load the network once, then answer cases one by one."""

import io
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cxrkit.batch_case import Asked, answer_case, open_case
from cxrkit.batch_json import plain, rebuilt
from cxrkit.cases import Case
from cxrkit.errors import CxrkitError, WeightsError
from cxrkit.tasks import find_task
from cxrkit.worker import receive, send

if TYPE_CHECKING:
    from cxrkit.weights import LoadedModel

_EXCHANGED = "The weights or their card were exchanged while the table was being made. Begin again with --restart."


@dataclass(frozen=True)
class Post:
    """What a process is told before its first case.

    Attributes:
        task: identifier.
        weights: folder of the tasks' folders; "" = the shipped one of the machine that is told.
        identity: of the card that it has to find there; see `cxrkit.card.Card`.
        root: folder that the cases' files are below.
        asked: how each case is analysed.
        threads: of torch.
    """

    task: str
    weights: str
    identity: str
    root: str
    asked: Asked
    threads: int


def serve() -> None:
    """Answer a Post, then Cases, until the parent closes the pipe. Runs in the child only.

    Replies are {"ready": true} to the first, an Answer to each case, and {"fatal": sentence} to what ends it all.
    """
    requests, replies = io.FileIO(os.dup(0), "r"), io.FileIO(os.dup(1), "w")
    # Whatever prints would end up between the replies.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    # Ctrl-C is the parent's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    first = receive(requests)
    if first is None:
        return
    try:
        _answer_all(rebuilt(Post, first[0]), requests, replies)
    except CxrkitError as error:
        send(replies, {"fatal": str(error)}, [])
    except BrokenPipeError:
        return  # the parent is gone


def _answer_all(post: Post, requests: io.FileIO, replies: io.FileIO) -> None:
    loaded = load_posted(post.task, post.weights, post.identity, post.threads, _EXCHANGED)
    root = Path(post.root)
    send(replies, {"ready": True}, [])
    while (request := receive(requests)) is not None:
        case = rebuilt(Case, request[0])
        answer = answer_case(loaded, case, open_case(loaded.task, case, root, post.asked), post.asked)
        send(replies, plain(answer), [])


def load_posted(task: str, weights: str, identity: str, threads: int, others: str) -> "LoadedModel":
    """The network that a process is to answer with.

    Args:
        task, weights, identity, threads: as in Post.
        others: what to say where other weights, or another card of them, are found.

    Raises:
        WeightsError: as `cxrkit.weights.load_model`, or others are found.
    """
    import torch

    from cxrkit.card import WEIGHTS
    from cxrkit.weights import load_model

    torch.set_num_threads(threads)
    loaded = load_model(find_task(task), Path(weights) if weights else WEIGHTS)
    if loaded.card.identity != identity:
        raise WeightsError(others)
    return loaded
