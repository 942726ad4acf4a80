"""Dataclasses as JSON and back: what batches keep in files and send between processes, so that nothing is unpickled."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def plain(value: Any) -> Any:
    """What json can write, of dataclasses, mappings, sequences and what JSON has itself. Floats keep all digits."""
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def rebuilt(kind: type[T], value: Any) -> T:
    """What `plain` was given, by its annotations: dataclasses, tuples, mappings by name, optional ones of these.

    Raises:
        TypeError, KeyError, ValueError, AttributeError: `value` does not have the form of `kind`.
    """
    return cast(T, _rebuilt(kind, value))


def _rebuilt(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    origin, inner = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        return kind(**{name: _rebuilt(hint, value[name]) for name, hint in _hints(kind).items()})
    if origin in (Union, types.UnionType):
        choices = [each for each in inner if each is not types.NoneType]
        return _rebuilt(choices[0], value) if len(choices) == 1 else value
    if origin is tuple:
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
        return tuple(_rebuilt(each, part) for each, part in zip(kinds, value, strict=True))
    if origin is Mapping:
        return {name: _rebuilt(inner[1], part) for name, part in value.items()}
    return value


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    """Annotations of a dataclass's fields; classes' own are looked up once."""
    return get_type_hints(kind)
