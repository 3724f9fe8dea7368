"""Any file as a prefetch value: answered, or refused by naming the place; never a fault."""

import pytest

from tests.payloads.source import Service, all_files, load, order_sign, utc


pytestmark = pytest.mark.payloads
NOW = utc("2026-05-20T12:00:00Z")
CAPTURED = "body"


@pytest.mark.parametrize("key", ["something", "vitals"])
@pytest.mark.parametrize("path", all_files())
def test_no_file_breaks_the_service(service: Service, path: str, key: str) -> None:
    content = load(path)
    values = [content]
    if isinstance(content, dict) and CAPTURED in content:
        values.append(content[CAPTURED])
    for value in values:
        answer = service.ask(order_sign("nobody", {key: value}), NOW)
        if answer.status == 400:
            issue = answer.body["issue"][0]
            assert issue["expression"][0].startswith(f"prefetch.{key}"), issue
        else:
            assert answer.status == 200
