"""One row of a product or protocol: the facts it applies to, what its source says, and where.

A row never says more than its source: an absent `action` is a disposition the source does not
state. A clause of a cell is a row of its own that names the row it belongs to.
"""

from decimal import Decimal
from typing import Literal

from knowledge.assessment import Action
from knowledge.facts import ToxicityName
from knowledge.model import Strict
from knowledge.treatment import Medication, NextDose


class Bound(Strict, frozen=True):
    """One bound of a number: exactly one of the two is given. `atLeast` holds at the number."""

    less_than: Decimal | None = None
    at_least: Decimal | None = None


class Lasting(Strict, frozen=True, kw_only=True):
    """Hours without interruption at `grade` or above; exactly one of the bounds is given."""

    grade: Literal[1, 2, 3]
    less_than: Decimal | None = None
    at_least: Decimal | None = None
    more_than: Decimal | None = None


class DoseLevel(Strict, frozen=True):
    """The rate of the infusion at which the reaction began."""

    rate: Decimal
    unit: Literal["mcg/day", "mcg/m2/day"]


class When(Strict, frozen=True, kw_only=True):
    """The facts a row applies to; what is absent does not matter to it.

    `occurrence`: whether an earlier separate event reached `ofGrade` (else the row's own grade).
    `weightKg`: body weight. `seizuresOver`: more seizures than this in the event.
    """

    toxicity: ToxicityName
    grade: Literal[1, 2, 3, 4]
    occurrence: Literal["first", "recurrent"] | None = None
    of_grade: Literal[1, 2, 3] | None = None
    lasting: Lasting | None = None
    weight_kg: Bound | None = None
    seizures_over: int | None = None
    at_dose: DoseLevel | None = None


class Then(Strict, frozen=True, kw_only=True):
    """What the source says. `sameAs`: the row of another grade it refers to, taken over whole.

    `action` absent: no disposition is stated; `silence` says how. `medicationsOf`: rows whose
    medicines it refers to, where their weight band holds. `premedication` names the medicines the
    source prints for the next dose. `onResuming`: statements that matter only if treatment goes on;
    `onInfusion`: only to an infusion.
    `staysHeld`: the end of the event does not release the next dose; a person decides.
    """

    action: Action | None = None
    silence: Literal["no-recommendation", "column-missing", "blank"] | None = None
    same_as: str = ""
    until: str = ""
    next_dose: NextDose | None = None
    premedication: tuple[Medication, ...] = ()
    medications: tuple[Medication, ...] = ()
    medications_of: tuple[str, ...] = ()
    tocilizumab: Literal["administer", "consider"] | None = None
    tocilizumab_condition: str = ""
    statements: tuple[str, ...] = ()
    on_resuming: tuple[str, ...] = ()
    on_infusion: tuple[str, ...] = ()
    stays_held: bool = False


class Row(Strict, frozen=True, kw_only=True):
    """One rule: facts, advice, place in the source, and what a reader must know about it.

    `clauseOf`: the row of the same cell that this clause goes beyond where its facts hold.
    """

    id: str
    when: When
    then: Then
    at: str
    note: str = ""
    clause_of: str = ""
