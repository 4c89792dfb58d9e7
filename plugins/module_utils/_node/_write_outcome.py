# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a module that changes a node's host did, or in check mode would do."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError


class Outcome:
    """:param allow_disruption: whether the user agreed that traffic may be interrupted; None for what never interrupts it.

    :ivar lines: what was done, or would be, a sentence each.
    :ivar facts: further keys of the module's result.
    """

    def __init__(self, check_mode: bool = False, allow_disruption: bool | None = None) -> None:
        self.check_mode = check_mode
        self.changed = False
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.disruptive: list[str] = []
        self.facts: dict[str, t.Any] = {}
        self._diff: list[dict[str, str]] = []
        self._written: dict[str, str | None] = {}
        self._allowed = allow_disruption

    def differs(self, what: str, before: str, after: str) -> None:
        """Something is changed: a file by its path, or what the kernel holds by a word for it. Nothing is noted where both are the same."""
        if before == after:
            return
        self.changed = True
        self._diff.append({"before_header": what, "after_header": what, "before": before, "after": after})

    def wrote(self, what: str, after: str | None = None) -> None:
        """What differs has been written. To be called after each write, so that a failure of the next one can tell what stays.

        :param after: how it is now, where that is less than what was to be written.
        """
        self._written[what] = after

    def require_consent(self, disruptive: t.Sequence[str]) -> None:
        """Go on only where the user agreed to interrupt traffic. To be called before the first write, with everything that interrupts.

        In check mode a warning says what the real run would refuse.

        :raises RefusedError: there is something, and the user did not agree.
        """
        self.disruptive += disruptive
        if not disruptive or self._allowed:
            return
        message = "this can interrupt traffic, so it needs allow_disruption=true (submariner_allow_disruption for the roles)"
        if not self.check_mode:
            raise RefusedError(f"Refused: {message}. Nothing was written. It would do: {'; '.join(disruptive)}")
        self.warnings.append(f"{message[0].upper()}{message[1:]}; without it, the real run is refused.")

    def result(self) -> dict[str, t.Any]:
        return {"changed": self.changed, "lines": self.lines, "diff": self._diff, **self._told(), **self.facts}

    def result_of_failure(self) -> dict[str, t.Any]:
        """Only what was written before the failure, and has not been put back."""
        diff = []
        for entry in self._diff:
            what = entry["after_header"]
            if what in self._written:
                after = self._written[what]
                diff.append(entry if after is None else {**entry, "after": after})
        lines = [f"{what}: changed before the failure, and left so" for what in self._written]
        return {"changed": bool(self._written), "lines": lines, "diff": diff, **self._told()}

    def _told(self) -> dict[str, t.Any]:
        return {} if self._allowed is None else {"disruptive": self.disruptive}
