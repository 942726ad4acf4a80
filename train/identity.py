"""What a training run is, so that its folder is never taken for that of another one."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cxrkit.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FILE = "identity.json"

Identity = Mapping[str, str]
"""What decides how a run ends, by name: settings in words or as a digest, and a digest of the cases learned from."""

_HARDWARE = frozenset({"workers", "precision", "accelerator", "devices", "nodes", "strategy"})
"""A run may go on with others of these, as long as it has as many steps."""


def identity_of(settings: "DataclassInstance", *learned: NDArray[Any] | Sequence[object]) -> Identity:
    """Of a run with these settings on these cases.

    Args:
        settings: a dataclass, of which everything counts but _HARDWARE; of a safetensors file that it names the tensors
            count, not the place.
        learned: everything that decides what is drawn: images, targets, groups, files to start from.
    """
    told = {one.name: _told(getattr(settings, one.name)) for one in fields(settings) if one.name not in _HARDWARE}
    key = hashlib.sha256()
    for part in learned:
        if isinstance(part, np.ndarray):
            key.update(f"{part.shape} {part.dtype}".encode())
            key.update(np.ascontiguousarray(part).view(np.uint8).data)
        else:
            key.update(repr(part).encode())
    return told | {"cases learned from": key.hexdigest()[:16]}


def _told(value: object) -> str:
    if not isinstance(value, Path):
        return repr(value)
    return content(value) if value.is_file() else value.name


def content(file: Path) -> str:
    """Digest of the tensors of a safetensors file.

    Its header is left out: what is told there comes in another order each time such a file is written.
    """
    stored = file.read_bytes()
    return hashlib.sha256(stored[8 + int.from_bytes(stored[:8], "little") :]).hexdigest()[:16]


def keep_identity(run: Path, identity: Identity, *, begun: bool) -> None:
    """Write what a run is into its folder, or compare it with what it was when it began.

    Args:
        run: folder of the run.
        identity: of what is asked for now.
        begun: whether there is a checkpoint to go on from. One without a record is trusted.

    Raises:
        InputError: the folder holds another run.
    """
    file = run / FILE
    if begun and file.is_file():
        before: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        other = sorted(name for name in {*before, *identity} if before.get(name) != identity.get(name))
        if other:
            raise InputError(
                f"The folder {run} holds another training, which differs in: {', '.join(other)}. Go on with the "
                "options and cases it was begun with, or choose another folder (--run)."
            )
        return
    run.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(dict(identity), indent=1), encoding="utf-8")
    fresh.replace(file)


def begun(run: Path) -> bool:
    """Whether a run of several stages, each in a folder of its own below, has a checkpoint to go on from."""
    return any(run.glob("*/checkpoints/last.ckpt"))
