# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The plan file: made from a draft and what each step's module predicted, read back, and refused when it is not what was made.

docs/plan-1.schema.json describes it.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import UNREADABLE
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._remedies import _order as order
from ansible_collections.fathom.submariner.plugins.module_utils._remedies import _signature as signature
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._steps import Cluster, Draft, ForPerson, Step

FORMAT = 1  # grows when a reader of an older one could misread it
SCHEMA = "https://github.com/fathom-ansible/fathom.submariner/blob/main/docs/plan-1.schema.json"
_TYPES: t.Mapping[str, t.Any] = {
    "n": int, "kind": str, "cluster": str, "role": str, "variables": dict, "findings": list, "text": str, "disruptive": bool, "outage": dict, "target": str,
    "predicted": bool, "predicted_after": list, "lines": list, "diff": list, "preconditions": list, "depends_on": list, "digests": dict, "digest": str,
}  # fmt: skip
_PLAN_TYPES: t.Mapping[str, t.Any] = {
    "format": int, "run": str, "created": str, "collection": str, "clusters": list, "steps": list, "needs_a_person": list, "unknown": list, "digests": dict,
    "digest": str, "signature": str,
}  # fmt: skip


class Prediction(t.NamedTuple):
    """What a step's role said in check mode.

    :param failed: why it could not tell, "" where it could. Before an earlier step is done that is to be expected.
    """

    n: int
    changed: bool = False
    lines: tuple[str, ...] = ()
    diff: tuple[t.Mapping[str, t.Any], ...] = ()
    preconditions: tuple[t.Mapping[str, t.Any], ...] = ()
    needs_person: tuple[t.Mapping[str, t.Any], ...] = ()
    disruptive: tuple[str, ...] = ()
    outage: t.Mapping[str, t.Any] | None = None
    failed: str = ""


def drafted(draft: Draft) -> list[dict[str, t.Any]]:
    """The steps of a draft as plain JSON, to be predicted one by one."""
    return [_plain(step) for step in draft.steps]


def make_plan(
    draft: Draft,
    clusters: t.Sequence[Cluster],
    predictions: t.Sequence[Prediction],
    *,
    run: str,
    created: str,
    version: str,
    key: str = "",
    unread: t.Mapping[str, str] | None = None,
) -> dict[str, t.Any]:
    """Return the plan, sealed, and signed where there is a key.

    A step of which its module says that nothing is left to do, or that refuses already now, is left out, unless an earlier step may change that.

    :param unread: why a cluster could not be read, by its name.
    """
    told = {step.n: next((each for each in predictions if each.n == step.n), Prediction(step.n, changed=True)) for step in draft.steps}
    fates = _fates(draft.steps, told)
    numbers = {number: index + 1 for index, number in enumerate(number for number, fate in fates.items() if fate == _KEPT)}
    steps = [signature.sealed(_predicted({**_plain(step), "n": numbers[step.n]}, step, told[step.n], numbers)) for step in draft.steps if step.n in numbers]
    unknown = [cluster for cluster in clusters if not cluster.uid]
    left_out = [ForPerson(each.name, f"{each.name}/{UNREADABLE}", _unread(each, unread or {}), blocked=True) for each in unknown]
    people = [*left_out, *draft.people, *(entry for step in draft.steps for entry in _people(step, told[step.n], fates, numbers))]
    plan = {
        "$schema": SCHEMA,
        "format": FORMAT,
        "run": run,
        "created": created,
        "collection": f"{order.COLLECTION.rstrip('.')} {version}",
        "clusters": [{"name": cluster.name, "uid": cluster.uid, "clusterset": cluster.clusterset} for cluster in clusters],
        "steps": steps,
        "needs_a_person": [entry._asdict() for entry in people],
        "unknown": list(draft.unknown),
    }
    finished = signature.sealed(plan)
    return {**finished, "signature": signature.sign(finished["digest"], key) if key else ""}


def _unread(cluster: Cluster, why: t.Mapping[str, str]) -> str:
    reason = why.get(cluster.name, "")
    return f"It could not be read, so nothing is planned for it{f': {reason}' if reason else '.'}"


def _plain(step: Step) -> dict[str, t.Any]:
    return {
        **asdict(step),
        "outage": step.outage.to_dict(),
        "findings": list(step.findings),
        "depends_on": list(step.depends_on),
        "variables": dict(step.variables),
    }


_KEPT, _IDLE, _BLOCKED = "kept", "idle", "blocked"


