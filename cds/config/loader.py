"""The TOML file to `Settings`: walks the tables of settings and reports every problem at once."""

import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from cds.config.codes import site_codes
from cds.config.kinds import Kind, Refused
from cds.config.model import ConfigError, Settings
from cds.config.setting import REQUIRED, Setting, Tables
from cds.config.soundness import unsound
from cds.config.table import SETTINGS


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings in `path`, single ones replaced from `environ`; raises `ConfigError`."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise ConfigError((f"{path}: cannot be read: {error.strerror}",)) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError((f"{path}: {error}",)) from None
    table |= _replaced(environ)
    walk = _Walk(path.parent)
    found = walk.read(table, SETTINGS, "")
    host, port = found.pop("bind")
    settings = Settings(host=host, port=port, **found)
    problems = [*walk.problems, *unsound(settings), *site_codes(settings)[1]]
    if problems:
        raise ConfigError(tuple(dict.fromkeys(problems)))
    return settings


def _replaced(environ: Mapping[str, str]) -> dict[str, str]:
    named = [one for one in SETTINGS if isinstance(one, Setting) and one.environ]
    return {one.name: environ[one.environ] for one in named if environ.get(one.environ)}


class _Walk:
    """One walk through a file; holds what was wrong so far. Paths are taken against `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []

    def read(
        self, table: Mapping[str, Any], settings: Sequence[Setting | Tables], at: str
    ) -> dict[str, Any]:
        """The values of one table, defaults for the absent, stand-ins for the refused."""
        known = {one.name for one in settings}
        self.problems += [f"{at}{name}: unknown setting" for name in table if name not in known]
        return {
            one.member or one.name: self._inside(table, one, at)
            if isinstance(one, Tables)
            else self._value(table, one, at)
            for one in settings
        }

    def _value(self, table: Mapping[str, Any], setting: Setting, at: str) -> Any:
        if setting.name not in table and setting.default is None:
            return setting.absent
        default = None if setting.default is REQUIRED else setting.default
        return self._checked(setting.kind, table.get(setting.name, default), at + setting.name)

    def _checked(self, kind: Kind, value: Any, at: str) -> Any:
        try:
            return kind.read(value, self.folder)
        except Refused as error:
            self.problems += [f"{at}{place}: {why}" for place, why in error.reasons]
            return kind.blank

    def _inside(self, table: Mapping[str, Any], tables: Tables, at: str) -> Any:
        at += tables.name
        if tables.shape == "by-id":
            return self._by_id(table.get(tables.name), tables, at)
        if tables.shape == "list":
            return self._list(table.get(tables.name, []), tables, at)
        if tables.shape == "one":
            return self._one(table.get(tables.name), tables, at)
        return self._overrides(table.get(tables.name, {}), tables, at)

    def _by_id(self, value: Any, tables: Tables, at: str) -> dict[str, Any]:
        if not isinstance(value, dict) or not value:
            self.problems.append(f"{at}: at least one [{at}.<id>] table is required")
            return {}
        found = {}
        for name, one in value.items():
            if not isinstance(one, dict):
                self.problems.append(f"{at}.{name}: must be a table")
                continue
            self._checked(tables.named, name, f"{at}.{name}")
            found[name] = tables.make(id=name, **self.read(one, tables.settings, f"{at}.{name}."))
        return found

    def _list(self, value: Any, tables: Tables, at: str) -> tuple[Any, ...]:
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.problems.append(f"{at}: must be a list of tables")
            return ()
        return tuple(
            tables.make(**self.read(one, tables.settings, f"{at}[{place}]."))
            for place, one in enumerate(value)
        )

    def _one(self, value: Any, tables: Tables, at: str) -> Any:
        if value is None:
            return None
        if not isinstance(value, dict):
            self.problems.append(f"{at}: must be a table")
            return None
        return tables.make(**self.read(value, tables.settings, f"{at}."))

    def _overrides(self, value: Any, tables: Tables, at: str) -> Any:
        if not isinstance(value, dict):
            self.problems.append(f"{at}: must be a table")
            return {}
        found = self.read(value, tables.settings, f"{at}.")
        return tables.make({name: one for name, one in found.items() if one is not None})
