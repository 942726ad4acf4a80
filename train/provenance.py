"""Which code trained: for the card."""

import os
import subprocess
from pathlib import Path

_COMMIT = "CXRKIT_COMMIT"
"""Environment variable that names the commit where a bare copy of the code trains, such as one of `git archive`."""

CHANGED = "+changes"


def commit() -> str:
    """Commit of this checkout, with "+changes" where code differs from it.

    Outside a checkout what the environment variable CXRKIT_COMMIT says, or "unknown". Weights are what training writes,
    not code; a card names those that it rests on by their hash.
    """
    here = Path(__file__).resolve().parent
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False)
    if head.returncode:
        return os.environ.get(_COMMIT, "unknown")
    dirty = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude)weights"],
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    return head.stdout.strip() + (CHANGED if dirty.stdout.strip() else "")
