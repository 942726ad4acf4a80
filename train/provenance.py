"""Which code trained: for the card."""

import subprocess
from pathlib import Path


def commit() -> str:
    """Commit of this checkout, with "+changes" where code differs from it; "unknown" outside a checkout.

    Weights are what training writes, not code; a card names those that it rests on by their hash.
    """
    here = Path(__file__).resolve().parent
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False)
    if head.returncode:
        return "unknown"
    dirty = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude)weights"],
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    return head.stdout.strip() + ("+changes" if dirty.stdout.strip() else "")