def _fates(steps: t.Sequence[Step], told: t.Mapping[int, Prediction]) -> dict[int, str]:
    """What becomes of each drafted step: kept; idle, as there is nothing to do; or blocked, as it, or what it needs, is refused already now.

    A step that comes after others may be refused, or find nothing to do, only because they have not been done yet.
    """
    fates: dict[int, str] = {}
    for step in steps:
        before = [fates[number] for number in step.depends_on]
        prediction = told[step.n]
        if _BLOCKED in before or (prediction.failed and _KEPT not in before):
            fates[step.n] = _BLOCKED
        elif prediction.changed or prediction.failed or prediction.disruptive or _KEPT in before:
            fates[step.n] = _KEPT
        else:
            fates[step.n] = _IDLE
    return fates


def _people(step: Step, prediction: Prediction, fates: t.Mapping[int, str], numbers: t.Mapping[int, int]) -> t.Iterator[ForPerson]:
    finding = next(iter(step.findings), "")
    for entry in prediction.needs_person:
        texts = [str(entry.get(name) or "") for name in ("text", "target", "paste")]
        yield ForPerson(step.cluster, finding, *texts, step=numbers.get(step.n, 0))
    if fates[step.n] == _BLOCKED:
        why = prediction.failed or "what it depends on needs a person first"
        yield ForPerson(step.cluster, finding, f"{step.role} cannot be run: {why}", step.target, blocked=True)
    elif fates[step.n] == _IDLE and step.findings and not prediction.needs_person:
        yield ForPerson(step.cluster, finding, f"{step.role} finds nothing to change, and yet the finding stands: look at its evidence.", step.target)


def _predicted(plain: dict[str, t.Any], step: Step, prediction: Prediction, numbers: t.Mapping[int, int]) -> dict[str, t.Any]:
    needs = [numbers[number] for number in step.depends_on if number in numbers]
    disruptive = step.disruptive or bool(prediction.disruptive)
    return {
        **plain,
        "depends_on": needs,
        "disruptive": disruptive,
        "outage": dict(prediction.outage or plain["outage"]),
        "predicted": not prediction.failed,
        "predicted_after": needs if prediction.failed else [],
        "lines": [prediction.failed] if prediction.failed else list(prediction.lines),
        "diff": list(prediction.diff),
        "preconditions": list(prediction.preconditions),
    }


def read_plan(text: str, where: str, *, key: str = "", version: str = "") -> dict[str, t.Any]:
    """Return the plan of a file.

    :param where: names the file in messages.
    :param key: of the signature; a plan must then be signed with it.
    :param version: of this collection: a plan made by another one may mean something else by the same variables.
    :raises InputError: it is no plan, or one of another format.
    :raises RefusedError: it is not what was made: names the step and the field.
    """
    plan = _parsed(text, where)
    wrong = [
        f"step {step['n']} ({step['role'].rpartition('.')[2]} on {step['cluster']}): {', '.join(names)}"
        for step in plan["steps"]
        for names in [signature.altered(step)]
        if names
    ]
    wrong = wrong or [f"the plan's {name}" + (" (steps were added, removed or reordered)" if name == "steps" else "") for name in signature.altered(plan)]
    if wrong:
        raise RefusedError(f"{where} is not what was planned. Altered: {'; '.join(wrong[:8])}. Nothing was written. Make a new plan.")
    foreign = [
        f"{step['role']} (step {step['n']})"
        for step in plan["steps"]
        if order.kind_of(step["role"], first_rollout=step["kind"] == order.FIRST_ROLLOUT) != step["kind"]
    ]
    if foreign:
        raise RefusedError(f"{where} names roles that are no remedies of this collection: {', '.join(foreign[:8])}. Nothing was written.")
    strange = [
        f"{name} (step {step['n']})" for step in plan["steps"] for name in step["variables"] if not name.startswith(f"{step['role'].rpartition('.')[2]}_")
    ]
    if strange:  # they become facts of the host: ansible_python_interpreter would be one, too
        raise RefusedError(f"{where} sets variables that are not its roles' own: {', '.join(strange[:8])}. Nothing was written.")
    if key and not plan["signature"]:
        raise RefusedError(f"{where} is not signed, and submariner_plan_key is set. Nothing was written. Make the plan with the key.")
    if key and not signature.signed_with(plan["digest"], plan["signature"], key):
        raise RefusedError(
            f"{where}: the signature is not that of this submariner_plan_key: another key, or somebody has altered the plan. Nothing was written."
        )
    if plan["signature"] and not key:
        raise RefusedError(f"{where} is signed, so its signature must be checked: give submariner_plan_key. Nothing was written.")
    made_by = plan["collection"].rpartition(" ")[2]
    if version and made_by != version:
        raise RefusedError(f"{where} was made by version {made_by} of this collection, and this is {version}. Nothing was written. Make a new plan.")
    return plan


