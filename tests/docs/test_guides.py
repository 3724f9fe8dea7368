"""What the guides name exists: links, commands, options, queries, metrics, settings, cases."""

import io
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from cards.overrides import OVERRIDE_REASONS, REMS_REASONS, SYSTEM
from cds.canary import target
from cds.cli import main
from cds.config import load
from cds.fhir_guard import Kind as UpstreamKind
from cds.metrics import Metrics
from cds.services import SERVICES
from cds.trust import Kind as RefusalKind
from knowledge import library as knowledge_library
from knowledge import lock
from knowledge.case_model import read_file
from knowledge.errors import KnowledgeError
from tests.conftest import CheckedClient
from tests.docs.markdown import (
    DOCS,
    ROOT,
    anchors,
    blocks,
    commands,
    documents,
    links,
    prose,
    spans,
    text,
)
from tests.knowledge.cases import differences, run


DOCUMENTS = documents()
GUIDES = [name for name in DOCUMENTS if name.startswith("docs/guides/")]
EPIC, ORACLE = "docs/guides/epic.md", "docs/guides/oracle-health.md"
PROTOCOL = "docs/guides/site-protocol.md"
CONFIGURATION = "docs/configuration.md"
CANARY = "docs/canary.md"
NOT_METRICS = {"btce_cds", "btce_owner", "btce_service"}  # names of the database's examples
OVER_NETWORK = """
bind = "127.0.0.1:8090"
public_url = "https://cds.example.org"
auth = "jwt"
"""
SITE = """
[sites.north]
fhir_base = "https://ehr.example.org/north/api/FHIR/R4"
protocol = "us-label"
time_zone = "Europe/London"
mode = "silent"
"""
ON_LOOPBACK = """
bind = "127.0.0.1:8090"
public_url = "http://127.0.0.1:8090"
auth = "off"
default_site = "launcher"
"""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_relative_link_leads_to_a_file_and_a_heading(document: str) -> None:
    folder = (ROOT / document).parent
    lost = []
    for path, anchor in links(document):
        target = (folder / path).resolve() if path else ROOT / document
        if not target.exists():
            lost.append(path)
        elif anchor and anchor not in anchors(target.relative_to(ROOT).as_posix()):
            lost.append(f"{path}#{anchor}")
    assert lost == []


@pytest.mark.parametrize("folder", ["guides", "decisions"])
def test_every_page_of_a_folder_is_in_its_index(folder: str) -> None:
    pages = {path.name for path in (DOCS / folder).glob("*.md")} - {"README.md"}
    assert pages <= {path for path, _ in links(f"docs/{folder}/README.md")}


@pytest.mark.parametrize("document", GUIDES)
def test_what_a_guide_says_of_others_has_a_source_with_an_address_and_a_year(
    document: str,
) -> None:
    _, found, sources = text(document).partition("\n## Sources\n")
    vendors = "[E]" in text(document) or "[O]" in text(document)
    assert bool(found) or not vendors
    for line in re.findall(r"^\* (.+(?:\n  .+)*)", sources, re.MULTILINE):
        assert "https://" in line
        assert re.search(r"\b20\d\d\b|/2\.0/", line), line


def test_the_readme_says_what_the_command_of_the_documents_is_in_a_clone() -> None:
    # `make run` makes no `btce-cds`; every document is written with it.
    words, _, _ = text("README.md").partition("\n## What it does\n")
    assert "`btce-cds …`" in words
    assert "`.venv/bin/python -m cds …`" in words


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if "/safety/" not in name])
def test_no_step_of_a_document_needs_what_only_the_tests_install(document: str) -> None:
    steps = [line for block in blocks(document) for line in block.text.splitlines()]
    tools = re.compile(r"-m pytest\b|bin/(pytest|mypy|ruff)\b")
    assert [line for line in steps if tools.search(line)] == []


@pytest.mark.parametrize("document", [*GUIDES, "docs/decisions/README.md"])
def test_no_placeholder_is_left(document: str) -> None:
    assert re.findall(r"@@|\bTODO\b|\bTBD\b|\bFIXME\b", text(document)) == []


