"""The REMS worksheet: the facts of the record filled in, what it does not hold left blank."""

from flask import Blueprint

from cards.worksheet import worksheet
from cds.smart.advised import look, shown_of
from cds.smart.parts import Parts
from cds.smart.prose import blocks, unescaped
from cds.smart.showing import page


def add_routes(smart: Blueprint, parts: Parts) -> None:
    """`smart.rems`."""

    @smart.get("/l/<launch>/rems")
    def rems(launch: str) -> str:
        seen = look(parts)
        shown = shown_of(seen.here, parts.deployment, seen.evaluation)
        evaluation = seen.evaluation
        library = parts.deployment.library
        return page(
            "smart/rems.html",
            seen.record,
            evaluation,
            sections=worksheet(evaluation.decision, evaluation.facts, library, shown),
            made=evaluation.decision.assessment.evaluated_at,
            notes=seen.notes,
            blocks=blocks,
            shown=unescaped,
        )
