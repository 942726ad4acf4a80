"""Read one mutant again, in this process, so that whatever goes wrong shows: python -m tests.fuzz NUMBER [FILE]."""

import sys
from pathlib import Path

from cxrkit.decoding import decode
from tests.fuzz import SEED, frame_for
from tests.fuzz.corpus import corpus
from tests.fuzz.mutator import mutant


def main(number: int, *copy: str) -> None:
    """Say how it was made, keep a copy where a file is named, and decode it."""
    made = mutant(SEED, number, corpus())
    print(f"{made.recipe}: {len(made.data)} bytes")
    for file in copy:
        Path(file).write_bytes(made.data)
    print(decode(made.data, {"frame": frame_for(number), "suffix": ""})[0])


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:3])
