"""`calculate`: the four operations on numbers, read from the syntax tree, so that no text is ever executed."""

import ast
import math
import operator
from collections.abc import Callable

MAX_LENGTH = 500
"""Characters of an expression; also bounds how deep it can nest."""

_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_UNARY: dict[type[ast.unaryop], Callable[[float], float]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}


def calculate(expression: str) -> float:
    """The value of an expression of numbers, `+ - * /` and parentheses. Raises ValueError for anything else."""
    if len(expression) > MAX_LENGTH:
        raise ValueError(f"the expression has {len(expression)} characters and the limit is {MAX_LENGTH}")
    try:
        value = _value(ast.parse(expression, mode="eval").body)
    except SyntaxError as error:
        raise ValueError(f"{expression!r} is no expression") from error
    except (ZeroDivisionError, OverflowError) as error:
        raise ValueError(f"{expression!r} has no value: {error}") from error
    if not math.isfinite(value):
        raise ValueError(f"{expression!r} is beyond all numbers")
    return value


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return float(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _BINARY[type(node.op)](_value(node.left), _value(node.right))
    if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        return _UNARY[type(node.op)](_value(node.operand))
    raise ValueError(f"{ast.unparse(node)!r} is not arithmetic")
