"""The house's rules, held over the syntax trees."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PARTS = ("cxrkit", "pages", "train", "tests", "benchmarks")
FORBIDDEN = {
    "cxrkit": {"streamlit", "lightning", "albumentations", "pages", "train", "app", "tests", "pickle"},
    "train": {"pages", "streamlit", "app", "tests"},
    "pages": {"train", "lightning", "albumentations", "tests"},
}


def python_files() -> list[Path]:
    found = [path for part in PARTS for path in sorted((REPOSITORY / part).rglob("*.py"))]
    return found + sorted(REPOSITORY.glob("*.py"))


def source_files() -> list[Path]:
    scripts = [path for kind in ("*.js", "*.css") for path in sorted((REPOSITORY / "pages").rglob(kind))]
    return python_files() + scripts


def name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """First names of all modules that a file imports, anywhere in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A relative import stays in its own part.
            yield node.module.split(".")[0] if node.module and not node.level else ""


def broad(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"}) for kind in kinds
    )


def test_there_is_something_to_check() -> None:
    assert {name(path).split("/")[0] for path in python_files()} >= {"cxrkit", "pages", "train", "tests"}


@pytest.mark.parametrize("part", FORBIDDEN)
def test_imports_point_one_way(part: str) -> None:
    wrong = {
        (name(path), module)
        for path in (REPOSITORY / part).rglob("*.py")
        for module in imported(path)
        if module in FORBIDDEN[part]
    }
    assert not wrong


def test_networks_know_no_files_and_no_labels() -> None:
    allowed = {
        "collections",
        "itertools",
        "math",
        "dataclasses",
        "functools",
        "typing",
        "timm",
        "torch",
        "torchvision",
        "cxrkit",
    }
    wrong = {
        (name(path), module)
        for path in (REPOSITORY / "cxrkit" / "models").glob("*.py")
        for module in imported(path)
        if module not in allowed
    }
    assert not wrong


def test_metrics_need_numpy_and_scipy_only() -> None:
    wrong = {
        (name(path), module)
        for path in (REPOSITORY / "cxrkit" / "metrics").glob("*.py")
        for module in imported(path)
        if module in {"torch", "sklearn", "pandas", "cv2"}
    }
    assert not wrong


def test_one_module_knows_the_library_of_augmentations() -> None:
    users = [name(path) for path in (REPOSITORY / "train").rglob("*.py") if "albumentations" in imported(path)]
    assert users == ["train/augment.py"]


def test_no_file_is_longer_than_300_lines() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in source_files()}
    assert not {path: length for path, length in lengths.items() if length > 300}


def test_no_module_is_called_utils() -> None:
    assert not [name(path) for path in source_files() if path.stem in {"utils", "util", "helpers", "misc", "common"}]


def test_nothing_catches_every_exception() -> None:
    caught = [
        f"{name(path)}:{node.lineno}"
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and broad(node)
    ]
    assert not caught


def test_the_checks_themselves_can_fail(tmp_path: Path) -> None:
    file = tmp_path / "bad.py"
    file.write_text(
        "def f():\n    import streamlit.web\n    try:\n        pass\n    except (ValueError, Exception):\n        pass"
    )
    assert list(imported(file)) == ["streamlit"]
    assert [broad(node) for node in ast.walk(tree(file)) if isinstance(node, ast.ExceptHandler)] == [True]
