"""The workbench: streamlit run app.py."""

from pathlib import Path

import streamlit as st

from cxrkit.tasks import TASKS

st.set_page_config("CXR Workbench", Path(__file__).parent / "pages" / "ui" / "icon.png", layout="wide")
start = st.Page("pages/start.py", title="Start", icon=":material/home:", default=True)
st.session_state["navigation"] = True
st.navigation([start, *(st.Page(f"pages/{task.name}.py", title=task.title, icon=task.icon) for task in TASKS)]).run()
