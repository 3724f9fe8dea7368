"""The advice page: the whole answer to this patient's facts, section by section.

The sentences are those of `cards`; the answer is that of the pipeline, as for a hook.
"""

from flask import Blueprint

from cards.bedside import bedside as advice_of
from cds.smart.advised import look, shown_of
from cds.smart.parts import Parts
from cds.smart.prose import blocks, unescaped
from cds.smart.showing import page


def add_routes(smart: Blueprint, parts: Parts) -> None:
    """`smart.advice`."""

    @smart.get("/l/<launch>/advice")
    def advice(launch: str) -> str:
        seen = look(parts)
        shown = shown_of(seen.here, parts.deployment, seen.evaluation)
        sheet = advice_of(seen.evaluation.decision, parts.deployment.library, shown)
        return page(
            "smart/advice.html",
            seen.record,
            seen.evaluation,
            sheet=sheet,
            notes=seen.notes,
            contacts=seen.here.site.contacts,
            blocks=blocks,
            shown=unescaped,
        )
