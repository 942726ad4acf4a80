"""What the user knows of an upload's findings, beside what is called."""

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Multiselect

from tests.pages.nih14_page import nih14_root, page, read
from tests.pages.test_app import said

__all__ = ["nih14_root", "page", "read"]


def known(app: AppTest) -> Multiselect:
    (field,) = (each for each in app.multiselect if str(each.key).startswith("nih14.known."))
    return field


def outcomes(app: AppTest) -> dict[str, str]:
    table = next(each.value for each in app.dataframe if "Outcome" in each.value)
    return dict(zip(table["Finding"], table["Actual"], strict=True))


def test_known_findings_stand_beside_the_called_ones(read: AppTest) -> None:
    assert "Actual findings" not in said(read)
    known(read).set_value(["Effusion", "Pleural_Thickening"]).run()
    assert not read.exception
    assert "**Actual findings:** Effusion and pleural thickening." in said(read)
    shown = outcomes(read)
    assert {name for name, there in shown.items() if there == "there"} == {"Effusion", "Pleural thickening"}
    known(read).set_value([]).run()
    assert "Actual findings" not in said(read)


def test_nothing_known_to_be_there_is_an_answer_too(read: AppTest) -> None:
    known(read).set_value(["No Finding"]).run()
    assert "**Actual findings:** none of the 14 labels." in said(read)
    known(read).set_value(["No Finding", "Mass"]).run()
    assert "cannot both be right" in read.warning[-1].value
    assert not read.exception


def test_of_a_simulated_case_nothing_is_asked(page: AppTest) -> None:
    page.selectbox(key="nih14.sample").set_value("effusion").run()
    assert not [each for each in page.multiselect if str(each.key).startswith("nih14.known.")]
