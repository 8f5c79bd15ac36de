"""The post_processor of a tokenizer.json: which tokens stand around every text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.tokenizers.framing import Framing
from llmtrace.tokenizers.json_format.added import is_id
from llmtrace.tokenizers.json_format.fields import field, kind_of, parts_of, quote

MOST = 16
"""So many tokens around a text are more than any tokenizer puts there."""


def read_framing(data: Mapping[str, Any]) -> Framing:
    """What a post_processor puts around one text; ModelError for what is broken or not supported."""
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    for rule in parts_of(data.get("post_processor"), "processors"):
        kind = rule.get("type") if isinstance(rule, Mapping) else None
        if kind == "ByteLevel":  # which only moves the offsets
            continue
        if kind == "TemplateProcessing":
            own = list(_template(rule))
            middle = own.index(None)
            ids = [[index for index in part if index is not None] for part in (own[:middle], own[middle:])]
        elif kind in ("BertProcessing", "RobertaProcessing"):
            ids = [[_id(rule, name)] for name in ("cls", "sep")]
        else:
            raise ModelError(_("the post_processor {kind}, which adds tokens, is not supported", kind=kind_of(rule)))
        before, after = (*ids[0], *before), (*after, *ids[1])
    if len(before) + len(after) > MOST:
        raise ModelError(_("its post_processor puts {count} tokens around a text", count=len(before) + len(after)))
    return Framing(before, after)


def _template(rule: Mapping[str, Any]) -> Iterator[int | None]:
    """The ids of a template; None where the text stands."""
    parts, known = field(rule, "single", list), field(rule, "special_tokens", dict, {})
    sequences = 0
    for part in parts[: 2 * MOST]:
        name = part.get("SpecialToken") if isinstance(part, Mapping) else None
        if isinstance(part, Mapping) and "Sequence" in part:
            sequences += 1
            yield None
        elif isinstance(name, Mapping) and isinstance(name.get("id"), str):
            entry = known.get(name["id"])
            ids = entry.get("ids") if isinstance(entry, Mapping) else None
            if not isinstance(ids, list) or len(ids) > MOST or not all(map(is_id, ids)):
                raise ModelError(_("its post_processor does not say what {name} is", name=quote(name["id"])))
            yield from ids
        else:
            raise ModelError(_("its post_processor has the part {part}, which is no token", part=quote(part)))
    if sequences != 1:
        raise ModelError(_("its post_processor does not put tokens around one text"))


def _id(rule: Mapping[str, Any], name: str) -> int:
    pair = rule.get(name)
    if not isinstance(pair, list) or len(pair) != 2 or not is_id(pair[1]):
        raise ModelError(_("its post_processor does not say what {name} is", name=quote(name)))
    return int(pair[1])


def framing_json(framing: Framing, names: Mapping[int, str]) -> dict[str, Any] | None:
    """The post_processor that puts these tokens around every text."""
    if not (framing.before or framing.after):
        return None
    ids = dict.fromkeys([*framing.before, *framing.after])
    known = {names[i]: {"id": names[i], "ids": [i], "tokens": [names[i]]} for i in ids}
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    before, after = (
        [{"SpecialToken": {"id": names[i], "type_id": 0}} for i in part] for part in (framing.before, framing.after)
    )
    return {
        "type": "TemplateProcessing",
        "single": [*before, first, *after],
        "pair": [*before, first, *after, *before, second, *after],
        "special_tokens": known,
    }
