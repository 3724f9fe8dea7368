"""The hand-over sheet: one printed page of what the next team needs, and the same on the screen."""

from flask import Blueprint

from cards.handover import handover as sheet_of
from cds.smart.advised import look, shown_of
from cds.smart.parts import Parts
from cds.smart.prose import blocks, unescaped
from cds.smart.showing import page


def add_routes(smart: Blueprint, parts: Parts) -> None:
    """`smart.handover`."""

    @smart.get("/l/<launch>/handover")
    def handover(launch: str) -> str:
        seen = look(parts)
        shown = shown_of(seen.here, parts.deployment, seen.evaluation)
        evaluation = seen.evaluation
        library = parts.deployment.library
        return page(
            "smart/handover.html",
            seen.record,
            evaluation,
            sheet=sheet_of(evaluation.decision, evaluation.facts, library, shown),
            made=evaluation.decision.assessment.evaluated_at,
            notes=seen.notes,
            contacts=seen.here.site.contacts,
            blocks=blocks,
            shown=unescaped,
        )
