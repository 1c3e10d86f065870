"""Sandbox for the artist's own templates: they cannot change values, and their output is limited.

Jinja's own sandbox keeps names that begin with an underscore, and changes of lists and dicts, from templates.
Here a template reaches only what is listed: plain values, our dataclasses, fields of settings. A method of
any other object, ``Path.unlink`` or pydantic's ``parse_raw``, would be a way out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from functools import wraps
from typing import Any, TypeVar

import jinja2
from jinja2 import nodes, runtime
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.nodes import EvalContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace
from pydantic import BaseModel

from artgen.gallery.pages.templates import TEMPLATE_OPTIONS

MAX_TEXT_LENGTH = 16_000_000  # characters of a text, items of a list; a page is one text
MAX_GROWTH_LENGTH = 16 * MAX_TEXT_LENGTH  # characters while it is made, as far as the arguments tell
MAX_PAGE_VOLUME = 4 * MAX_TEXT_LENGTH  # of all texts and lists that are made for a page
MAX_FUNCTION_ARGUMENT = 100_000  # a width, an indent, a count
MAX_INTEGER_BITS = 10_000  # of a whole number
MAX_TEMPLATE_STEPS = 1_000_000  # loop rounds, calls, filters and includes of a page

T = TypeVar("T")
READABLE_TYPES = (
    *(str, list, tuple, dict, TemplateModule, Cycler, Joiner, Namespace),
    *(
        runtime.BlockReference,
        runtime.LoopContext,
        runtime.Macro,
        runtime.TemplateReference,
        runtime.Undefined,
    ),
)
# Filters, and methods of texts, whose result is longer than what they are given.
GROWING_FUNCTIONS = frozenset(
    {"batch", "center", "expandtabs", "indent", "ljust", "replace", "rjust", "round", "slice"}
)
GROWING_FUNCTIONS |= {"tojson", "wordwrap", "zfill"}
_JINJA_ARGUMENT_TYPES = (runtime.Context, EvalContext, jinja2.Environment)
# "%10000d" and "%*d"; "{:10000}" and "{:{width}}".
_WIDE_PERCENT_FORMAT = re.compile(r"%(?:\(.*\))?[-#0 +]*\d*\.?(?:\*|\d{5,})", re.DOTALL)
_WIDE_BRACE_FORMAT = re.compile(r"\{[^{}]*:[^{}]*(?:\{|\d{5,})")


class _CountingCodeGenerator(CodeGenerator):
    """Code generator that calls the environment before each round of a loop and each ``~``."""

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802 - jinja2's name
        rounds = nodes.EnvironmentAttribute("rounds", lineno=node.lineno)
        node.iter = nodes.Call(rounds, [node.iter], [], None, None, lineno=node.lineno)
        super().visit_For(node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        self.write("environment.joined(context.eval_ctx, (")
        for child in node.nodes:
            self.visit(child, frame)
            self.write(", ")
        self.write("))")


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja environment that escapes every value, and raises an error for an unknown name.

    Args:
        loader: finds templates by name.
    """

    code_generator_class = _CountingCodeGenerator
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, loader: jinja2.BaseLoader) -> None:
        options: Any = TEMPLATE_OPTIONS
        super().__init__(loader=loader, undefined=jinja2.StrictUndefined, **options)
        self.globals.pop("lipsum")
        self.filters = {name: self._limit_filter(name, filter_) for name, filter_ in self.filters.items()}
        self._steps = self._volume = 0

    def begin_page(self) -> None:
        """Count a template's work from the beginning: the limits are those of a page."""
        self._steps = self._volume = 0

    def step(self) -> None:
        """Count one step of a page's template.

        Raises:
            SecurityError: there were ``MAX_TEMPLATE_STEPS`` already.
        """
        self._steps += 1
        if self._steps > MAX_TEMPLATE_STEPS:
            raise SecurityError(f"more than {MAX_TEMPLATE_STEPS:,} loop rounds and calls on one page")

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, BaseModel):
            return attr in type(obj).model_fields
        if attr == "translate":  # of a text, whose table holds texts of any length
            return False
        ours = is_dataclass(obj) and not isinstance(obj, type) and type(obj).__module__.startswith("artgen.")
        return (ours or isinstance(obj, READABLE_TYPES)) and super().is_safe_attribute(obj, attr, value)

    def call(self, context: runtime.Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        self.step()
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        if isinstance(owner, str) and name == "join":
            args = (self._list_joined_items(owner, args),)
        elif isinstance(owner, str):
            _check_growth(name, owner, args, kwargs)
        elif isinstance(obj, runtime.LoopContext) and args:  # a recursive loop's next level
            args = (self.rounds(args[0]), *args[1:])
        return self._count_result(super().call(context, obj, *args, **kwargs))

    def call_binop(self, context: runtime.Context, operator: str, left: Any, right: Any) -> Any:
        _check_operands(operator, left, right)
        return self._count_result(super().call_binop(context, operator, left, right))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        wrapped = super().wrap_str_format(value)
        if wrapped is not None and _WIDE_BRACE_FORMAT.search(value.__self__):
            raise SecurityError("a width of more than 9,999 characters, or from a variable, in format()")
        return wrapped

    def join_path(self, template: str, parent: str) -> str:
        self.step()
        return super().join_path(template, parent)

    def concat(self, pieces: Iterable[str]) -> str:
        """Join the texts of a template; a text that is too long fails on its own line."""
        texts, size = [], 0
        for text in pieces:
            size += len(text)
            if size > MAX_TEXT_LENGTH:
                error = _length_error(size)
                if isinstance(pieces, Iterator) and hasattr(pieces, "throw"):
                    pieces.throw(error)
                raise error
            texts.append(text)
        return self._count_result("".join(texts))

    def joined(self, eval_ctx: EvalContext, values: tuple[Any, ...]) -> str:
        """Return the values of a template's ``a ~ b ~ c`` as one text."""
        self.step()
        _check_size(sum(map(_length_of, values)))
        return self._count_result(
            runtime.markup_join(values) if eval_ctx.autoescape else runtime.str_join(values)
        )

    def rounds(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yield the items of a template's loop, each counted as a step."""
        for item in items:
            self.step()
            yield item

    def _limit_filter(self, name: str, filter_: Callable[..., Any]) -> Callable[..., Any]:
        """Return a Jinja filter that fails when its result would be too long."""

        @wraps(filter_)  # with the mark that says which of context and environment it takes
        def limited_filter(*args: Any, **kwargs: Any) -> Any:
            self.step()
            context_count = sum(isinstance(argument, _JINJA_ARGUMENT_TYPES) for argument in args)
            contexts, value, arguments = args[:context_count], args[context_count], args[context_count + 1 :]
            if name == "join":
                separator = arguments[0] if arguments else kwargs.get("d", "")
                value = self._list_joined_items(str(separator), (value,))
            elif name == "format" and _WIDE_PERCENT_FORMAT.search(str(value)):
                raise SecurityError("a width of more than 9,999 characters in a format")
            else:
                _check_growth(name, value, arguments, kwargs)
            return self._count_result(filter_(*contexts, value, *arguments, **kwargs))

        return limited_filter

    def _count_result(self, result: T) -> T:
        """Return what a template computed, counted towards the limits of a page."""
        if isinstance(result, str | list | tuple):
            _check_size(len(result))
            self._volume += len(result)
            if self._volume > MAX_PAGE_VOLUME:
                raise SecurityError(f"texts and lists of more than {MAX_PAGE_VOLUME:,} together on one page")
        return result

    def _list_joined_items(self, separator: str, items: tuple[Any, ...]) -> list[Any]:
        """Return the items of a template's join, unless they are too long together."""
        listed = [item for argument in items for item in self.rounds(argument)]
        _check_size(sum(map(_length_of, listed)) + len(separator) * len(listed))
        return listed


def _check_growth(name: str, value: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Raise an error if a template's function would make a text or list that is too long."""
    if name not in GROWING_FUNCTIONS:
        return
    arguments = [*args, *kwargs.values()]
    numbers = [abs(argument) for argument in arguments if isinstance(argument, int)]
    if max(numbers, default=0) > MAX_FUNCTION_ARGUMENT:
        raise SecurityError(f"{name} by more than {MAX_FUNCTION_ARGUMENT:,}")
    texts = [
        _length_of(argument) for argument in arguments if isinstance(argument, str | list | tuple | dict)
    ]
    _check_size(_length_of(value) * (1 + sum(numbers) + sum(texts)), MAX_GROWTH_LENGTH)


def _check_operands(operator: str, left: Any, right: Any) -> None:
    if operator == "%":
        if isinstance(left, str) and _WIDE_PERCENT_FORMAT.search(left):
            raise SecurityError("a width of more than 9,999 characters in a format")
    elif operator == "+":
        if hasattr(left, "__len__") and hasattr(right, "__len__"):
            _check_size(len(left) + len(right))
    elif isinstance(left, int) and isinstance(right, int):
        exponent = right if operator == "**" else 1
        bits = left.bit_length() * max(1, exponent) + (right.bit_length() if operator == "*" else 0)
        if bits > MAX_INTEGER_BITS:
            raise SecurityError(f"a number of more than {MAX_INTEGER_BITS:,} bits")
    else:
        for sequence, times in ((left, right), (right, left)):
            if hasattr(sequence, "__len__") and isinstance(times, int):
                _check_size(len(sequence) * max(0, times))


def _length_of(value: Any) -> int:
    """Return the number of a template value's characters or items, at least 1; 1 for other values."""
    return max(1, len(value)) if hasattr(value, "__len__") else 1


def _check_size(size: int, maximum: int = MAX_TEXT_LENGTH) -> None:
    if size > maximum:
        raise _length_error(size)


def _length_error(size: int) -> SecurityError:
    return SecurityError(
        f"a text or list of {size:,} or more is longer than the {MAX_TEXT_LENGTH:,} that a page may have"
    )
