"""The bone age page driven through AppTest: uploading a hand, stating what is known of the child, reading the cards."""

from typing import Any

from streamlit.testing.v1 import AppTest

from pages.ui.age_question import AS_AGE, AS_DATES

CANARY = "Zebedee"


def upload(app: AppTest, data: bytes, name: str = f"{CANARY}.png") -> AppTest:
    app.file_uploader(key="bone_age.upload").set_value((name, data, "image/png")).run()
    assert not app.exception
    assert not app.error
    return app


def widget(kind: Any, name: str) -> Any:
    return kind(key=f"bone_age.{name}")


def sample(app: AppTest, name: str) -> AppTest:
    widget(app.selectbox, "sample").set_value(name).run()
    assert not app.exception
    assert not app.error
    return app


def state(app: AppTest, sex: str = "", **age: str) -> AppTest:
    """State the sex, and the age as years and months or as dates of birth and of the radiograph."""
    widget(app.segmented_control, "sex").set_value(sex)
    if age:
        widget(app.segmented_control, "age_as").set_value(AS_DATES if "birth" in age or "taken" in age else AS_AGE)
        app.run()
        for name, text in age.items():
            widget(app.text_input, name).set_value(text)
    return app.run()


def cards(app: AppTest) -> dict[str, str]:
    return {metric.label.replace("\N{NO-BREAK SPACE}", " "): metric.value for metric in app.metric}
