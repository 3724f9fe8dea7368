"""report.html: the report for people, in one file without a script and without the network.

Tables hold every figure; drawings stand beside them. It counts nothing.
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import cds.smart
from cds.replay import plots
from cds.replay.model import Report


ROWS = 200  # of one list of single moments; report.json has all
_HERE = Path(__file__).parent / "templates"
_STATIC = Path(cds.smart.__file__).parent / "static"
_SHEETS = (_STATIC / "app.css", _STATIC / "timeline.css", _HERE / "report.css")


def page(report: Report) -> str:
    """The same report gives the same page."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # The style sheets are files of this package; nothing of the input is in them.
    style = Markup("\n".join(path.read_text(encoding="utf-8") for path in _SHEETS))  # noqa: S704
    return environment.get_template("report.html").render(
        report=report,
        style=style,
        width=plots.WIDTH,
        most=ROWS,
        cards=plots.of_cards(report),
        actions=plots.of_actions(report),
        missing=plots.of_missing(report),
        agreement=[(one, plots.of_agreement(one)) for one in report.agreement],
    )
