# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins: small loops that behave as components which the lab cannot run for real.

A stand-in is a class in the module of its name (``route-agent`` in ``route_agent.py``)::

    class RouteAgent:
        name = "route-agent"                      # what --without and an incident's stand_ins call it

        def __init__(self, lab_dir: Path, cluster: ClusterInfo, lab: LabInfo) -> None: ...
        def run(self, stop: threading.Event) -> None: ...   # blocks until stop; survives restarts of the API server

One instance a cluster, each in a thread of its own, all in one process (``python -m tests.lab.standins DIR``) that
the lab's supervisor owns. Which run is ``stand_ins`` in ``lab.json``: an incident names them, ``--without``
takes away; the process follows changes of that file. ``run`` may return early to be started again after a second,
as may one that raises: the traceback goes to ``DIR/stand-ins.log``.

A stand-in talks to its cluster as ``cluster.client(name)`` (CN=standin:NAME). What its pods would log it appends to
``cluster.pod_log(namespace, pod, container)``, which ``kubectl logs`` then shows. Waits that production measures in
seconds go through ``lab.scaled(seconds)``.

``subctl`` is a command, not a loop: ``DIR/bin/subctl`` runs ``python -m tests.lab.standins.subctl ARGUMENTS`` with
LAB_DIR in its environment, from any working directory.
"""

from __future__ import annotations

import importlib
import pkgutil
import threading
import typing as t
from pathlib import Path

from tests.lab.info import ClusterInfo, LabInfo

SUBCTL = "subctl"


class StandIn(t.Protocol):
    """What the runner needs of a stand-in."""

    name: str

    def __init__(self, lab_dir: Path, cluster: ClusterInfo, lab: LabInfo) -> None: ...

    def run(self, stop: threading.Event) -> None: ...


def names() -> list[str]:
    """Every stand-in of this package, ``subctl`` too, without importing one."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def load(name: str) -> type[StandIn]:
    """The class of a stand-in. Raises LookupError when its module has none of that name, ImportError when there is no such module."""
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__ and getattr(value, "name", None) == name:
            return value
    raise LookupError(f"{module.__name__} has no class whose name is {name!r}")
