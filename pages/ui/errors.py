"""Errors of the library as sentences on the screen."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from cxrkit.errors import CxrkitError


@contextmanager
def errors_shown(of: str = "") -> Iterator[None]:
    """Show what the user can do something about. Anything else is a fault of ours and is left to Streamlit.

    Args:
        of: what it is about, in Markdown, where the page has several.
    """
    try:
        yield
    except CxrkitError as error:
        st.error(f"**{of}.** {error}" if of else str(error), icon=":material/error:")
