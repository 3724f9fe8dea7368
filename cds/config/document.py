"""docs/configuration.md, written from the tables of settings."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from cds.config.setting import REQUIRED, Setting, Tables
from cds.config.table import SETTINGS
from knowledge import library


PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
_HEADINGS = {
    "by-id": "[sites.<id>]",
    "list": "[[sites.<id>.{name}]]",
    "overrides": "[sites.<id>.{name}]",
    "one": "[sites.<id>.{name}]",
}
_HEAD = """# Configuration

One TOML file. `btce-cds serve --config FILE` reads it once at start; `btce-cds check --config FILE`
names every problem of it at once, each with its path. A setting this page does not list is refused.
Paths are taken from the folder of the file. An example of one site on one machine:
[examples/site.toml](examples/site.toml).

This page is written by `python -m cds.config` from the tables of settings in the code.
"""


def configuration_table() -> str:
    """The whole page as Markdown, defaults of the rules as the knowledge files have them."""
    rules = library.load().rules
    return _HEAD + "".join(_section("At the top of the file", "", SETTINGS, rules))


def _section(
    title: str, says: str, settings: Sequence[Setting | Tables], rules: object
) -> Iterator[str]:
    said = f"{says}\n\n" if says else ""
    yield f"\n## {title}\n\n{said}| setting | value | default | meaning |\n|---|---|---|---|\n"
    for one in settings:
        if isinstance(one, Setting):
            yield f"| `{one.name}` | {one.kind.words} | {_default(one, rules)} | {_says(one)} |\n"
    for one in settings:
        if isinstance(one, Tables):
            heading = _HEADINGS[one.shape].format(name=one.name)
            yield from _section(f"`{heading}`", one.says, one.settings, rules)


def _says(setting: Setting) -> str:
    return f"{setting.says} `{setting.environ}` replaces it." if setting.environ else setting.says


def _default(setting: Setting, rules: object) -> str:
    if setting.default is REQUIRED:
        return "required"
    value = setting.default if setting.default is not None else getattr(rules, setting.name, None)
    return "" if value is None else f"`{_toml(value)}`"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, str):
        return f'"{value}"'
    return f"[{', '.join(_toml(one) for one in value)}]"
