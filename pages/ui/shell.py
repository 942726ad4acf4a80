"""The frame of every page: title, one-time acknowledgement, errors, footer."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import streamlit as st

from pages.ui.errors import errors_shown
from pages.ui.memory import Stay, give_images_back
from pages.ui.models import begin_to_load_libraries
from pages.ui.presenter import keep_link, offer_to_leave, presenting, start_presenting

_ACKNOWLEDGED = "acknowledged"
FOOTER = "For research and teaching only. Not a medical device, not for diagnosis, screening or treatment."

# Ten pages that fade radiographs in and out would take seconds of a processor, and so would signs of waiting that turn
# sixty times a second, or Streamlit's figure that changes its sport five times a second: it is three dots here. What is
# out of date still goes pale after half a second, at once; what waits turns in steps.
#
# In the dark the primary colour has to be light, for it is also that of text on the ground; the white of a button or
# a chosen option needs a darker one (WCAG 2.2, 1.4.3: 4.5 : 1), and a button's key is as white as its words.
#
# On a phone a wide table is pushed sideways within its frame; without least widths its words would stand one a line.
_STILL = """<style>
* { transition-duration: 0s !important; }
:not([data-testid="stSpinner"] *, [data-testid="stStatusWidget"] *) { animation: none !important; }
* { animation-timing-function: steps(8) !important; }
[data-testid="stStatusWidgetRunningIcon"] > * { display: none; }
[data-testid="stStatusWidgetRunningIcon"]::before { content: "…"; }
[class*="st-key-"][class*="-ahead"] { display: none; }
[data-testid^="stBaseButton-primary"]:not(:disabled) {
    background-color: #0f7686 !important; border-color: #0f7686 !important;
}
[data-testid^="stBaseButton-primary"] kbd { color: inherit !important; opacity: 1 !important; }
[data-testid="stMultiSelectTagsContainer"] [data-tag] { background-color: #0f7686 !important; }
@media (max-width: 640px) {
    [data-testid="stTable"] { overflow-x: auto; }
    [data-testid="stTable"] td { min-width: 5.5rem; }
    [data-testid="stTable"] td:nth-child(n + 4) { min-width: 13rem; }
}
</style>"""

give_images_back()


@contextmanager
def page(title: str, summary: str, *, networks: bool = True) -> Iterator[None]:
    """Everything around a page's own content; an error of ours ends the content with its sentence.

    Args:
        title, summary: on top of the page.
        networks: whether the page uses them: what they need is loaded once the page is drawn.
    """
    keep_link()
    if not st.session_state.get("navigation"):
        # The first visitor of a new server, if at a page's own address, gets that script alone, without app.py.
        st.session_state["wanted"] = PurePosixPath(urlsplit(st.context.url or "").path).name
        st.switch_page("app.py")
    if not st.session_state.get(_ACKNOWLEDGED):
        if "stay" not in st.session_state:
            st.session_state["stay"] = Stay()
        _acknowledge()
    st.html(_STILL)
    start_presenting()
    st.title(title, anchor=False)
    if not presenting():
        st.markdown(summary)
    with errors_shown():
        yield
    offer_to_leave()
    st.divider()
    with st.container(key="footer"):
        st.caption(FOOTER)
    if networks and st.session_state.get(_ACKNOWLEDGED):
        begin_to_load_libraries()


@st.dialog("Research and teaching, not for diagnosis", dismissible=False)
def _acknowledge() -> None:
    """Asked once in a session."""
    st.markdown(
        "The networks behind these pages were trained on public research data. Their scores and heatmaps can be wrong, "
        "also where they look convincing. Do not use them for decisions about a person.\n\n"
        "Use only images that you may use for this purpose."
    )
    if st.button("I understand", key="acknowledge", type="primary"):
        st.session_state[_ACKNOWLEDGED] = True
        st.rerun()
