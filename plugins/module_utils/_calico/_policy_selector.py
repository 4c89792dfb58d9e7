# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Calico's selector language, evaluated on labels of which some may not be known.

Grammar after projectcalico/calico libcalico-go/lib/selector (parser and tokenizer): ``||`` binds weakest, then ``&&``, then any number of ``!``; the
operands are ``has(label)``, ``all()``, ``global()``, parentheses, and ``label OP operand`` with ``==``, ``!=``, ``in {…}``, ``not in {…}``,
``contains``, ``starts with`` and ``ends with``. Strings stand in single or double quotes and know no escapes. An empty selector selects everything.

Every evaluation answers True, False, or None where that depends on a label that is not known (Kleene's three-valued logic).
"""

from __future__ import annotations

import re
import typing as t
from functools import lru_cache

Verdict = t.Optional[bool]
DEEPEST = 100  # levels of parentheses: far more than anybody writes, far less than Python's stack

_TOKEN = re.compile(
    r"""[ \t]*(?:
        (?P<string>"[^"]*"|'[^']*')
      | (?P<call>(?:has|all|global)\()
      | (?P<operator>==|!=|&&|\|\||[!(){},])
      | (?P<word>[A-Za-z0-9_./-]{1,512})
      | (?P<end>\Z)
    )""",
    re.VERBOSE,
)


class SelectorError(ValueError):
    """A text that is no selector. Calico ignores a policy with one, or refuses to store it."""


class Labels(t.NamedTuple):
    """Labels of one thing. With ``open`` it may carry others than the ``known`` ones."""

    known: t.Mapping[str, str]
    open: bool = False

    def tells(self, label: str) -> bool:
        """True when it is known whether, and with which value, the label is there."""
        return label in self.known or not self.open


class Selector:
    """One node of a parsed selector."""

    def matches(self, labels: Labels) -> Verdict:
        """Whether something with these labels is selected, None where that cannot be told."""
        raise NotImplementedError


class Everything(Selector):
    """``all()``, and the empty selector."""

    def matches(self, labels: Labels) -> Verdict:
        return True


class Global(Selector):
    """``global()``: as a namespaceSelector it selects what is in no namespace; the caller hands over that thing's labels."""

    def matches(self, labels: Labels) -> Verdict:
        label = "projectcalico.org/namespace"
        return label not in labels.known if labels.tells(label) else None


class Has(Selector):
    """``has(label)``."""

    def __init__(self, label: str) -> None:
        self.label = label

    def matches(self, labels: Labels) -> Verdict:
        return self.label in labels.known if labels.tells(self.label) else None


class Test(Selector):
    """A comparison of one label's value. ``absent`` is the verdict on a thing that has no such label: True for the negative operators."""

    def __init__(self, label: str, holds: t.Callable[[str], bool], absent: bool = False) -> None:
        self.label, self.holds, self.absent = label, holds, absent

    def matches(self, labels: Labels) -> Verdict:
        if not labels.tells(self.label):
            return None
        value = labels.known.get(self.label)
        return self.absent if value is None else self.holds(value)


class Not(Selector):
    def __init__(self, operand: Selector) -> None:
        self.operand = operand

    def matches(self, labels: Labels) -> Verdict:
        return negation(self.operand.matches(labels))


class And(Selector):
    def __init__(self, operands: t.Sequence[Selector]) -> None:
        self.operands = tuple(operands)

    def matches(self, labels: Labels) -> Verdict:
        return conjunction(operand.matches(labels) for operand in self.operands)


class Or(Selector):
    def __init__(self, operands: t.Sequence[Selector]) -> None:
        self.operands = tuple(operands)

    def matches(self, labels: Labels) -> Verdict:
        return disjunction(operand.matches(labels) for operand in self.operands)


def negation(verdict: Verdict) -> Verdict:
    return None if verdict is None else not verdict


def conjunction(verdicts: t.Iterable[Verdict]) -> Verdict:
    """False if any is False, else None if any is None, else True."""
    result: Verdict = True
    for verdict in verdicts:
        if verdict is False:
            return False
        if verdict is None:
            result = None
    return result


def disjunction(verdicts: t.Iterable[Verdict]) -> Verdict:
    """True if any is True, else None if any is None, else False."""
    return negation(conjunction(negation(verdict) for verdict in verdicts))


def equals(label: str, value: str) -> Selector:
    return Test(label, lambda found: found == value)


def one_of(label: str, values: t.Iterable[str]) -> Selector:
    wanted = frozenset(values)
    return Test(label, lambda found: found in wanted)


def none_of(label: str, values: t.Iterable[str]) -> Selector:
    unwanted = frozenset(values)
    return Test(label, lambda found: found not in unwanted, absent=True)


@lru_cache(maxsize=1024)
def parse_selector(text: str) -> Selector:
    """The selector that a text writes.

    :raises SelectorError: naming what was expected and where.
    """
    return _Parser(text).whole()


class _Token(t.NamedTuple):
    kind: str  # string, has, all, global, word, end, or the operator itself
    value: str
    at: int  # position in the text, from 1


def _tokens(text: str) -> t.Iterator[_Token]:
    position = 0
    while True:
        match = _TOKEN.match(text, position)
        if match is None:
            at = len(text) - len(text[position:].lstrip(" \t")) + 1
            raise SelectorError(f"nothing of the selector language begins at character {at} of {text!r}")
        kind = str(match.lastgroup)
        value = match.group(kind)
        at = match.start(kind) + 1
        if kind == "call":
            yield _Token(value[:-1], value, at)
        elif kind == "operator":
            yield _Token(value, value, at)
        else:
            yield _Token(kind, value[1:-1] if kind == "string" else value, at)
        if kind == "end":
            return
        position = match.end()


class _Parser:
    """Recursive descent, one token ahead."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.position = 0
        self.depth = 0

    @property
    def next(self) -> _Token:
        return self.tokens[self.position]

    def take(self, *kinds: str, what: str = "") -> _Token:
        token = self.next
        if kinds and token.kind not in kinds:
            found = repr(token.value) if token.kind != "end" else "the end"
            raise SelectorError(f"{what or ' or '.join(kinds)} was expected at character {token.at} of {self.text!r}, not {found}")
        self.position += 1
        return token

    def word(self, *words: str) -> bool:
        """Take the words, one after the other, if they are what comes next."""
        following = self.tokens[self.position : self.position + len(words)]
        if [(token.kind, token.value) for token in following] != [("word", word) for word in words]:
            return False
        self.position += len(words)
        return True

    def whole(self) -> Selector:
        if self.next.kind == "end":
            return Everything()
        selector = self.disjunction()
        self.take("end", what="an operator or the end")
        return selector

    def disjunction(self) -> Selector:
        return self.chain("||", self.conjunction, Or)

    def conjunction(self) -> Selector:
        return self.chain("&&", self.operation, And)

    def chain(self, operator: str, operand: t.Callable[[], Selector], made: t.Callable[[t.Sequence[Selector]], Selector]) -> Selector:
        operands = [operand()]
        while self.next.kind == operator:
            self.take()
            operands.append(operand())
        return operands[0] if len(operands) == 1 else made(operands)

    def operation(self) -> Selector:
        negated = False
        while self.next.kind == "!":
            self.take()
            negated = not negated
        selector = self.operand()
        return Not(selector) if negated else selector

    def operand(self) -> Selector:
        token = self.take("has", "all", "global", "(", "word", what="a label, has(), all(), global() or (")
        if token.kind == "(":
            return self.parenthesis()
        if token.kind == "word":
            return self.comparison(token.value)
        label = self.take("word", what="a label").value if token.kind == "has" else ""
        self.take(")")
        return Has(label) if token.kind == "has" else Everything() if token.kind == "all" else Global()

    def parenthesis(self) -> Selector:
        self.depth += 1
        if self.depth > DEEPEST:
            raise SelectorError(f"more than {DEEPEST} parentheses stand inside each other in a selector of {len(self.text)} characters")
        selector = self.disjunction()
        self.take(")")
        self.depth -= 1
        return selector

    def comparison(self, label: str) -> Selector:
        if self.next.kind in ("==", "!="):
            negative = self.take().kind == "!="
            value = self.string()
            return none_of(label, (value,)) if negative else equals(label, value)
        if self.word("not", "in"):
            return none_of(label, self.strings())
        if self.word("in"):
            return one_of(label, self.strings())
        if self.word("contains"):
            part = self.string()
            return Test(label, lambda found: part in found)
        if self.word("starts", "with"):
            start = self.string()
            return Test(label, lambda found: found.startswith(start))
        if self.word("ends", "with"):
            end = self.string()
            return Test(label, lambda found: found.endswith(end))
        raise SelectorError(f"an operator was expected at character {self.next.at} of {self.text!r}, after the label {label}")

    def string(self) -> str:
        return self.take("string", what="a string in quotes").value

    def strings(self) -> list[str]:
        self.take("{")
        values = []
        while self.next.kind == "string":
            values.append(self.take().value)
            if self.next.kind != ",":
                break
            self.take()
        self.take("}")
        return values
