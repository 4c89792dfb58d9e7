# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines as github.com/spf13/cobra and pflag read them: strict about flags, their types and their values. Pure."""

from __future__ import annotations

import typing as t

HELP_TEXT = ("-h", "--help")
TRUE = ("1", "t", "T", "TRUE", "true", "True")
FALSE = ("0", "f", "F", "FALSE", "false", "False")
LISTS = ("strings", "stringArray")

Value = t.Union[bool, int, str, list[str]]


class Flag(t.NamedTuple):
    """A flag.

    :ivar kind: bool, int, uint, string, strings (comma lists, may be repeated) or stringArray (may be repeated).
    :ivar default: in Go's notation; "" is the zero value.
    :ivar short: one letter.
    :ivar since: the first release that has it, as (major, minor).
    """

    name: str
    kind: str = "string"
    default: str = ""
    short: str = ""
    since: tuple[int, int] = (0, 0)


class UsageError(Exception):
    """What cobra prints after ``Error:`` before it shows the usage."""


class Parsed(t.NamedTuple):
    """A command line. ``given`` are the names of flags that stood in it."""

    values: dict[str, Value]
    given: frozenset[str]
    arguments: list[str]


def parse(arguments: t.Sequence[str], flags: t.Iterable[Flag]) -> Parsed:
    """Raises UsageError as pflag does: for unknown flags, missing and unfit values."""
    known = {each.name: each for each in flags}
    letters = {each.short: each for each in known.values() if each.short}
    values: dict[str, Value] = {name: converted(flag, flag.default) if flag.default else zero(flag) for name, flag in known.items()}
    given: set[str] = set()
    rest: list[str] = []
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word == "--":
            rest += words
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name not in known:
                raise UsageError(f"unknown flag: --{name}")
            _take(known[name], f"--{name}", f"--{name}", value if equals else None, words, values, given)
        elif word.startswith("-") and word != "-":
            letter, value = word[1], word[2:]
            if letter not in letters:
                raise UsageError(f"unknown shorthand flag: '{letter}' in {word}")
            flag = letters[letter]
            if flag.kind == "bool" and value and not value.startswith("="):
                words.insert(0, f"-{value}")
                value = ""
            _take(flag, f"-{letter}, --{flag.name}", f"'{letter}' in {word}", value.removeprefix("=") or None, words, values, given)
        else:
            rest.append(word)
    return Parsed(values, frozenset(given), rest)


def _take(flag: Flag, shown: str, place: str, value: str | None, words: list[str], values: dict[str, Value], given: set[str]) -> None:
    if value is None:
        if flag.kind == "bool":
            value = "true"
        elif words:
            value = words.pop(0)
        else:
            raise UsageError(f"flag needs an argument: {place}")
    try:
        new = converted(flag, value)
    except ValueError as error:
        raise UsageError(f'invalid argument "{value}" for "{shown}" flag: {error}') from None
    old = values[flag.name]
    values[flag.name] = [*old, *new] if isinstance(new, list) and isinstance(old, list) and flag.name in given else new
    given.add(flag.name)


def converted(flag: Flag, text: str) -> Value:
    """Raises ValueError with strconv's text."""
    if flag.kind == "bool":
        if text in TRUE or text in FALSE:
            return text in TRUE
        raise ValueError(f'strconv.ParseBool: parsing "{text}": invalid syntax')
    if flag.kind in ("int", "uint"):
        function = "ParseInt" if flag.kind == "int" else "ParseUint"
        try:
            number = int(text, 0)
        except ValueError:
            raise ValueError(f'strconv.{function}: parsing "{text}": invalid syntax') from None
        if flag.kind == "uint" and number < 0:
            raise ValueError(f'strconv.{function}: parsing "{text}": invalid syntax')
        return number
    if flag.kind == "strings":
        return text.strip("[]").split(",") if text else []
    return [text] if flag.kind == "stringArray" else text


def zero(flag: Flag) -> Value:
    if flag.kind == "bool":
        return False
    if flag.kind in ("int", "uint"):
        return 0
    return [] if flag.kind in LISTS else ""


def usage(command: str, flags: t.Iterable[Flag]) -> str:
    """The usage that cobra shows after an error, without the flags' descriptions, which are not ours to repeat."""
    lines = []
    for flag in sorted(flags):
        short = f"-{flag.short}, " if flag.short else "    "
        kind = "" if flag.kind == "bool" else f" {flag.kind}"
        lines.append(f"  {short}--{flag.name}{kind}")
    return "\n".join([f"Usage:\n  {command} [flags]\n", "Flags:", *lines, ""])
