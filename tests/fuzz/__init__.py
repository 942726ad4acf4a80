"""Damaged files for tests/test_fuzz.py; python -m tests.fuzz NUMBER reads one of them again."""

SEED = 3


def frame_for(number: int) -> int | None:
    """The frame to ask for: half of the mutants are read as someone does who was asked for one."""
    return 1 if number % 2 else None
