"""docs/configuration.md: written from the tables, every setting with its default and meaning."""

import re

import msgspec

from cds.config import Backend, Events, Issuer, Settings, Site, Smart, configuration_table
from cds.config.document import PAGE
from cds.config.rules_table import RULES
from knowledge.model import Header, SiteRules


TABLES = {"issuers", "rules", "backend", "events", "smart"}


def names(kind: type) -> set[str]:
    return {field.name for field in msgspec.structs.fields(kind)}


def documented(heading: str) -> set[str]:
    section = configuration_table().split(f"## {heading}\n")[1].partition("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


def test_the_page_is_what_the_tables_say() -> None:
    hint = "docs/configuration.md is out of date: run python -m cds.config"
    assert PAGE.read_text("utf-8") == configuration_table(), hint


def test_every_member_of_the_frozen_values_is_documented() -> None:
    top = documented("At the top of the file")
    assert top == (names(Settings) - {"host", "port", "sites"}) | {"bind"}
    site = documented("`[sites.<id>]`")
    assert site == (names(Site) - {"id", "zone", *TABLES}) | {"time_zone"}
    assert documented("`[[sites.<id>.issuers]]`") == names(Issuer)
    assert documented("`[sites.<id>.backend]`") == names(Backend)
    assert documented("`[sites.<id>.events]`") == names(Events)
    assert documented("`[sites.<id>.smart]`") == names(Smart)
    assert documented("`[sites.<id>.rules]`") == names(SiteRules) - names(Header)


def test_every_line_is_one_row_of_four_cells_that_ends_a_sentence() -> None:
    rows = [line for line in configuration_table().splitlines() if line.startswith("| `")]
    assert len(rows) == 8 + 11 + 10 + 7 + 5 + 9 + len(RULES)
    for row in rows:
        assert row.count("|") == 5
        assert row.endswith(". |")
