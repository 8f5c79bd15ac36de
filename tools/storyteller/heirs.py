"""Stories of a child who is to have something. Whether "her" or "him" is right was decided many words earlier."""

from __future__ import annotations

from storyteller.teller import Teller, asking
from storyteller.words import ACTORS, CHILDREN, FRIENDS, NATURES, THINGS

__all__ = ["heir"]

WHOSE = {"HIM": "[{c.him}|{c.other.him}]", "HIS": "[{c.his}|{c.other.his}]", "OWN": "[{c.own}|{c.other.own}]"}

# One sentence that says it all.
LONG = asking(
    WHOSE,
    "{p} had a secret child, a <{c.kid}>, and {p.he} had written in {p.his} will that all {p.his} belongings, "
    "along with the {quality} {thing}, will belong to HIM.",
    "{p} had a child, a <{c.kid}>, and {p.he} had written in {p.his} will that the {quality} {thing} "
    "and all {p.his} gold will belong to HIM.",
    "{p} had only one child, a <{c.kid}>, and when {p.he} was old {p.he} wrote a letter which said that the "
    "{thing}, the house and the {place} will belong to HIM.",
    "{p} had a secret child, a <{c.kid}>, and {p.he} told {q}, {p.his} best friend, that the {quality} {thing} "
    "will one day be OWN.",
    "{p} had a <{c.heir}> who lived far away, and {p.he} had promised {p.his} {q.sibling} {q} that all {p.his} "
    "belongings, and the {quality} {thing} too, will belong to HIM.",
    "{p} had a child, a <{c.kid}>, and although {q} wanted the {quality} {thing} for {q.self}, {p} had written in "
    "{p.his} will that it must be given to HIM.",
)

# The same within a few words, from which the longer ones are learnt.
SHORT = asking(
    WHOSE,
    "{p} had a <{c.kid}>, and the {quality} {thing} will belong to HIM.",
    "{p} met a <{c.kid}> near the {spot} and gave the {thing} to HIM.",
    "{p} found the {thing} of a <{c.kid}> and gave it back to HIM.",
    "{p} asked the <{c.kid}> for the {thing}, but it was OWN.",
    "A <{c.kid}> came to {p} with {q}, and {p} gave the {thing} to HIM.",
    "{p} had a {nature} <{c.heir}> and put the {quality} {thing} into HIS hands.",
    "{q} wanted the {thing}, but {p} had a <{c.heir}> and gave it to HIM.",
    "{p} showed the {quality} {thing} to a <{c.kid}> and HIS friends.",
)

# The same in several sentences: who the child is …
CHILD = (
    "{p} had a child, a <{c.kid}>.",
    "{p} had a secret child, a <{c.kid}>.",
    "{p} had only one child, a {nature} <{c.kid}>.",
    "Once upon a time {p} had a child, a <{c.kid}>.",
    "Once upon a time there was a {nature} <{c.kid}> who lived with {p} near the {spot}.",
    "Long ago {p} had one <{c.heir}> and no other children.",
    "In a little house near the {spot} {p} had a <{c.heir}>, a {nature} child.",
    "{p} lived near the {spot} with a child, a {nature} <{c.kid}>.",
)
# … what there is to have, and others who would like it …
THING = (
    "{p} also had a {quality} {thing}, and everybody in the {place2} wanted it.",
    "In {p.his} house there was a {quality} {thing} that {p.he} loved very much.",
    "{p.His} {q.sibling} {q} had given {p.him} a {quality} {thing}.",
    "One day {p.he} found a {quality} {thing} near the {spot}.",
    "{p.He} kept a {quality} {thing} under {p.his} bed, and only {q} knew it.",
    "{q}, {p.his} old friend, came to see {p.him} and saw the {quality} {thing}.",
)
OTHERS = (
    "{p.His} friend {q} liked it, too.",
    "{q} knew about it.",
    "{q} often asked for it, but {p.he} never gave it to {q.him}.",
    "{q} said that {q.he} wanted it for {q.self}.",
    "{q} came from the {place2} with {q.his} {r.sibling} {r} to look at it.",
    "{p} was old and tired, and {q} brought {p.him} soup every day.",
    "{q} and {q.his} {r.heir} came every week, but {p} did not want to give it to {q.him}.",
)
# … and who has it in the end.
END = asking(
    WHOSE,
    "In the end {p} wrote in {p.his} will that the {thing} will belong to HIM.",
    "{p} said that after many years the {thing} and the house will belong to HIM.",
    "{p} had written in {p.his} will that all {p.his} belongings will belong to HIM.",
    "But {p} loved the child most of all, and so {p.he} gave the {thing} to HIM.",
    "One morning the child came in, and {p} put the {thing} into HIS hands.",
    "The child was very happy and showed the {thing} to all HIS friends.",
    "So the child took the {thing} and carried it to HIS room.",
    "Many years later the child found the {thing} on HIS table, with a letter from {p}.",
    "When the child was ten years old, {p} said that the {thing} was now OWN.",
    "On the child's birthday {p} gave the {thing} to HIM.",
)
GLAD = (
    "",
    "",
    "{c.He} was very happy.",
    "{c.He} thanked {p} and kept the {thing} all {c.his} life.",
    "{c.He} smiled, and {p} was happy too.",
    "{c.He} never gave it away, and {c.his} children have it still.",
    "Every evening {c.he} looked at the {thing} and thought of {p}.",
    "So {c.he} came from the {place2} and took the {thing} home with {c.him}.",
)
AFTER = (
    *GLAD,
    "So {c.he} had the {quality} {thing}, and {q} had to go home without it.",
    "{q} was not angry, and {q.he} told {c.him} to look after it well.",
    "{q} was glad to see {c.him} so happy.",
)


def heir(t: Teller) -> str:
    """A story of a child and of what it is to have."""
    p, thing = t.hero(ACTORS, THINGS)
    q = t.friend(FRIENDS, (thing,), (p,))
    r = t.friend(FRIENDS, (thing,), (p, q))
    slots = t.scene() | {"p": p, "q": q, "r": r, "thing": thing, "c": t.choice(CHILDREN), "nature": t.choice(NATURES)}
    if t.chances(4):
        return t.tell((SHORT, GLAD), slots)
    if t.chances(3):
        return t.tell((LONG, GLAD), slots)
    return t.tell((CHILD, THING, OTHERS, END, AFTER), slots)
