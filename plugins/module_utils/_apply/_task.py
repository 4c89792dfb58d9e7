# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What the module of every remedy is made of: options, connection, lock, journal, and one shape of result."""

from __future__ import annotations

import datetime
import secrets
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._apply._journal import Journal, require_run
from ansible_collections.fathom.submariner.plugins.module_utils._apply._lease import Lease
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member
from ansible_collections.fathom.submariner.plugins.module_utils._apply._planned import objects, options_entry, require_options
from ansible_collections.fathom.submariner.plugins.module_utils._apply._writer import Writer
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._module import declare_secrets, open_connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._options import AUTH_ARGUMENT_SPEC

# Documented in doc_fragments/_remedy.py.
ARGUMENT_SPEC: dict[str, t.Any] = {
    **AUTH_ARGUMENT_SPEC,
    "name": {"type": "str", "default": "this cluster"},
    "allow_disruption": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 600},
    "run": {"type": "str"},
    "journal_dir": {"type": "path"},
    "state_namespace": {"type": "str", "default": "kube-system"},
    "preconditions": {"type": "list", "elements": "dict", "default": []},
}


_LOOK = 10.0  # seconds for a last look at what was written before a failure is told


class Person(t.NamedTuple):
    """A change that must be made where we may not write: a Helm value in git, a Kubespray variable, a setting of IBM's."""

    text: str  # why, and what to do
    target: str  # where: "inventory variable calico_mtu", "values of Helm release calico"
    paste: str = ""  # ready to paste there


class Task:
    """One call of a remedy's module: its options, the way to its cluster, and what it says.

    :ivar peers: the other clusters that the module's option ``peers`` names, to be asked and not written to.
    :ivar lines: what was done, or in check mode would be, a sentence each.
    :ivar people: what needs a person.
    :ivar disruptive: lines whose carrying out interrupts traffic; not empty without consent means that nothing may be written.
    :ivar facts: further keys of the module's result.
    """

    def __init__(
        self, params: t.Mapping[str, t.Any], member: Member, writer: Writer, deadline: Deadline, *, check_mode: bool, peers: t.Sequence[Member] = ()
    ) -> None:
        self.params = params
        self.member = member
        self.peers = peers
        self.writer = writer
        self.deadline = deadline
        self.check_mode = check_mode
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.people: list[Person] = []
        self.disruptive: list[str] = []
        self.facts: dict[str, t.Any] = {}

    def require_consent(self, disruptive: t.Sequence[str]) -> None:
        """Go on only where the user agreed to interrupt traffic. To be called before the first write, with everything that interrupts.

        In check mode a warning says what the real run would refuse.

        :raises RefusedError: there is something, and the user did not agree.
        """
        self.disruptive += disruptive
        if not disruptive or self.params["allow_disruption"]:
            return
        message = f"{self.member.name}: this interrupts traffic, so it needs allow_disruption=true (submariner_allow_disruption in the playbooks)"
        if not self.check_mode:
            raise RefusedError(f"{message}. Nothing was written. It would do: {'; '.join(disruptive)}")
        self.warnings.append(f"{message}; without it, the real run is refused.")


def run_remedy(remedy: str, argument_spec: t.Mapping[str, t.Any], perform: t.Callable[[Task], None], **rules: t.Any) -> None:
    """Be the ``main`` of a remedy's module: never returns, never shows a traceback for what a user can cause.

    :param remedy: the module's name, for the journal.
    :param argument_spec: the module's own options, beside ARGUMENT_SPEC.
    :param perform: does it; raises SubmarinerError.
    :param rules: of AnsibleModule: required_if, mutually_exclusive...
    """
    module = AnsibleModule(argument_spec={**ARGUMENT_SPEC, **argument_spec}, supports_check_mode=True, **rules)
    params = module.params
    task: Task | None = None
    lease: Lease | None = None
    run = ""
    options = options_entry(remedy, argument_spec, params)
    try:
        for connection in (params, *(params.get("peers") or ())):
            declare_secrets(module, connection)
        run = require_run(params["run"] or new_run())
        require_options(params["name"], params["preconditions"], options)
        member = Member(params["name"], open_connection(module, params))
        peers = [Member(peer["name"], open_connection(module, peer)) for peer in params.get("peers") or ()]
        deadline = Deadline(params["wait_timeout"])
        lease = Lease(member, params["state_namespace"], run)
        journal = Journal(member, params["state_namespace"], run, params["journal_dir"])
        writer = Writer(member, remedy, journal, lease, deadline, check_mode=module.check_mode, expected=objects(params["preconditions"]))
        task = Task(params, member, writer, deadline, check_mode=module.check_mode, peers=peers)
        writer.require_preconditions()
        perform(task)
        writer.require_kept()
        _leave(task, lease)
    except SubmarinerError as error:
        told = _result(task, run, options) if task else {}
        if module.check_mode:  # a plan notes it also of a step that cannot be predicted yet
            told = {"preconditions": [options], **told}
        if task and lease:
            _try_to_leave(task, lease)
            _warn(module, task)
        module.fail_json(msg=_with_what_was_written(error.message, task, run), **{**told, **error.details})
    _warn(module, task)
    module.exit_json(**_result(task, run, options))


def new_run() -> str:
    """Return an id for a run: sorts by time, unlike any other."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def _result(task: Task, run: str, options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {
        "changed": task.writer.changed,
        "lines": task.lines,
        "needs_person": [person._asdict() for person in task.people],
        "disruptive": task.disruptive,
        "diff": task.writer.diff,
        "preconditions": [*task.writer.preconditions, options] if task.check_mode else [],
        "run": run if task.writer.changed and not task.check_mode else "",
        **task.facts,
    }


def _with_what_was_written(message: str, task: Task | None, run: str) -> str:
    """A failure never leaves a change behind without a word of it, and of the way back."""
    if task is None or task.check_mode or not task.writer.changed:
        return message
    try:
        message = f"{message} {task.writer.put_back(Deadline(_LOOK))}".rstrip()
    except SubmarinerError:
        pass  # the error that is being told matters more
    done = f"Written until then: {'; '.join(line.rstrip('.') for line in task.lines)}. " if task.lines else "Something was written until then. "
    return f"{message} {done}fathom.submariner.rollback -e submariner_run={run} puts back what can be put back."


def _warn(module: AnsibleModule, task: Task) -> None:
    for warning in (*task.warnings, *task.writer.warnings):
        module.warn(warning)


def _leave(task: Task, lease: Lease) -> None:
    """A lock that the run had before this task is kept for the next one; one that this task has taken is given back."""
    if not task.writer.locked:
        return
    if lease.shared:
        lease.pause()
    else:
        lease.release(Deadline(30.0))


def _try_to_leave(task: Task, lease: Lease) -> None:
    try:
        _leave(task, lease)
    except SubmarinerError as error:
        lease.pause()
        task.warnings.append(f"The lock is not given back and expires by itself: {error.message}")  # the error that is being told matters more