@cache
def help_of(words: tuple[str, ...]) -> tuple[int, str]:
    """The exit status and the text of `--help` after these words."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said), pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    return int(ended.value.code or 0), said.getvalue()


def options_of(written: str) -> frozenset[str]:
    return frozenset(re.findall(r"(?<![\w-])--[a-z][a-z-]*", written))


def wrong_of(command: str) -> Iterator[str]:
    """What of a command as it is written the command line does not have."""
    words = re.match(r"[a-z][a-z-]*(?: [a-z][a-z-]*)?(?=[\s\[]|$)", command)
    if words is None:
        yield command
        return
    named = tuple(words[0].split())
    status, known = help_of(named)
    if status:
        yield f"no command {words[0]}"
    for option in sorted(options_of(command) - options_of(known)):
        yield f"{words[0]} has no {option}"


@pytest.mark.parametrize("document", [*DOCUMENTS, "README.md", "CONTRIBUTING.md"])
def test_every_command_and_option_named_exists(document: str) -> None:
    assert [wrong for command in commands(document) for wrong in wrong_of(command)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_command_named_by_its_own_word_has_the_options_beside_it(document: str) -> None:
    known = tuple(word for word in re.findall(r"^    (\w+) ", help_of(())[1], re.MULTILINE) if word)
    short = [span for span in spans(document) if span.startswith(known) and " --" in span]
    assert known
    assert [wrong for span in short for wrong in wrong_of(span)] == []


def test_a_command_or_option_that_does_not_exist_is_noticed() -> None:
    assert list(wrong_of("audit --knowledge SHA --nothing")) == ["audit has no --nothing"]
    assert next(wrong_of("nothing --config FILE")) == "no command nothing"


def discovered(client: CheckedClient) -> dict[str, dict[str, str]]:
    """The templates that the service's discovery answers, by service."""
    services = client.get("/cds-services").get_json()["services"]
    return {one["id"]: one["prefetch"] for one in services}


def typed() -> dict[str, str]:
    """The keys of the Epic guide with the string to type for each."""
    pairs = re.findall(r"^`([\w-]+)`\n\n```text\n(.+)\n```$", text(EPIC), re.MULTILINE)
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)


def test_the_epic_guide_prints_every_template_of_every_service_and_no_other(
    client: CheckedClient,
) -> None:
    for service, templates in discovered(client).items():
        assert typed() == templates, service


@pytest.mark.parametrize("document", GUIDES)
def test_a_template_in_a_guide_is_one_of_discovery(document: str, client: CheckedClient) -> None:
    known = {one for templates in discovered(client).values() for one in templates.values()}
    written = [line for line in text(document).splitlines() if "{{context." in line]
    assert set(written) <= known


@pytest.mark.parametrize("document", [EPIC, ORACLE])
def test_the_services_and_hooks_of_a_vendor_guide_exist(document: str) -> None:
    named = {span for span in spans(document) if re.fullmatch(r"btce-[a-z]+-?[a-z]*", span)}
    named |= set(re.findall(r"/cds-services/(btce-[a-z-]+)", text(document)))
    named -= {"btce-cds"}
    assert named
    assert named <= set(SERVICES)


def test_the_override_reasons_to_map_are_those_that_cards_carry() -> None:
    section = text(EPIC).partition("\n## Override reasons\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\|[^|]*\| `([a-z-]+)` \| ([^|]+) \|$", section, re.MULTILINE)
    assert rows == [(one.code, one.display) for one in (*OVERRIDE_REASONS, *REMS_REASONS)]
    assert SYSTEM in spans(EPIC)


def test_the_oracle_guide_asks_to_read_every_type_of_the_queries() -> None:
    scopes = set(re.findall(r"patient/(\w+)\.read", text(ORACLE)))
    types = {
        re.split(r"[/?]", template)[0]
        for one in SERVICES.values()
        for template in one.prefetch.values()
    }
    assert scopes == types


def metric_names() -> frozenset[str]:
    """Every name on the page of metrics, with and without the endings of its series."""
    page, _ = Metrics(
        services=SERVICES, upstream=get_args(UpstreamKind), refusals=get_args(RefusalKind)
    ).render()
    families = re.findall(r"^# TYPE (\w+) \w+$", page.decode(), re.MULTILINE)
    return frozenset(families)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_metric_named_exists(document: str) -> None:
    named = set(re.findall(r"\bbtce_[a-z0-9_]+", text(document))) - NOT_METRICS
    assert named <= metric_names()


