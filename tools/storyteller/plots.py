"""The plots of the stories of ordinary days: one sentence of every group is told."""

from __future__ import annotations

__all__ = ["PLOTS"]

WHO = (
    "Once upon a time there was a {nature} {p.kid} called {p}.",
    "Once upon a time a {nature} {p.kid} called {p} lived near the {spot}.",
    "There was once a {p.kid} whose name was {p}.",
    "{p} was a {nature} {p.kid} who lived in a little house near the {spot}.",
    "It was a {weather} day, and {p} was at home.",
    "One {weather} morning {p} got up early.",
    "On {day} {p} had nothing to do.",
    "Once there was a {nature} {p.kid}. {p.His} name was {p}.",
)
LOST = (
    WHO,
    (
        "{p.He} had a <{colour}> {thing}, and {p.he} took it everywhere.",
        "{p.His} {p.parent} had given {p.him} a <{colour}> {thing}.",
        "Of all {p.his} things {p.he} liked the <{colour}> {thing} best.",
    ),
    (
        "One day {p.he} went to the {place2} to play with {p.his} friend {q}.",
        "Then {p.he} walked to the {place2} and met {q} there.",
        "{q} came to see {p.him}, and they played near the {spot} all day.",
    ),
    (
        "When it was time to go home, the {thing} was gone.",
        "Suddenly {p} saw that {p.he} had lost the {thing}.",
        "But in the evening {p} could not find the {thing}.",
    ),
    (
        "{p} looked under the table and behind the door, but it was not there.",
        "They looked for it in the grass and under every stone.",
        "{p} was very sad, and {q} wanted to help {p.him}.",
        "",
    ),
    (
        "Then {q} saw something [{colour}|{colour2}] in the grass. It was the {thing}!",
        "At last {q} found it under a tree and gave it back to {p.him}.",
        "An old {p.kind} had found it and gave it back to {p.him}.",
        "Then {q} laughed, because {p} had the {thing} in {p.his} own bag.",
    ),
    (
        "{p} thanked {q} and went home with the [{colour}|{colour2}] {thing}.",
        "{p} was happy again, and {q} was happy too.",
        "From that day on {p} looked after {p.his} {thing} very well.",
        "That night {p.he} slept with the {thing} next to {p.his} bed.",
    ),
)
PET = (
    WHO,
    (
        "{p.He} had a {colour} {animal} called {pet}.",
        "{p.His} best friend was a little {animal} called {pet}.",
        "On {p.his} birthday {p.he} got a {colour} {animal}, and {p.he} called it {pet}.",
    ),
    (
        "Every day {p} gave {pet} some {food}, and they went for a walk.",
        "{pet} liked {food} and did not like {food2}.",
        "{pet} slept on the bed and ate {food} in the morning.",
        "",
    ),
    (
        "One {weather} day the {animal} ran away to the {place2}.",
        "On {day} {p} came home, and the {animal} was not there.",
        "One night there was a loud noise, and the {animal} ran away.",
    ),
    (
        "{p} called: {pet}! {pet}! But nobody came.",
        "{p} and {q} looked for it the whole day.",
        "{p} cried, and {q} came to help {p.him}.",
        "{q} had seen a {animal2} and a goat, but no {animal}.",
    ),
    (
        "{p} put some {food} in front of the door and waited.",
        "{q} took some {food} and went to the {place2} with {p}.",
        "Then {p} heard something behind the house.",
    ),
    (
        "In the evening {pet} came back, tired and hungry.",
        "And there was {pet}, asleep under a tree!",
        "At last they saw {pet} sitting on a stone.",
    ),
    (
        "{p} took {pet} in {p.his} arms and was very happy.",
        "{p.He} thanked {q}, and they all ate {food}.",
        "From then on the {animal} stayed with {p.him}.",
        "Good {animal}, said {p}, never run away again!",
    ),
)
HELP = (
    WHO,
    (
        "{p.He} wanted to go to the {place2} to buy some {food}.",
        "{p.His} {p.parent} sent {p.him} to the {place2} with a bag of {fruits}.",
        "{p.He} walked to the {place2} and sang a song.",
    ),
    (
        "On the way {p.he} met an old {q.kind} who was tired.",
        "On the road there was an old {q.kind} with a heavy bag.",
        "Under a tree {p.he} saw an old {q.kind} who was cold and hungry.",
    ),
    (
        "Can you help me, asked the old {q.kind}. Yes, said {p}, I can help you.",
        "{p} gave {q.him} some {food} and carried {q.his} bag.",
        "{p} stopped and gave {q.him} all {p.his} {food}.",
        "{p} took {q.him} by the hand and walked home with {q.him}.",
    ),
    (
        "The old {q.kind} thanked {p.him} and gave {p.him} a {quality} {thing}.",
        "You are a good {p.kid}, said the old {q.kind}. Take this {quality} {thing}!",
        "The next day {p} found a {quality} {thing} in front of {p.his} door. It came from the old {q.kind}.",
    ),
    (
        "{p} showed the {thing} to {p.his} {p.parent}, who was proud of {p.him}.",
        "{p} kept the {thing} all {p.his} life.",
        "{p.He} ran home with the {thing} and told everybody about the old {q.kind}.",
        "Since then {p} and the old {q.kind} are friends, and {p} often visits {q.him}.",
    ),
)
COOK = (
    WHO,
    (
        "{p.He} wanted to make {food} for {p.his} {p.parent}.",
        "{p.He} and {p.his} friend {q} wanted to cook {food}.",
        "It was the birthday of {q}, and {p} wanted to make {food} for {q.him}.",
    ),
    (
        "But there was no {food2} in the kitchen, and there were no {fruits}.",
        "{p.He} took some {fruits} and a lot of {food2}.",
        "{q} brought {fruits} and {food2} from the market.",
    ),
    (
        "{p} put everything into a big pot and waited.",
        "They cooked for an hour and told each other stories.",
        "Soon the whole house smelled of {food}.",
    ),
    (
        "A {animal} came in and looked at the pot.",
        "Then a {colour} {animal} jumped on the table!",
        "Suddenly the door opened, and {q} came in with a {animal}.",
        "",
    ),
    (
        "There was enough {food} for everybody.",
        "{q} ate a lot and said that the {food} was very good.",
        "{p} ate the {food}, and the {animal} got the {food2}.",
    ),
    (
        "Then they washed the dishes and went to bed.",
        "{p} was tired but happy.",
        "Next time we will make {food2}, said {p}.",
    ),
)
SHARE = (
    (
        "{p} and {q} were good friends, but one day they both wanted the same {thing}.",
        "On {day} {p} and {q} found a {quality} {thing} near the {spot}.",
        "Once upon a time {p} and {q} had only one {thing}.",
    ),
    (
        "It is mine, said {p}. No, it is mine, said {q}.",
        "{p} saw it first, but {q} had it in {q.his} hands.",
        "{p} wanted to keep it, and {q} wanted to sell it at the market.",
    ),
    (
        "They were so angry that {p} went home and {q} went to the {place2}.",
        "{p} began to cry, and {q} did not say a word.",
        "A {animal} sat on the wall and laughed at them.",
    ),
    (
        "Then {p.his} {p.parent} came and said: You can both play with it.",
        "In the night {p} thought about it, and {p.he} was sorry.",
        "Then {q} said that {q.he} was sorry, and {p} took {q.his} hand.",
    ),
    (
        "So {p} had the {thing} on Monday, and {q} had it on Tuesday.",
        "So {p} gave the {thing} to {q}, and {q} gave {p.him} some {fruits}.",
        "From that day on they shared the {thing}, and both of them were happy.",
        "In the end {p} and {q} played with it together.",
    ),
    ("", "They never fought again.", "A friend is better than a {thing}, said {q}."),
)
NIGHT = (
    WHO,
    (
        "In the evening {p.he} was very tired.",
        "The sun went down, and it was dark in the {place}.",
        "{p.His} {p.parent} said that it was time to sleep.",
    ),
    (
        "{p} put the {thing} next to {p.his} bed and closed {p.his} eyes.",
        "{p.He} took {p.his} {thing} and went to bed.",
        "But {p.he} did not want to sleep without {p.his} {thing}.",
    ),
    (
        "In a dream {p.he} flew over the {place2} on a big {colour} <{animal}>.",
        "In a dream a <{animal}> and a {animal2} danced in the {place2}.",
        "{p.He} dreamed of a {colour} <{animal}> that could speak.",
    ),
    (
        "Come with me, said the {animal}, and I will show you the {place2}.",
        "The {animal} asked {p.him} for some {food}, and {p.he} gave it all {p.he} had.",
        "They ate {food} and {fruits} and laughed a lot.",
        "",
    ),
    (
        "When {p} woke up, the sun was in {p.his} room.",
        "In the morning {p.he} told {p.his} {p.parent} about the [{animal}|{animal2}].",
        "The next morning {p.he} told {q} about the dream, and {q.he} laughed.",
        "Then {p.he} woke up, and the {animal} was gone.",
    ),
)
PLOTS = (LOST, PET, HELP, COOK, SHARE, NIGHT)
