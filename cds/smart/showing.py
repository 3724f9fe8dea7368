"""How a page of one launch is rendered: with the patient's banner, in the site's time zone."""

from typing import Any

from flask import current_app, render_template

from cards.units import day, time
from cds.pipeline import Evaluation
from cds.smart.at_hand import PatientRecord
from cds.smart.banner import banner_of
from cds.smart.parts import bedside


def page(
    template: str, record: PatientRecord | None, evaluation: Evaluation | None, **values: Any
) -> str:
    """The template with `here`, `banner`, `time`, `day` and `offered`, and what else it is given.

    `time(at)` and `day(date)` write them so that no reader can mistake them. `offered(endpoint)`:
    whether such a page exists here.
    """
    here = bedside()
    banner = None if record is None or evaluation is None else banner_of(record, evaluation)
    return render_template(
        template,
        here=here,
        banner=banner,
        day=day,
        time=lambda at: time(at, here.site.zone),
        offered=lambda endpoint: endpoint in current_app.view_functions,
        **values,
    )
