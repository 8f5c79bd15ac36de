"""What the Chinese tokens of the lesson mean, for readers of other languages."""

from __future__ import annotations

from llmtrace.i18n import N_, _

GLOSSES = {
    "中华": N_("China"),
    "人民": N_("people"),
    "共和国": N_("republic"),
    "热爱": N_("love"),
    "勤劳": N_("hard-working"),
    "成立于": N_("was founded in"),
    "的": N_("of, 's"),
    "在": N_("lies in"),
    "年": N_("year"),
    "月": N_("month"),
    "日": N_("day"),
    "吃": N_("eat"),
    "喝": N_("drink"),
    "西瓜": N_("melon"),
    "包子": N_("buns"),
    "苹果": N_("apples"),
    "米饭": N_("rice"),
    "面条": N_("noodles"),
    "果汁": N_("juice"),
    "水": N_("water"),
    "牛奶": N_("milk"),
    "咖啡": N_("coffee"),
    "豆浆": N_("soy milk"),
    "，": N_("comma"),
    "。": N_("full stop"),
    "首都": N_("capital"),
    "是": N_("is"),
    "北京": N_("Beijing"),
    "我": N_("I"),
    "爱": N_("love to"),
    "三": N_("three"),
    "只": N_("of them"),
    "小明": N_("Xiaoming, a name"),
}
"""By token; a translation that is the token itself says nothing new, and is left out."""


def glossed(token: str) -> str:
    """`共和国 (republic)`; the token alone where its meaning is not known, or where the language is its own."""
    meaning = _(GLOSSES[token]) if token in GLOSSES else token
    return token if meaning == token else f"{token} ({meaning})"
