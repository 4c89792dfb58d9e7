# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop that the Submariner stand-ins share: sleep until something watched has changed, then look at everything and act.

Watching instead of polling keeps an idle lab quiet. A step that fails is repeated; the API server may be away for any time.
"""

from __future__ import annotations

import logging
import threading
import typing as t

from tests.lab.client import ApiError, Client, Object

SETTLE_SECONDS = 0.03
RESYNC_SECONDS = 60.0
FIRST_RETRY_SECONDS = 0.25
LAST_RETRY_SECONDS = 5.0
STOP_CHECK_SECONDS = 1.0

Fingerprint = t.Callable[[Object], t.Any]


def whole(obj: Object) -> t.Any:
    """Everything but what changes without meaning: versions, managers and the heartbeats of gateways and agents."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in ("resourceVersion", "managedFields", "annotations")}
    annotations = {key: value for key, value in (obj["metadata"].get("annotations") or {}).items() if key != "update-timestamp"}
    return {**obj, "metadata": {**metadata, "annotations": annotations}}


class Loop:
    """Watches collections, each in a thread, and runs a step in the caller's thread.

    :param name: for the log.
    :param stop: ends the loop and its threads.
    """

    def __init__(self, name: str, stop: threading.Event) -> None:
        self._log = logging.getLogger(f"lab.{name}")
        self._stop = stop
        self._changed = threading.Event()

    def watch(self, client: Client, path: str, fingerprint: Fingerprint = whole, also: threading.Event | None = None) -> None:
        """A change of ``fingerprint`` of any object of the collection, or its coming and going, leads to a step.

        :param also: set as well, before the step, so that it can tell what it was called for.
        """
        events = [self._changed] if also is None else [also, self._changed]
        threading.Thread(target=self._follow, args=(client, path, fingerprint, events), name=f"watch {path}", daemon=True).start()

    def run(self, step: t.Callable[[], float | None]) -> None:
        """Runs ``step`` until stopped. It returns after how many seconds it wants to run again without any change, or None."""
        threading.Thread(target=self._end, name="stop", daemon=True).start()
        failures = 0
        while not self._stop.is_set():
            self._changed.clear()
            try:
                delay = step()
                failures = 0
            except ApiError as error:
                delay = min(FIRST_RETRY_SECONDS * 2**failures, LAST_RETRY_SECONDS)
                failures += 1
                if not (error.conflict or error.unreachable):
                    self._log.warning("%s; trying again in %.1f s", error, delay)
            self._sleep(RESYNC_SECONDS if delay is None else min(delay, RESYNC_SECONDS))

    def _end(self) -> None:
        self._stop.wait()
        self._changed.set()

    def _sleep(self, seconds: float) -> None:
        while seconds > 0 and not self._stop.is_set():
            if self._changed.wait(min(seconds, STOP_CHECK_SECONDS)):
                self._stop.wait(SETTLE_SECONDS)
                return
            seconds -= STOP_CHECK_SECONDS

    def _follow(self, client: Client, path: str, fingerprint: Fingerprint, events: list[threading.Event]) -> None:
        seen: dict[str, t.Any] = {}
        for kind, obj in client.watch(path, self._stop):
            uid = obj["metadata"]["uid"]
            if kind == "DELETED":
                seen.pop(uid, None)
            else:
                now = fingerprint(obj)
                if seen.get(uid) == now:
                    continue
                seen[uid] = now
            for each in events:
                each.set()
