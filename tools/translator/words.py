"""The words of the sentences: subjects, verbs, things, places and times, in German and in English."""

from __future__ import annotations

from dataclasses import dataclass

THIRD, PLURAL = 2, 3


@dataclass(frozen=True)
class Subject:
    """Who does it. person: 0 ich, 1 du, 2 er, 3 wir and sie (they), 4 ihr."""

    german: str
    english: str
    person: int

    @property
    def does(self) -> str:
        """The English helper of questions and denials."""
        return "does" if self.person == THIRD else "do"


SUBJECTS = (
    Subject("ich", "I", 0),
    Subject("du", "you", 1),
    Subject("ihr", "you", 4),
    Subject("wir", "we", PLURAL),
    Subject("sie", "they", PLURAL),
    *(
        Subject(german, english, THIRD)
        for german, english in (
            ("er", "he"),
            ("sie", "she"),
            ("Anna", "Anna"),
            ("Tom", "Tom"),
            ("Mia", "Mia"),
            ("der Mann", "the man"),
            ("die Frau", "the woman"),
            ("das Kind", "the child"),
            ("mein Bruder", "my brother"),
            ("meine Schwester", "my sister"),
        )
    ),
)


@dataclass(frozen=True)
class Verb:
    """What is done. german: of the persons 0 to 4, and the infinitive; kind: what it is done to, or "" for no thing."""

    german: tuple[str, str, str, str, str, str]
    english: str
    third: str
    kind: str = ""


def regular(stem: str, english: str, third: str, kind: str = "", *, second: str = "", e: str = "") -> Verb:
    """A verb by its stem; second: another stem for du and er; e: what stands between stem and ending."""
    other = second or stem
    du = other + e + ("t" if other.endswith("s") else "st")
    plural = stem + "en"
    return Verb((stem + "e", du, other + e + "t", plural, stem + e + "t", plural), english, third, kind)


VERBS = (
    regular("wohn", "live", "lives"),
    regular("arbeit", "work", "works", e="e"),
    regular("spiel", "play", "plays"),
    regular("schlaf", "sleep", "sleeps", second="schläf"),
    regular("sing", "sing", "sings"),
    regular("tanz", "dance", "dances", e=""),
    regular("lach", "laugh", "laughs"),
    regular("wart", "wait", "waits", e="e"),
    regular("trink", "drink", "drinks", "drink"),
    regular("les", "read", "reads", "text", second="lies"),
    regular("kauf", "buy", "buys", "thing"),
    regular("seh", "see", "sees", "thing", second="sieh"),
    regular("such", "look for", "looks for", "thing"),
    regular("find", "find", "finds", "thing", e="e"),
)
MODALS = (
    (("kann", "kannst", "kann", "können", "könnt"), "can", "can"),
    (("muss", "musst", "muss", "müssen", "müsst"), "must", "must"),
    (("will", "willst", "will", "wollen", "wollt"), "want to", "wants to"),
)
"""German forms; English, and with he, she, it. The last one is denied and asked with "do"."""


@dataclass(frozen=True)
class Thing:
    """What something is done to. gender: m, f, n; "" for what is not counted."""

    german: str
    english: str
    gender: str
    kind: str


THINGS = (
    Thing("Wasser", "water", "", "drink"),
    Thing("Tee", "tea", "", "drink"),
    Thing("Milch", "milk", "", "drink"),
    Thing("Kaffee", "coffee", "", "drink"),
    Thing("Buch", "book", "n", "text"),
    Thing("Brief", "letter", "m", "text"),
    Thing("Zeitung", "newspaper", "f", "text"),
    Thing("Apfel", "apple", "m", "thing"),
    Thing("Ball", "ball", "m", "thing"),
    Thing("Hut", "hat", "m", "thing"),
    Thing("Blume", "flower", "f", "thing"),
    Thing("Tasche", "bag", "f", "thing"),
    Thing("Bild", "picture", "n", "thing"),
    Thing("Ei", "egg", "n", "thing"),
)
THE = {"m": "den", "f": "die", "n": "das"}
A = {"m": "einen", "f": "eine", "n": "ein"}
NONE = {"m": "keinen", "f": "keine", "n": "kein"}
ADJECTIVES = (("rot", "red"), ("alt", "old"), ("klein", "small"), ("neu", "new"), ("schön", "beautiful"))
ENDING = {
    ("m", True): "en",
    ("f", True): "e",
    ("n", True): "e",
    ("m", False): "en",
    ("f", False): "e",
    ("n", False): "es",
}
"""The ending of an adjective: by gender, and whether the article is the definite one."""
PLACES = (
    ("in Berlin", "in Berlin"),
    ("in Wien", "in Vienna"),
    ("hier", "here"),
    ("dort", "there"),
    ("zu Hause", "at home"),
    ("im Garten", "in the garden"),
    ("in der Schule", "at school"),
    ("in der Stadt", "in the city"),
)
TIMES = (("heute", "today"), ("abends", "in the evening"), ("am Montag", "on Monday"), ("jeden Tag", "every day"))
TOMORROW = ("morgen", "tomorrow")
"""German needs no future for it, English does: "will"."""
