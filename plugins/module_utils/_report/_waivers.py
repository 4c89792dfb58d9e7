# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Waivers: findings that somebody knows of, with a reason and a day on which they come back.

The file is a YAML list::

    - id: kube-proxy-mode
      cluster: "edge-*"
      reason: The move to iptables is CHG-1207
      expires: 2026-12-31
"""

from __future__ import annotations

import calendar
import fnmatch
import re
import typing as t
from dataclasses import replace

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Finding, Waiver
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError

KEYS = ("id", "cluster", "reason", "expires")


class Rule(t.NamedTuple):
    """One entry of the file. ``cluster`` is a shell pattern; ``id`` is that of a check, no pattern, so that nothing unforeseen is waived."""

    id: str
    cluster: str
    reason: str
    expires: str  # YYYY-MM-DD
    where: str  # "waivers.yml line 3"

    def matches(self, finding: Finding) -> bool:
        return finding.id == self.id and fnmatch.fnmatchcase(finding.cluster, self.cluster)


def parse_waivers(text: str, name: str, yaml: t.Any) -> tuple[Rule, ...]:
    """The entries of a file.

    :param name: the file as the user named it, for messages.
    :param yaml: the module PyYAML.
    :raises InputError: the file is no YAML, or an entry is not as it must be; it names the file, the line and what is wrong.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError(f"{name}{f' line {mark.line + 1}' if mark else ''}: no YAML: {getattr(error, 'problem', None) or error}.") from error
    if root is None:
        return ()
    if not isinstance(root, yaml.SequenceNode):
        raise InputError(f"{name} line {root.start_mark.line + 1}: a list of waivers is wanted, each with {', '.join(KEYS)}.")
    return tuple(_rule(node, name, yaml) for node in root.value)


def _rule(node: t.Any, name: str, yaml: t.Any) -> Rule:
    where = f"{name} line {node.start_mark.line + 1}"
    if not isinstance(node, yaml.MappingNode):
        raise InputError(f"{where}: a waiver is a mapping with {', '.join(KEYS)}.")
    values: dict[str, str] = {}
    for key, value in node.value:
        here = f"{name} line {key.start_mark.line + 1}"
        if key.value not in KEYS:
            raise InputError(f"{here}: a waiver has no {key.value!r}; it has {', '.join(KEYS)}.")
        if key.value in values:
            raise InputError(f"{here}: {key.value} is given twice.")
        if not isinstance(value, yaml.ScalarNode) or value.tag.endswith(":null"):
            raise InputError(f"{here}: {key.value} must be a text.")
        values[key.value] = value.value.strip()
        if key.value == "expires" and not _is_date(values["expires"]):
            raise InputError(f"{here}: expires must be a day such as 2026-12-31, not {value.value!r}.")
    lacking = [key for key in KEYS if not values.get(key)]
    if lacking:
        raise InputError(f"{where}: the waiver lacks {', '.join(lacking)}. Every waiver has {', '.join(KEYS)}; cluster: '*' stands for all.")
    return Rule(**values, where=where)


def _is_date(text: str) -> bool:
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text)
    if match is None:
        return False
    year, month, day = map(int, match.groups())
    return year > 0 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]


def waive(findings: t.Iterable[Finding], rules: t.Sequence[Rule], today: str) -> tuple[Finding, ...]:
    """The findings with their waivers. One that holds wins over an expired one; of several, the one that holds longest.

    :param today: YYYY-MM-DD; a waiver holds through its last day.
    """
    waived = []
    for finding in findings:
        matching = [rule for rule in rules if rule.matches(finding)]
        if matching:
            rule = max(matching, key=lambda entry: entry.expires)
            finding = replace(finding, waiver=Waiver(rule.reason, rule.expires, rule.where, expired=rule.expires < today))
        waived.append(finding)
    return tuple(waived)


def remarks(findings: t.Sequence[Finding], rules: t.Sequence[Rule], known_ids: t.Container[str]) -> tuple[str, ...]:
    """What the user should know of waivers that waive nothing: a misspelt id hides no finding, but was meant to."""
    notes = []
    for rule in rules:
        if rule.id not in known_ids:
            notes.append(f"{rule.where} waives {rule.id}, and no check has that id.")
        elif not any(rule.matches(finding) for finding in findings):
            notes.append(f"{rule.where} waives {rule.id} on {rule.cluster}, which was not found: the waiver can go.")
    return tuple(notes)
