# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.benchmarks``: boots a large cluster, measures every contender in turn, writes figures and a plot.

--nodes N      how many nodes (default 5000; there are two agent pods for each)
--mib N        size of the bundle that is read offline, in MiB (default 1024; 0 leaves it out)
--rounds N     how often each contender runs; the best run counts (default 3)
--out DIR      where results.json, results.rst and results.svg go (default reports/benchmarks)
--without ...  contenders to leave out, such as k8s_info or kubectl
--docs         write the figures and the plot into the documentation, too
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import typing as t
from pathlib import Path

from tests.benchmarks import contenders, offline, page, rivals
from tests.benchmarks.cluster import large_cluster
from tests.benchmarks.measure import Cost, Failed, best
from tests.benchmarks.recording import record

DOCS = contenders.ROOT / "docs" / "docsite" / "rst"
ONCE = ("k8s_info", "kubectl")  # they take minutes, and seconds do not count


def main(arguments: t.Sequence[str] | None = None) -> int:
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="fathom-benchmark-") as scratch:
        results: dict[str, t.Any] = {"machine": _machine(), "nodes": options.nodes}
        with large_cluster(Path(scratch) / "lab", options.nodes, _say) as cluster:
            setup = contenders.Setup(cluster, Path(scratch), record(cluster.kubeconfig))
            results["requests"] = len(setup.requests)
            results["online"] = _measure(_online(setup, options.without), options.rounds)
        if options.mib:
            results["mib"] = options.mib
            bundle = offline.write_bundle(Path(scratch) / "bundle.tar", options.mib, _say)
            results["offline"] = _measure({"bundle": lambda: offline.read(bundle)}, options.rounds)
    _write(results, options)
    return 0


def _options(arguments: t.Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=5000)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=contenders.ROOT / "reports" / "benchmarks")
    parser.add_argument("--without", nargs="*", default=[])
    parser.add_argument("--docs", action="store_true")
    return parser.parse_args(arguments)


def _online(setup: contenders.Setup, without: t.Container[str]) -> dict[str, t.Callable[[], Cost]]:
    runs: dict[str, t.Callable[[], Cost]] = {
        "curl": lambda: contenders.curl(setup),
        "curl_parallel": lambda: contenders.curl(setup, contenders.PARALLEL),
        "module": lambda: contenders.module(setup),
        "playbook": lambda: contenders.playbook(setup),
    }
    reason = "left out" if "kubectl" in without else contenders.why_no_kubectl(setup.cluster)
    if reason:
        _say(f"kubectl is not measured: {reason}")
    else:
        runs["kubectl"] = lambda: contenders.kubectl(setup)
    if "k8s_info" not in without:
        collections = rivals.collections(_say)
        runs["k8s_info"] = lambda: contenders.k8s_info(setup, collections)
    return {name: run for name, run in runs.items() if name not in without}


def _measure(runs: t.Mapping[str, t.Callable[[], Cost]], rounds: int) -> dict[str, dict[str, t.Any]]:
    """All contenders in turn, then again, so that a busy moment of the machine does not hit one of them alone."""
    costs: dict[str, list[Cost]] = {name: [] for name in runs}
    for number in range(rounds):
        for name, run in runs.items():
            if number and name in ONCE:
                continue
            cost = run()
            costs[name].append(cost)
            _say(f"round {number + 1}: {name}: {cost.wall:.2f} s, {cost.cpu:.2f} CPU s, {cost.rss:.0f} MiB")
    return {name: {**best(taken).figures(), "runs": len(taken), **_statistics(best(taken))} for name, taken in costs.items()}


def _statistics(cost: Cost) -> dict[str, t.Any]:
    """What the module itself says that reading cost."""
    try:
        result = json.loads(cost.output)
    except ValueError:
        return {}
    return {"statistics": result["statistics"]} if isinstance(result, dict) and "statistics" in result else {}


def _machine() -> dict[str, t.Any]:
    return {"cpus": len(os.sched_getaffinity(0)), "python": platform.python_version(), "load": round(os.getloadavg()[0], 1), "machine": platform.machine()}


def _write(results: dict[str, t.Any], options: argparse.Namespace) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (options.out / "results.svg").write_text(page.plot(results), encoding="utf-8")
    (options.out / "results.rst").write_text(page.tables(results), encoding="utf-8")
    if options.docs:
        (DOCS / "images").mkdir(exist_ok=True)
        shutil.copy(options.out / "results.svg", DOCS / "images" / "benchmarks.svg")
        path = DOCS / "benchmarks.rst"
        path.write_text(page.with_tables(path.read_text(encoding="utf-8"), page.tables(results)), encoding="utf-8")
    print(page.tables(results))
    _say(f"written to {options.out}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as error:
        sys.exit(f"error: {error}")
