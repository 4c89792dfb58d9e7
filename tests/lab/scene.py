# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One incident after the other on one lab, from the command line: ``python -m tests.lab.scene DIR INCIDENT [--awake]``.

The lab is one of a layout that was started awake (``python -m tests.lab up --awake``). Whatever was planted in it, and whatever has been done to it since, is
taken back first; the layout's own name plants nothing. It rests afterwards, or with ``--awake`` reacts to what is written. Where the wanted incident is
planted and the administrator has written nothing since, there is nothing to do. Exit codes as those of ``python -m tests.lab``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.lab import audit, awake, changes, incident as incidents
from tests.lab.__main__ import FAILED
from tests.lab.info import LabError, LabInfo

SCENE = "scene.json"


def show(lab: LabInfo, identifier: str, react: bool) -> bool:
    """Plants; whether anything had to be done. Raises LabError, and ``changes.NotRestored`` for a lab that is of no more use."""
    incident = incidents.load(identifier)
    if incident.layout is None or incident.layout.name != lab.layout:
        raise LabError(f"{identifier} is no incident of layout {lab.layout}, which the lab in {lab.dir} has")
    if _is_shown(lab, identifier, react):
        return False
    (lab.dir / SCENE).unlink(missing_ok=True)
    awake.reset(lab)
    if incident.changes:
        changes.apply(lab, incident)
    if react:
        awake.rouse(lab)
    markers = {each.name: audit.marker(each.audit_log) for each in lab.clusters}
    (lab.dir / SCENE).write_text(json.dumps({"incident": identifier, "awake": react, "markers": markers}), encoding="utf-8")
    return True


def _is_shown(lab: LabInfo, identifier: str, react: bool) -> bool:
    try:
        shown = json.loads((lab.dir / SCENE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    untouched = not any(audit.writes(each.audit_log, since=shown["markers"][each.name]) for each in lab.clusters)
    return (shown["incident"], shown["awake"]) == (identifier, react) and untouched


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.scene", description="Plants an incident in place of what is planted.")
    parser.add_argument("dir", type=Path, metavar="DIR", help="the lab's folder")
    parser.add_argument("incident", metavar="INCIDENT", help="an incident of the lab's layout, or the layout's name for health")
    parser.add_argument("--awake", action="store_true", help="let controllers and stand-ins react to what is written from now on")
    options = parser.parse_args(arguments)
    try:
        done = show(LabInfo.load(options.dir), options.incident, options.awake)
    except (LabError, OSError) as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return FAILED
    print(f"{options.incident} {'is' if done else 'was'} planted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
