"""Where a module can be made wrong, and how: one small change of its syntax tree at a time.

Pure: the same text has the same sites in the same order. Nothing is run and nothing is written.
"""

import ast
import copy
from collections.abc import Iterator

from msgspec import Struct


_PAIRS: tuple[tuple[type[ast.AST], type[ast.AST]], ...] = (
    *((ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Eq, ast.NotEq), (ast.Is, ast.IsNot)),
    *((ast.In, ast.NotIn), (ast.And, ast.Or), (ast.Add, ast.Sub)),
)
_OPPOSITE = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
# Types, and options of a class such as `frozen`, are no behaviour.
_LEFT_OUT = {"annotation", "returns", "type_params", "decorator_list"}


class Site(Struct, frozen=True):
    """One possible change: the line it is on, what it does, and what stands there instead."""

    line: int
    change: str
    new: ast.expr
    place: tuple[str | int, ...]


def sites(text: str) -> list[Site]:
    """Every change of a module, in the order of its text."""
    return list(_of(ast.parse(text), ()))


def changed(text: str, site: Site) -> str:
    """The module with that one change; comments are gone."""
    tree = ast.parse(text)
    node: object = tree
    for step in site.place[:-1]:
        node = node[step] if isinstance(step, int) else getattr(node, step)  # type: ignore[index]
    last = site.place[-1]
    if isinstance(last, int):
        node[last] = site.new  # type: ignore[index]
    else:
        setattr(node, last, site.new)
    return ast.unparse(ast.fix_missing_locations(tree))


def _of(node: ast.AST, place: tuple[str | int, ...]) -> Iterator[Site]:
    if isinstance(node, ast.expr):
        for new, change in _instead(node):
            yield Site(node.lineno, change, new, place)
    if _is_type(node):
        return
    for field, value in ast.iter_fields(node):
        if field in _LEFT_OUT or (isinstance(node, ast.ClassDef) and field == "keywords"):
            continue
        if isinstance(value, ast.AST):
            yield from _of(value, (*place, field))
        elif isinstance(value, list):
            for index, one in enumerate(value):
                if isinstance(one, ast.AST):
                    yield from _of(one, (*place, field, index))


def _is_type(node: ast.AST) -> bool:
    """`Literal[0, 1]` and what is bound to it."""
    base = node.value if isinstance(node, ast.Subscript) else None
    return isinstance(base, ast.Name) and base.id == "Literal"


def _instead(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    match node:
        case ast.Compare(ops=ops):
            for index, op in enumerate(ops):
                new = copy.deepcopy(node)
                new.ops[index] = _OPPOSITE[type(op)]()  # type: ignore[call-overload]
                yield new, f"{_name(op)} becomes {_name(new.ops[index])}"
        case ast.BoolOp(op=op) | ast.BinOp(op=(ast.Add() | ast.Sub()) as op):
            whole = copy.deepcopy(node)
            whole.op = _OPPOSITE[type(op)]()  # type: ignore[assignment]
            yield whole, f"{_name(op)} becomes {_name(whole.op)}"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand, "not is removed"
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value), f"{value} becomes {not value}"
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1), f"{value} becomes {value + 1}"
            yield ast.Constant(value - 1), f"{value} becomes {value - 1}"
        case ast.Call(func=ast.Name(id=name)) if name in _CALLED:
            called = copy.deepcopy(node)
            called.func = ast.Name(_CALLED[name], ast.Load())
            yield called, f"{name} becomes {_CALLED[name]}"


def _name(op: ast.AST) -> str:
    return type(op).__name__
