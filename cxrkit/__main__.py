"""`python -m cxrkit`: see cxrkit.commands."""

import sys

from cxrkit.commands import run

if __name__ == "__main__":
    sys.exit(run())
