# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.lab up|plant|status|down --dir DIR``. Exit codes: 0 done, 1 a component is dead (status), 2 wrong usage, 3 it could not be done."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from tests.lab import incident as incidents, lab as labs, planting, specs, standins, status
from tests.lab.info import LabError, LabInfo

FAILED = 3


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    # As Ctrl-C: unwinds, and the supervisor cleans up.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return {"up": _up, "plant": _plant, "status": _status, "down": _down}[options.command](options)
    except (LabError, OSError) as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted; nothing is left behind", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    description = "Real Kubernetes control planes on loopback, in which incidents can be planted."
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=description)
    commands = parser.add_subparsers(dest="command", required=True, metavar="up|plant|status|down")
    up = commands.add_parser("up", help="boot clusters; returns when all is ready")
    up.add_argument("--clusters", type=int, metavar="N", help="how many (default: 2, or the incident's)")
    up.add_argument("--incident", metavar="ID", help="boot the clusters of this incident and plant it; the name of a layout stands for that one in health")
    up.add_argument("--without", nargs="+", action="extend", default=[], metavar="STAND-IN", help=f"do not run these ({', '.join(standins.names())})")
    up.add_argument("--ttl", type=float, metavar="SECONDS", help="end by itself after so long (default: never)")
    up.add_argument("--kubernetes-version", metavar="VERSION", help=f"what the API servers report (default: {specs.DEFAULT_KUBERNETES}, or the incident's)")
    up.add_argument("--submariner-version", metavar="VERSION", help=f"what the stand-ins play (default: {specs.DEFAULT_SUBMARINER}, or the incident's)")
    up.add_argument("--awake", action="store_true", help="of a layout: let controllers and stand-ins react to what is changed")
    scale = "how much of a real wait a stand-in waits (default: %(default)s)"
    up.add_argument("--time-scale", type=float, default=labs.TIME_SCALE, metavar="FACTOR", help=scale)
    plant = commands.add_parser("plant", help="plant an incident in a running lab")
    plant.add_argument("--incident", required=True, metavar="ID")
    state = commands.add_parser("status", help="what runs, what died and its last words")
    down = commands.add_parser("down", help="end a lab; its logs and audit logs stay")
    for each in (up, plant, state, down):
        each.add_argument("--dir", required=True, type=Path, metavar="DIR", help="the lab's folder")
    return parser


def _up(options: argparse.Namespace) -> int:
    began = time.monotonic()
    incident = incidents.load(options.incident) if options.incident else None
    lab = labs.start(
        labs.Options(
            dir=options.dir,
            clusters=options.clusters,
            incident=incident,
            without=tuple(options.without),
            ttl=options.ttl,
            kubernetes_version=options.kubernetes_version,
            submariner_version=options.submariner_version,
            time_scale=options.time_scale,
            awake=options.awake,
        ),
        _say,
    )
    try:
        info = planting.plant(lab.info, incident, _say) if incident else lab.info
        lab.keep()
    except KeyboardInterrupt:
        lab.abandon()
        raise
    except BaseException:
        lab.stop()
        raise
    _print_where(info, time.monotonic() - began)
    return 0


def _plant(options: argparse.Namespace) -> int:
    planting.plant(status.running(options.dir), incidents.load(options.incident), _say)
    return 0


def _status(options: argparse.Namespace) -> int:
    text, healthy = status.describe(options.dir)
    print(text)
    return 0 if healthy else 1


def _down(options: argparse.Namespace) -> int:
    directory = options.dir.resolve()
    was_running = labs.stop(directory)
    print(f"ended the lab in {directory}" if was_running else f"the lab in {directory} had ended already; removed what it left")
    return 0


def _print_where(lab: LabInfo, seconds: float) -> None:
    lines = [f"{len(lab.clusters)} clusters are ready after {seconds:.1f} s" + (f", incident {lab.incident} is planted" if lab.incident else "")]
    lines += [f"  {each.name}  {each.kubernetes_version}  pods {each.pod_cidr}  services {each.service_cidr}  {each.kubeconfig}" for each in lab.clusters]
    lines += [f"  inventory  {lab.inventory}", f"  end it     python -m tests.lab down --dir {lab.dir}"]
    if lab.expires is not None:
        lines.append(f"  ends by itself at {time.strftime('%H:%M:%S', time.localtime(lab.expires))}")
    print("\n".join(lines))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
