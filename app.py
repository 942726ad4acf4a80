"""The workbench: streamlit run app.py."""

from pathlib import Path

import streamlit as st

from cxrkit.tasks import TASKS
from pages.ui.memory import keep_uploads_in_memory
from pages.ui.uploads import wait_for_another

keep_uploads_in_memory(st.get_option("server.maxUploadSize") << 20)
wait_for_another()
st.set_page_config("CXR Workbench", Path(__file__).parent / "pages" / "ui" / "icon.png", layout="wide")
pages = {
    "start": st.Page("pages/start.py", title="Start", icon=":material/home:", default=True),
    **{task.name: st.Page(f"pages/{task.name}.py", title=task.title, icon=task.icon) for task in TASKS},
    "teaching": st.Page("pages/teaching.py", title="Teaching", icon=":material/school:"),
    "review": st.Page("pages/review.py", title="Review", icon=":material/rate_review:"),
    "models": st.Page("pages/models.py", title="Models", icon=":material/fact_check:"),
}
page = st.navigation(list(pages.values()))
st.session_state["navigation"] = True
if wanted := st.session_state.pop("wanted", None):
    st.switch_page(pages[wanted])
page.run()
