# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Writing to several clusters in one task: a writer each, so that each has its own lock and its own journal."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._journal import Journal
from ansible_collections.fathom.submariner.plugins.module_utils._apply._lease import Lease
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member, Outcome
from ansible_collections.fathom.submariner.plugins.module_utils._apply._planned import objects
from ansible_collections.fathom.submariner.plugins.module_utils._apply._writer import Object, Writer
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline


class Settings(t.NamedTuple):
    """What the writers of a task have in common.

    :param run: id of the run that the task is part of.
    """

    remedy: str
    run: str
    state_namespace: str
    journal_dir: str | None
    preconditions: t.Sequence[Object]
    check_mode: bool


class Writers:
    """Of one task: ``members`` are those that were given, each with its writer, in their order."""

    def __init__(self, members: t.Sequence[Member], settings: Settings, outcome: Outcome, deadline: Deadline) -> None:
        """
        :param members: the task's own cluster first: a precondition that names none is its.
        :param outcome: its lists are the writers' own, so that an error can still tell what was done before it.
        :raises InputError: two members have the same name, so that their journals could not be told apart.
        """
        names = [member.name for member in members]
        if len(set(names)) < len(names):
            raise InputError(f"Two clusters have the same name: {', '.join(names)}. Nothing was written.")
        self._settings = settings
        self._leases = [Lease(member, settings.state_namespace, settings.run) for member in members]
        self.members: list[Member] = []
        for member, lease in zip(members, self._leases):
            journal = Journal(member, settings.state_namespace, settings.run, settings.journal_dir)
            expected = [each for each in objects(settings.preconditions) if str(each.get("cluster") or names[0]) == member.name]
            writer = Writer(member, settings.remedy, journal, lease, deadline, check_mode=settings.check_mode, expected=expected)
            writer.diff, writer.warnings = outcome.diff, outcome.warnings
            self.members.append(member._replace(writer=writer))

    @property
    def written(self) -> bool:
        """Whether anything was, or in check mode would be, written."""
        return any(member.writer.changed for member in self.members)

    @property
    def preconditions(self) -> list[Object]:
        """Of all writers, each with its cluster's name."""
        return [{**each, "cluster": member.name} for member in self.members for each in member.writer.preconditions]

    def require_preconditions(self) -> None:
        """Look at every object that a plan was made of, before anything is written.

        :raises RefusedError: one has changed since.
        """
        for member in self.members:
            member.writer.require_preconditions(for_good=True)

    def require_kept(self) -> None:
        """Look once more at every object that was created or patched, when all is done.

        :raises SubmarinerError: somebody has put one back meanwhile.
        """
        for member in self.members:
            member.writer.require_kept()

    def leave(self) -> None:
        """Give back the locks that this task has taken; those that its run had before are given back by whoever took them.

        A lock that cannot be given back expires.
        """
        for member, lease in zip(self.members, self._leases):
            if not member.writer.locked:
                continue
            lease.pause()
            if not lease.shared:
                with contextlib.suppress(SubmarinerError):
                    lease.release(Deadline(30.0))
