"""Looking into the parts of a tokenizer.json: a value of another type than its place needs is refused by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.text import cited, shown

T = TypeVar("T")
REQUIRED: Any = object()
"""The default of a field that has none."""


def quote(value: Any) -> str:
    """A value as an error may show it."""
    return cited(value) if isinstance(value, str) else shown(repr(value), 80)


def kind_of(rule: Any) -> str:
    """What a rule (a normalizer, a pre_tokenizer …) says that it is; of what is no rule, what it is instead."""
    kind = rule.get("type") if isinstance(rule, Mapping) else rule
    return quote(kind)


def field(rule: Mapping[str, Any], name: str, kind: type | tuple[type, ...], default: Any = REQUIRED) -> Any:
    """A field of a rule; null counts as absent."""
    value = rule.get(name)
    if value is None and default is not REQUIRED:
        return default
    # A truth value is no number here, though Python counts with it.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        owner = rule.get("type")
        raise ModelError(
            _("{owner} has {name} = {value}", owner=shown(owner, 80), name=name, value=quote(value))
            if isinstance(owner, str)
            else _("it has {name} = {value}", name=name, value=quote(value))
        )
    return value


def not_supported(name: str, value: Any) -> ModelError:
    """The refusal of a setting."""
    return ModelError(_("its setting {name} = {value} is not supported", name=name, value=quote(value)))


def scheme_of(metaspace: Mapping[str, Any], known: Mapping[str, T]) -> T:
    """By which of the `known` schemes a Metaspace adds a space in front: "always", "first" or "never"."""
    scheme = field(metaspace, "prepend_scheme", str, "always")
    if (
        not field(metaspace, "add_prefix_space", bool, True) and scheme != "first"
    ):  # as files were before there were schemes
        scheme = "never"
    if scheme not in known:
        raise not_supported("prepend_scheme", scheme)
    return known[scheme]


def parts_of(rule: Any, name: str) -> list[Any]:
    """The rules that a Sequence lists under a name, those of Sequences in it included; another rule by itself; of null none."""
    if rule is None:
        return []
    if isinstance(rule, Mapping) and rule.get("type") == "Sequence":
        return [part for each in field(rule, name, list) for part in parts_of(each, name)]
    return [rule]
