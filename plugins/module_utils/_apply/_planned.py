# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""With which options of a remedy's module a plan was made: what was reviewed must not become something else by an inventory or an extra variable.

They stand among the preconditions, where objects have a ``path``. Paths on the controller are left out, as they differ from one AWX job to the next,
and so is what says how to connect, how long to wait, and in which run it is.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction import MASK, URL_PASSWORD, redacted_text

Object = t.Dict[str, t.Any]

OPTIONS, REMEDY = "options", "remedy"
_LEFT_OUT = frozenset(("peers", "wait_timeout", "join_timeout", "allow_disruption", "min_healthy_gateways"))


def options_entry(remedy: str, argument_spec: t.Mapping[str, t.Mapping[str, t.Any]], params: t.Mapping[str, t.Any]) -> Object:
    """Return the precondition that says with which options a module ran.

    :param argument_spec: the module's own options, without those of every remedy.
    """
    decisive = [name for name, spec in argument_spec.items() if name not in _LEFT_OUT and spec.get("type") != "path" and not spec.get("no_log")]
    plain = json.dumps({name: params[name] for name in decisive}, sort_keys=True, default=str)
    return {REMEDY: remedy, OPTIONS: json.loads(redacted_text(URL_PASSWORD.sub(MASK, plain)))}


def objects(preconditions: t.Iterable[t.Mapping[str, t.Any]]) -> list[t.Any]:
    """Those of preconditions that are objects of a cluster."""
    return [each for each in preconditions if OPTIONS not in each]


def require_options(cluster: str, preconditions: t.Iterable[t.Mapping[str, t.Any]], now: Object) -> None:
    """
    :param now: :func:`options_entry` of this run.
    :raises RefusedError: a plan was made with other options; names them.
    """
    for planned in (each[OPTIONS] for each in preconditions if each.get(REMEDY) == now[REMEDY] and OPTIONS in each):
        given = now[OPTIONS]
        differing = [name for name in sorted({*planned, *given}) if planned.get(name) != given.get(name)]
        if differing:
            told = "; ".join(f"{name} was {_shown(planned.get(name))} and is {_shown(given.get(name))}" for name in differing[:4])
            raise RefusedError(
                f"{cluster}: {now[REMEDY]} is told something else than when the plan was made: {told}. Nothing was written. "
                "Take back what has changed in the inventory or among the extra variables, or make a new plan."
            )


def _shown(value: t.Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
