"""What must come for each patient, from the knowledge's rules and not from what a service says.

Grades: ASTCT 2019, where vasopressin is no second vasopressor. Dispositions of teclistamab: its US
label; a protocol beside it may be stricter. Tocilizumab: WAHT-HAE-041, dose. The code of a card:
`cards.citing.topic`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct


HOLDS = frozenset({"withhold", "interrupt", "discontinue-current"})
PERMANENT = frozenset({"discontinue-permanently"})


class Wanted(Struct, frozen=True, kw_only=True):
    """What one answer must say; what is empty is not looked at.

    `grades`: by scale, the one grade. `actions`: one of these. `topic`: the code of one card;
    `indicator`: of that card; `says`: words in its summary or detail, in any case of letters.
    `no_cards`: there must be none. `refused`: the HTTP status instead of an answer.
    """

    what: str
    grades: Mapping[str, int] = {}
    actions: frozenset[str] = frozenset()
    tocilizumab: str = ""
    topic: str = ""
    indicator: str = ""
    says: tuple[str, ...] = ()
    no_cards: bool = False
    refused: int = 0


WANTED: Mapping[str, Wanted] = MappingProxyType(
    {
        "crs-2": Wanted(
            what="fever and a nasal cannula: CRS grade 2, the bispecific is held",
            grades={"crs": 2, "icans": 0},
            actions=HOLDS,
            topic="CRSG2",
            indicator="warning",
            says=("teclistamab", "CRS grade 2"),
        ),
        "crs-4": Wanted(
            what="fever and two vasopressors: CRS grade 4, permanent discontinuation",
            grades={"crs": 4, "icans": 0},
            actions=PERMANENT,
            topic="PERMANENTCRSG4",
            indicator="critical",
            says=("teclistamab", "permanent discontinuation", "CRS grade 4"),
        ),
        "icans-2": Wanted(
            what="ICE 5, awake: ICANS grade 2, the bispecific is held",
            grades={"crs": 0, "icans": 2},
            actions=HOLDS,
            topic="ICANSG2",
            indicator="warning",
            says=("teclistamab", "ICANS grade 2"),
        ),
        "tocilizumab-cap": Wanted(
            what="880 mg of tocilizumab: over 800 mg, blocked",
            grades={"crs": 2},
            tocilizumab="blocked",
            topic="TOCILIZUMABBLOCKEDCRSG2",
            indicator="critical",
            says=("tocilizumab", "800 mg"),
        ),
        "tocilizumab-weight": Wanted(
            what="tocilizumab at 28 kg: not over 30 kg, blocked",
            grades={"crs": 2},
            tocilizumab="blocked",
            topic="TOCILIZUMABBLOCKEDCRSG2",
            indicator="critical",
            says=("tocilizumab", "30 kg"),
        ),
        "after-crs-2": Wanted(
            what="after CRS grade 2: conditions of the next dose",
            grades={"crs": 0, "icans": 0},
            actions=frozenset({"resume-with-conditions"}),
            topic="NEXTDOSECRSG2",
            indicator="warning",
            says=("teclistamab", "after CRS grade 2"),
        ),
        "nothing-charted": Wanted(
            what="a dose two days ago and no vital sign: it says that it cannot evaluate",
            actions=frozenset({"cannot-evaluate"}),
            topic="CANNOTEVALUATE",
            indicator="warning",
            says=("teclistamab", "temperature"),
        ),
        "well": Wanted(
            what="opening the chart of a patient without toxicity: no card",
            grades={"crs": 0, "icans": 0},
            actions=frozenset({"no-toxicity"}),
            no_cards=True,
        ),
        "foreign": Wanted(
            what="a resource of another patient: refused, no advice",
            refused=400,
        ),
    }
)
