# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large bundle, as ``kubectl cluster-info dump`` writes them, and what reading it costs."""

from __future__ import annotations

import io
import itertools
import json
import sys
import tarfile
import typing as t
from pathlib import Path

from tests.benchmarks import objects
from tests.benchmarks.contenders import MODULE_RUN
from tests.benchmarks.measure import Cost, Failed, run

MIB = 1 << 20
LOG_MIB = 64  # of the largest log
PLURALS = {"Node": "nodes", "Pod": "pods"}


def write_bundle(path: Path, mib: int, say: t.Callable[[str], None]) -> Path:
    """A tar of about so many MiB: every kind of object, other people's pods, and logs. Half of it are pods, an eighth are logs."""
    with tarfile.open(path, "w") as archive:
        nodes = max(3, 2 * mib)
        for number, batch in enumerate(objects.cluster_objects(nodes)):
            for kind, items in itertools.groupby(sorted(batch, key=_kind), _kind):
                _add(archive, f"bundle/{kind}-{number}.json", _list_of(items))
        size, number = archive.offset, 0
        while size < (mib - mib // 8) * MIB:
            _add(archive, f"bundle/other-pods-{number}.json", _list_of(_other_pod(number * 100 + position) for position in range(100)))
            size, number = archive.offset, number + 1
        line = b"2026-11-21T03:04:05.000Z INF ..gent/routeagent_driver.go:101 RouteAgent  Nothing to do for this endpoint, waiting for the next\n"
        _add(archive, f"bundle/logs/{objects.SUBMARINER}/submariner-routeagent-bbbbb/submariner-routeagent.log", line * (max(1, mib // 8) * MIB // len(line)))
    say(f"a bundle of {path.stat().st_size // MIB:,} MiB is written")
    return path


def _kind(obj: objects.Object) -> str:
    return f"{obj['kind'].lower()}.{obj['apiVersion'].replace('/', '.')}"


def _list_of(items: t.Iterable[objects.Object]) -> bytes:
    return json.dumps({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": list(items)}, indent=4).encode()


def _other_pod(number: int) -> objects.Object:
    """Somebody's workload, which no check asks for: as large as an agent."""
    pod = objects.route_agent_pod(number)
    return {**pod, "metadata": {**pod["metadata"], "name": f"web-{number}", "namespace": "shop", "labels": {"app": "web"}}}


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def read(bundle: Path) -> Cost:
    """Module diagnose of the bundle."""
    cost = run([sys.executable, "-c", MODULE_RUN], stdin=json.dumps({"ANSIBLE_MODULE_ARGS": {"bundle": str(bundle), "cluster": "large"}}))
    if not json.loads(cost.output).get("cidrs"):
        raise Failed(f"the module did not diagnose the bundle: {cost.output[:1000]}")
    return cost
