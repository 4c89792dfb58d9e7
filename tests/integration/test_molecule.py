# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles as molecule tries them, one scenario each, on one lab and on a few network namespaces as hosts.

Molecule calls a scenario successful that has found no host, or that had nothing to do, so its output is read as well. The everyday run has one scenario of
each kind: a diagnosis, a repair, a host's repair, and a repair that is taken back.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.integration import node_programs
from tests.integration.clusterset import environment
from tests.lab import lab as labs
from tests.netns import host as hosts, standing

pytestmark = pytest.mark.lab

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "extensions/molecule"
SHARED = "default"
PLANTER = "localhost"
MARK = re.compile(r"^\w+ +\[(\w+) > (\w+)\] (Executing|Executed: \w+)", re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
RECAP = re.compile(r"^(\S+) +: ok=(\d+) +changed=(\d+)", re.MULTILINE)
POLL_SECONDS = 0.2
SCENARIO_SECONDS = 500


def settings(scenario: str) -> dict:
    return yaml.safe_load((FOLDER / scenario / "molecule.yml").read_text(encoding="utf-8")) or {}


def sequence(scenario: str) -> list[str]:
    """The steps that a scenario must have gone through."""
    common = yaml.safe_load((FOLDER / "config.yml").read_text(encoding="utf-8"))
    return settings(scenario).get("scenario", common["scenario"])["test_sequence"]


def needed(scenario: str) -> tuple[str, str, str]:
    """By what scenarios are sorted: those that want the same incident, and the same lab awake, come together."""
    variables = settings(scenario).get("ansible", {}).get("env", {})
    return variables.get("LAB_INCIDENT", ""), variables.get("LAB_AWAKE", ""), scenario


def on_hosts(scenario: str) -> bool:
    """Whether it needs network namespaces."""
    return "../hosts.yml" in (FOLDER / scenario / "converge.yml").read_text(encoding="utf-8")


SCENARIOS = sorted({path.parent.name for path in FOLDER.glob("*/molecule.yml")} - {SHARED}, key=needed)
EVERYDAY = {"diagnose", "node_sysctl", "remote_ippools", "rollback"}


class Molecule:
    """``molecule test`` of some scenarios. One that fails ends it, so the others go on in another one, with another lab."""

    def __init__(self, folder: Path, scenarios: list[str]) -> None:
        self._folder = folder / "state"  # which molecule removes when a scenario fails
        self.lab = self._folder / "lab"
        self.hosts = self._folder / "hosts"
        self._left = scenarios
        self._log = folder / "molecule.log"
        self._process: subprocess.Popen | None = None

    def ran(self, scenario: str) -> dict[str, str]:
        """{step: its output} of a scenario, once it is over; what molecule says of the step is the output's last line."""
        deadline = time.monotonic() + SCENARIO_SECONDS
        while True:
            if self._process is None:
                self._start()
            ended = self._process.poll() is not None
            text = self._read()
            found = steps(text)
            begun = [each for each in found if each != SHARED]
            if scenario in (begun if ended else begun[:-1]):
                return found[scenario]
            if ended:
                assert begun, f"molecule ended with {self._process.returncode} before the first scenario:\n{text[-5000:]}"
                self._left = [each for each in self._left if each not in begun]
                self._process = None
            assert time.monotonic() < deadline, f"{scenario} is not over after {SCENARIO_SECONDS} s:\n{text[-5000:]}"
            time.sleep(POLL_SECONDS)

    def over(self) -> dict[str, dict[str, str]]:
        """{scenario: {step: output}} of the last one, once it has ended."""
        assert self._process is not None, "no scenario has run"
        self._process.wait(SCENARIO_SECONDS)
        return steps(self._read())

    def end(self) -> None:
        """Leaves nothing behind, whatever of the scenarios was run."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)  # with the playbook that it runs
            self._process.wait(60)
        standing.down(self.hosts)
        if self.lab.exists():
            labs.stop(self.lab)

    def _read(self) -> str:
        return COLOUR.sub("", self._log.read_text(encoding="utf-8"))

    def _start(self) -> None:
        self._folder.mkdir(exist_ok=True)
        chosen = [argument for each in self._left for argument in ("--scenario-name", each)]
        variables = {**environment(), "MOLECULE_EPHEMERAL_DIRECTORY": str(self._folder), "NO_COLOR": "1"}
        with open(self._log, "w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "molecule", "test", "--no-report", *chosen],
                cwd=ROOT,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


def steps(text: str) -> dict[str, dict[str, str]]:
    """{scenario: {step: output}} of molecule's own, in the order in which they began."""
    found: dict[str, dict[str, str]] = {}
    marks = list(MARK.finditer(text))
    for this, following in zip(marks, [*marks[1:], None]):
        scenario, step, state = this.groups()
        if state == "Executing":
            found.setdefault(scenario, {})[step] = text[this.end() : following.end() if following else len(text)]
    return found


def recap(output: str) -> dict[str, tuple[int, int]]:
    """{host: (tasks that were done, changed)} of all plays of a playbook."""
    return {host: (int(done), int(changed)) for host, done, changed in RECAP.findall(output)}


@pytest.fixture(scope="module")
def hostless():
    """Why there can be no hosts here; empty when there can."""
    return hosts.usable() or node_programs.missing()


@pytest.fixture(scope="module")
def molecule(request, tmp_path_factory, hostless):
    asked = {each.callspec.params["scenario"] for each in request.session.items if each.path == request.path and hasattr(each, "callspec")}
    chosen = [each for each in SCENARIOS if each in asked and not (hostless and on_hosts(each))]
    running = Molecule(tmp_path_factory.mktemp("molecule"), chosen)
    yield running
    running.end()


def test_those_of_every_day_are_there():
    assert set(SCENARIOS) >= EVERYDAY


@pytest.mark.parametrize("scenario", [pytest.param(each, marks=() if each in EVERYDAY else pytest.mark.exhaustive) for each in SCENARIOS])
def test_scenario(molecule, hostless, scenario):
    if hostless and on_hosts(scenario):
        pytest.skip(hostless)
    ran = molecule.ran(scenario)
    for step, output in ran.items():
        assert output.endswith(f"[{scenario} > {step}] Executed: Successful"), output
        assert "no hosts matched" not in output and "Could not match supplied host pattern" not in output, output
        assert "Traceback (most recent call last)" not in output, output
        assert recap(output) and all(done for done, _changed in recap(output).values()), output
    assert list(ran) == sequence(scenario)
    if "idempotence" in ran:
        first, again = recap(ran["converge"]), recap(ran["idempotence"])
        assert again and set(first) - set(again) <= {PLANTER}, ran["idempotence"]
        assert not any(changed for _done, changed in again.values()), ran["idempotence"]


def test_lab_and_hosts_end_with_the_last_scenario(molecule):
    output = molecule.over()[SHARED]["destroy"]
    assert output.endswith(f"[{SHARED} > destroy] Executed: Successful"), output
    assert not molecule.lab.exists() and not molecule.hosts.exists()
