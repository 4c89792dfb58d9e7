# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What ``nodeSelectorTerms`` of a required node affinity select, as kubernetes component-helpers scheduling/corev1/nodeaffinity decides.

Terms are alternatives; in a term all of ``matchExpressions`` and ``matchFields`` must hold. A term without any selects nothing, and so does one with an
expression that is not well-formed: an API server lets some through that the scheduler and the DaemonSet controller then cannot evaluate.
"""

from __future__ import annotations

import re
import typing as t

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
FIELD = "field"  # key under which an expression of matchFields is marked as one
_NAME = "metadata.name"
_INTEGER = re.compile(r"[+-]?[0-9]+")  # Go's strconv.ParseInt, base 10
_LARGEST = 2**63
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")  # apimachinery pkg/util/validation

Expression = t.Mapping[str, t.Any]


def expressions_of(term: t.Any) -> list[dict[str, t.Any]]:
    """All conditions of a term; those of ``matchFields`` carry the key ``field``."""
    if not isinstance(term, dict):
        return []
    fields = [{**entry, FIELD: True} for entry in term.get("matchFields") or () if isinstance(entry, dict)]
    return [entry for entry in term.get("matchExpressions") or () if isinstance(entry, dict)] + fields


def unmet(terms: t.Any, labels: t.Mapping[str, str], name: str) -> list[dict[str, t.Any]] | None:
    """None where a term selects the node; otherwise the conditions that fail, of all terms (none of a term that has none).

    :param terms: ``nodeSelectorTerms`` as it stands; anything but a list selects nothing.
    :param name: of the node, which ``matchFields`` may ask for.
    """
    failed: list[dict[str, t.Any]] = []
    for term in terms if isinstance(terms, list) else ():
        expressions = expressions_of(term)
        missed = [expression for expression in expressions if not holds(expression, labels, name)]
        if expressions and not missed:
            return None
        failed += missed
    return failed


def holds(expression: Expression, labels: t.Mapping[str, str], name: str) -> bool:
    """NotIn and DoesNotExist hold for an absent label, the others do not. False also where the expression is not well-formed."""
    key, operator = str(expression.get("key", "")), expression.get("operator")
    values = [str(value) for value in expression.get("values") or ()]
    if expression.get(FIELD):
        return _field_holds(operator, values, name if key == _NAME else "")
    found = labels.get(key)
    if operator in ("Exists", "DoesNotExist"):
        return not values and (found is not None) == (operator == "Exists")
    if not values or not all(_LABEL_VALUE.fullmatch(value) for value in values):
        return False
    if operator == "NotIn":
        return found is None or found not in values
    if found is None:
        return False
    if operator in ("Gt", "Lt"):
        mine, bound = integer(found), integer(values[0]) if len(values) == 1 else None
        return mine is not None and bound is not None and (mine > bound if operator == "Gt" else mine < bound)
    return operator == "In" and found in values


def _field_holds(operator: t.Any, values: t.Sequence[str], found: str) -> bool:
    return len(values) == 1 and operator in ("In", "NotIn") and (found == values[0]) == (operator == "In")


def integer(text: str) -> int | None:
    """The number that Go reads in a text, None where it reads none: 64 bits, decimal, no spaces."""
    number = int(text) if _INTEGER.fullmatch(text) else None
    return number if number is not None and -_LARGEST <= number < _LARGEST else None


def words(expression: Expression) -> str:
    """``kubernetes.io/arch In [amd64, arm64]``."""
    values = ", ".join(str(value) for value in expression.get("values") or ())
    return f"{expression.get('key')} {expression.get('operator')}" + (f" [{values}]" if values else "")
