"""Audit data sets before anything is trained or measured on them: python -m train.audit_split MANIFEST...

Reports patients that are in two parts, copies within and across the sets, and how well class, source and part can be
told from borders and histogram alone. MANIFEST is a CSV or a folder; see train.audit_split.sets.
"""

import sys

from train.audit_split.audit import run

sys.exit(run())