def _parsed(text: str, where: str) -> dict[str, t.Any]:
    try:
        plan = json.loads(text)
    except ValueError as error:
        raise InputError(f"{where} is no plan: {error}.") from error
    if not isinstance(plan, dict) or plan.get("format") != FORMAT:
        found = plan.get("format") if isinstance(plan, dict) else None
        raise InputError(f"{where} is no plan that this release reads: its format is {found!r}, not {FORMAT}.")
    problems = _mistyped(plan, _PLAN_TYPES, "")
    for index, step in enumerate(plan.get("steps") if not problems else ()):
        problems += _mistyped(step, _TYPES, f"steps[{index}].") if isinstance(step, dict) else [f"steps[{index}]"]
    if problems:
        raise InputError(f"{where} is no plan: {', '.join(problems[:8])} {'is' if len(problems) == 1 else 'are'} missing or not what it should be.")
    return plan


def _mistyped(record: t.Mapping[str, t.Any], types: t.Mapping[str, t.Any], prefix: str) -> list[str]:
    return [f"{prefix}{name}" for name, kind in types.items() if not isinstance(record.get(name), kind)]


def of_cluster(plan: t.Mapping[str, t.Any], cluster: str) -> list[dict[str, t.Any]]:
    return [step for step in plan["steps"] if step["cluster"] == cluster]


def require_same_cluster(plan: t.Mapping[str, t.Any], cluster: str, uid: str) -> None:
    """
    :raises RefusedError: the plan was made of another cluster of that name, or of other clusters.
    """
    planned = {entry["name"]: entry["uid"] for entry in plan["clusters"]}
    if cluster not in planned:
        raise RefusedError(f"{cluster} is not in this plan, which is of {', '.join(sorted(planned))}. Nothing was written.")
    if planned[cluster] != uid:
        raise RefusedError(
            f"The plan was made of another cluster called {cluster}: Namespace kube-system has uid {uid} here and had {planned[cluster] or 'none'} there. "
            "Nothing was written. Look at kubeconfig and context of the inventory."
        )


def predictions(draft: Draft, told: t.Sequence[t.Mapping[str, t.Any]], baselines: t.Mapping[str, t.Sequence[t.Mapping[str, t.Any]]]) -> list[Prediction]:
    """What the steps' modules returned in check mode, as predictions.

    :param told: mappings with ``n`` and either ``result`` or ``failed``.
    :param baselines: by cluster, preconditions for a step whose module notes none.
    :raises InputError: one is not of that form.
    """
    clusters = {step.n: step.cluster for step in draft.steps}
    found = []
    for entry in told:
        try:
            number, result, failed = int(entry["n"]), dict(entry.get("result") or {}), str(entry.get("failed") or "")
            found.append(
                Prediction(
                    number,
                    changed=bool(result.get("changed")),
                    lines=tuple(map(str, result.get("lines") or ())),
                    diff=tuple(_diffs(result.get("diff"))),
                    preconditions=_preconditions(result, baselines.get(clusters[number]) or ()),
                    needs_person=tuple(result.get("needs_person") or ()),
                    disruptive=tuple(result.get("disruptive") or ()),
                    outage=_outage(result.get("outage")),
                    failed=failed,
                )
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"A prediction is not what a step's role leaves: {error!r}.") from error
    return found


def _preconditions(result: t.Mapping[str, t.Any], baseline: t.Sequence[t.Mapping[str, t.Any]]) -> tuple[t.Mapping[str, t.Any], ...]:
    """What a step was computed from: objects, of which a module that could not tell notes none, and the module's options."""
    told = [dict(each) for each in result.get("preconditions") or ()]
    objects = [each for each in told if "path" in each]
    return (*(objects or baseline), *(each for each in told if "path" not in each))


def _diffs(diff: t.Any) -> t.Iterable[t.Mapping[str, t.Any]]:
    return diff if isinstance(diff, list) else [diff] if diff else []


def _outage(outage: t.Any) -> dict[str, t.Any] | None:
    """A module that knows its cluster tells better than an estimate."""
    return {"seconds": int(outage["seconds"]), "source": f"facts: {outage['source']}"} if isinstance(outage, dict) else None