def test_the_guide_for_operators_has_an_alert_for_every_metric() -> None:
    counted = {name for name in metric_names() if not name.endswith("_created")}
    assert counted <= set(re.findall(r"\bbtce_\w+", text("docs/guides/operating.md")))


@pytest.mark.parametrize("label", ["kind"])
def test_a_kind_named_in_a_guide_is_one_that_is_counted(label: str) -> None:
    known = {*get_args(UpstreamKind), *get_args(RefusalKind)}
    for document in GUIDES:
        assert set(re.findall(rf'\{{{label}="([a-z-]+)"\}}', text(document))) <= known


@cache
def settings_of() -> dict[str, frozenset[str]]:
    """The settings of each table that docs/configuration.md lists; "" is the top of the file."""
    found = {}
    for heading, body in re.findall(
        r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text(CONFIGURATION), re.MULTILINE | re.DOTALL
    ):
        table = re.search(r"sites\.<id>(?:\.(\w+))?", heading)
        name = "" if table is None else f"site.{table[1]}" if table[1] else "site"
        found[name] = frozenset(re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE))
    return found


def unlisted(document: dict[str, Any]) -> Iterator[str]:
    """The settings of a TOML document that the page does not list."""
    listed = settings_of()
    tables = {name for name in (key.removeprefix("site.") for key in listed) if name}
    for key, value in document.items():
        if key != "sites":
            yield from [key] if key not in listed[""] else []
            continue
        for site in value.values():
            for name, inner in site.items():
                if name in tables:
                    items = inner if isinstance(inner, list) else [inner]
                    known = listed[f"site.{name}"]
                    yield from (f"{name}.{k}" for one in items for k in one if k not in known)
                elif name not in listed["site"]:
                    yield name


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if blocks(name, "toml")])
def test_every_setting_of_a_toml_block_is_documented(document: str) -> None:
    for block in blocks(document, "toml"):
        assert list(unlisted(tomllib.loads(block.text))) == []


def test_a_setting_that_is_not_documented_is_noticed() -> None:
    wrong = tomllib.loads(
        'colour = 1\n[sites.a]\nkind = 2\n[[sites.a.issuers]]\niss = "x"\nexp = 3'
    )
    assert list(unlisted(wrong)) == ["colour", "kind", "issuers.exp"]


@pytest.mark.parametrize("document", [name for name in GUIDES if blocks(name, "toml")])
def test_the_site_files_of_the_guides_are_sound(
    document: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "north-codes").mkdir()
    (tmp_path / "north-codes/systems.yaml").write_text('systems: {ROWS: ["urn:oid:1.2.3"]}\n')
    for block in blocks(document, "toml"):
        whole = block.text
        if "bind =" not in whole:
            whole = (ON_LOOPBACK if "127.0.0.1" in whole else OVER_NETWORK) + whole
        file = tmp_path / "site.toml"
        file.write_text(whole, encoding="utf-8")
        status = main(["check", "--config", str(file)])
        assert (status, capsys.readouterr().err) == (0, "")


def test_the_key_pair_of_the_canary_page_signs_calls_that_its_issuer_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script, issuer = (blocks(CANARY, language)[0].text for language in ("python", "toml"))
    call = [sys.executable, "-c", script]
    subprocess.run(call, cwd=tmp_path, check=True, timeout=60)  # noqa: S603 - the page's own
    private, public = tmp_path / "canary-key.json", tmp_path / "canary-jwks.json"
    assert private.stat().st_mode & 0o077 == 0
    assert '"d"' not in public.read_text("utf-8")

    file = tmp_path / "site.toml"
    file.write_text(OVER_NETWORK + SITE + issuer, encoding="utf-8")
    assert (main(["check", "--config", str(file)]), capsys.readouterr().err) == (0, "")
    iss = tomllib.loads(issuer)["sites"]["north"]["issuers"][0]["iss"]
    url = "https://cds.example.org"
    found = target(load(file, {}), {}, url=url, site="north", key=private, issuer=iss)
    assert found.signing is not None
    assert found.signing.kid == json.loads(public.read_text("utf-8"))["keys"][0]["kid"]


