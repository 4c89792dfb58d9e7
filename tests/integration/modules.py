# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running modules of the collection as processes, without the seconds that ``ansible-playbook`` adds to each."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from tests.integration.clusterset import environment

# Seconds for reading a cluster: on a busy machine nothing must count as unknown because it took long.
PATIENCE = 300

SERVER = Path(__file__).with_name("module_server.py")


class Modules:
    """Runs modules until closed."""

    def __init__(self) -> None:
        variables = {**environment(), "PYTHONPATH": environment()["ANSIBLE_COLLECTIONS_PATH"]}
        self._server = subprocess.Popen([sys.executable, str(SERVER)], env=variables, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @property
    def pid(self) -> int:
        """Of the process whose children the modules are."""
        return self._server.pid

    def run(self, *orders: tuple[str, dict]) -> list[dict]:
        """The results of some modules, run side by side. A traceback, or a failure that is no result, fails the test."""
        results = self.run_until_killed(*orders)
        assert None not in results, f"killed: {orders}"
        return results

    def run_until_killed(self, *orders: tuple[str, dict]) -> list[dict | None]:
        """As :meth:`run`, with None for a module that was killed."""
        self._server.stdin.write(json.dumps(orders) + "\n")
        self._server.stdin.flush()
        results = []
        for (module, arguments), (code, output, errors) in zip(orders, json.loads(self._server.stdout.readline())):
            if code == -signal.SIGKILL:
                results.append(None)
                continue
            said = f"{module} with {str(arguments)[:500]}: exit code {code}\n{output[:2000]}\n{errors[-2000:]}"
            assert "Traceback (most recent call last)" not in output + errors, said
            assert output.lstrip().startswith("{"), said
            result = json.loads(output)
            assert bool(result.get("failed")) == bool(code), said
            results.append(result)
        return results

    def diagnose(self, lab, **options) -> list[dict]:
        """The diagnosis of every cluster of a lab.

        :param options: further arguments of the module.
        """
        return self.run(*(("diagnose", {"kubeconfig": str(each.kubeconfig), "cluster": each.name, "timeout": PATIENCE, **options}) for each in lab.clusters))

    def collect(self, clusters, folder: Path) -> None:
        """A bundle of each of some clusters, in folders of their names."""
        orders = []
        for each in clusters:
            orders.append(("collect", {"kubeconfig": str(each.kubeconfig), "cluster": each.name, "dest": str(folder / each.name), "timeout": PATIENCE}))
        for result in self.run(*orders):
            assert not result.get("failed"), result

    def diagnose_bundles(self, clusters, folder: Path) -> list[dict]:
        """The diagnosis of each of some clusters from the bundles of ``collect``."""
        return self.run(*(("diagnose", {"bundle": str(folder / each.name), "cluster": each.name}) for each in clusters))

    def report(self, diagnoses: list[dict]) -> dict:
        """The verdict on the clusterset."""
        result = self.run(("report", {"clusters": diagnoses}))[0]
        assert not result.get("failed"), result
        return result

    def close(self) -> None:
        self._server.stdin.close()
        self._server.wait(10)