def _block(language: str, begins: str) -> str:
    """The one block of the guide that begins so, without that line."""
    (found,) = [b.text for b in blocks(PROTOCOL, language) if b.text.startswith(begins)]
    return found.partition("\n")[2]


def _with_entry(file: Path, section: str, entry: str) -> None:
    """The guide's lines right below `section:`, and the next version."""
    lines = file.read_text("utf-8").replace(f"\n{section}:\n", f"\n{section}:\n{entry}", 1)
    number = int(re.findall(r"^version: (\d+)$", lines, re.MULTILINE)[0])
    file.write_text(lines.replace(f"version: {number}", f"version: {number + 1}", 1), "utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A copy of the knowledge with the guide's protocol in it, before the lock was written."""
    copy = tmp_path / "data"
    shutil.copytree(knowledge_library.DATA, copy)
    protocol = _block("yaml", "# knowledge/data/protocols/example-centre.yaml")
    (copy / "protocols/example-centre.yaml").write_text(protocol, encoding="utf-8")
    return copy


def test_the_protocol_of_the_guide_is_refused_as_the_guide_says_until_it_is_whole(
    data: Path,
) -> None:
    with pytest.raises(KnowledgeError) as without_counts:
        knowledge_library.load(data)
    assert str(without_counts.value) in text(PROTOCOL)

    silent = _block("yaml", "# in knowledge/data/dosing/tocilizumab.yaml")
    _with_entry(data / "dosing/tocilizumab.yaml", "silent", silent)
    with pytest.raises(KnowledgeError) as without_reference:
        knowledge_library.load(data)
    assert str(without_reference.value) in text(PROTOCOL)

    reference = _block("yaml", "# in knowledge/data/references.yaml")
    _with_entry(data / "references.yaml", "references", reference)
    assert "example-centre" in knowledge_library.load(data).protocols
    assert "example-centre: version 1 is not in the lock" in lock.check(data)
    assert "example-centre: version 1 is not in the lock" in text(PROTOCOL)


@pytest.mark.parametrize(
    ("right", "wrong"), [("version: 1", "versoin: 1"), ("grade: 2}", "grade: 5}")]
)
def test_a_mistake_is_answered_as_the_guide_says(data: Path, right: str, wrong: str) -> None:
    file = data / "protocols/example-centre.yaml"
    file.write_text(file.read_text("utf-8").replace(right, wrong, 1), "utf-8")
    with pytest.raises(KnowledgeError) as refused:
        knowledge_library.load(data)
    assert str(refused.value) in text(PROTOCOL)


def test_the_cases_of_the_guide_come_out_as_written(data: Path, tmp_path: Path) -> None:
    silent = _block("yaml", "# in knowledge/data/dosing/tocilizumab.yaml")
    _with_entry(data / "dosing/tocilizumab.yaml", "silent", silent)
    reference = _block("yaml", "# in knowledge/data/references.yaml")
    _with_entry(data / "references.yaml", "references", reference)
    file = tmp_path / "example-centre.yaml"
    file.write_text(_block("yaml", "# tests/knowledge/cases/example-centre.yaml"), "utf-8")

    library, cases = knowledge_library.load(data), read_file(file)
    assert [case.id for case in cases] == ["g2", "g1"]
    for case in cases:
        found = run(case, file.stem, library)
        assert differences(case, file.stem, found, library) == []


def test_the_keys_of_the_guide_are_those_of_a_protocol() -> None:
    named = re.findall(r"^\| `(\w+)`(?:, `(\w+)`)? \| ", prose(PROTOCOL), re.MULTILINE)
    keys = {key for pair in named for key in pair if key and not key.startswith("test_")}
    schema = yaml.safe_load(text("knowledge/schemas/protocol.schema.json"))
    assert keys
    assert keys - {"versoin"} <= set(_properties(schema))


def _properties(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for value in schema.values():
            yield from _properties(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _properties(value)


def test_the_tests_that_the_guide_names_exist() -> None:
    named = {span for span in spans(PROTOCOL) if re.fullmatch(r"test_\w+", span)}
    code = "".join(path.read_text("utf-8") for path in (ROOT / "tests/knowledge").glob("*.py"))
    assert named
    assert [name for name in sorted(named) if f"def {name}(" not in code] == []
