# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""subctl is played by shell scripts that misbehave as the real one can."""

from __future__ import annotations

import os
import time

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._apply._subctl import Subctl, known_to, require_version
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError

SECRET = "CANARY-TOKEN"


@pytest.fixture
def program(tmp_path):
    def make(script):
        path = tmp_path / "subctl"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return Subctl(str(path), [SECRET])

    return make


def test_an_absent_program_is_named_with_where_it_was_looked_for(tmp_path):
    with pytest.raises(InputError, match=r"'no-such-subctl' is neither an executable file nor a program on PATH"):
        Subctl("no-such-subctl")
    (tmp_path / "subctl").write_text("not executable")
    with pytest.raises(InputError, match="was not found"):
        Subctl(str(tmp_path / "subctl"))


@pytest.mark.parametrize("printed, version", [("subctl version: v0.19.0-rc3", "0.19.0-rc3"), ("subctl version: 0.16.3", "0.16.3"), ("subctl version: devel", "")])
def test_the_version_is_read(program, printed, version):
    assert program(f"echo '{printed}'").version() == version


def test_a_program_of_another_machine_is_told_as_such(program):
    subctl = program("")
    with open(subctl.path, "wb") as file:
        file.write(b"\x7fELF\x02garbage")
    with pytest.raises(SubmarinerError, match="cannot be started|failed with exit code"):
        subctl.version()


@pytest.mark.parametrize(
    "script, expected",
    [
        ("echo 'unknown flag: --enable-natt' >&2; exit 1", "does not know an option"),
        ("echo 'panic: runtime error: index out of range [1]'; echo 'goroutine 1'; exit 2", "Go panic"),
        ("echo ' ✗ Cluster IDs must be unique'; exit 1", "another member has the id"),
        ("echo 'Error collecting CIDR: EOF'; exit 1", "Give cluster_cidr and service_cidr"),
        ("echo 'Error getting gateway node: EOF'; exit 1", "Give gateway_nodes"),
        ("echo 'the subctl version 0.16.0 is older than the deployed Submariner version 0.18.1'; exit 1", "older than the Submariner that runs"),
        ("echo 'Unable to retrieve ClustersetIP information: configmaps not found'; exit 1", "Use the subctl of the broker's release"),
        ("echo 'error awaiting Deployment ready: context deadline exceeded'; exit 1", "did not become Available"),
        ("echo ' ✗ Error retrieving broker admin config: Unauthorized'; exit 1", "broker does not accept the token of broker_info"),
        ("echo 'Unable to get Deployment: Unauthorized'; exit 1", "this cluster's kubeconfig have expired"),
        ("echo 'dial tcp: lookup broker.example: no such host'; exit 1", "could not reach an API server"),
        ("echo 'tls: x509: certificate has expired or is not yet valid'; exit 1", "clock of this host"),
        ("echo 'Unable to discover network details: nodes is forbidden'; echo 'dial tcp 10.0.0.1:6443: i/o timeout'; exit 1", "could not reach"),
        ("printf '\\377\\376 nothing known'; exit 7", "exit code 7"),
    ],
)
def test_each_failure_has_its_own_message(program, script, expected):
    subctl = program(script)
    with pytest.raises(SubmarinerError, match=expected):
        subctl.join([subctl.path, "join"], 10)


@pytest.fixture
def somebody_at_the_terminal():
    """Standard input of this process holds an answer."""
    reading, writing = os.pipe()
    os.write(writing, b"yes\n")
    kept = os.dup(0)
    os.dup2(reading, 0)
    yield
    os.dup2(kept, 0)
    for handle in (reading, writing, kept):
        os.close(handle)


@pytest.mark.usefixtures("somebody_at_the_terminal")
def test_it_cannot_ask(program):
    subctl = program('read answer && exit 0; echo "EOF on stdin"; exit 1')
    with pytest.raises(SubmarinerError, match="EOF on stdin"):
        subctl.join([subctl.path, "join"], 10)


def test_a_hang_is_ended_with_all_that_it_started(program, tmp_path):
    subctl = program(f"echo before; sleep 60 & echo $! > {tmp_path}/child; wait")
    started = time.monotonic()
    with pytest.raises(SubmarinerError, match="(?s)did not end within 1 s and was killed.*before"):
        subctl.join([subctl.path, "join"], 1)
    assert time.monotonic() - started < 30
    child = int((tmp_path / "child").read_text())
    for dummy in range(50):
        try:
            with open(f"/proc/{child}/stat", encoding="ascii") as file:
                gone = file.read().rsplit(") ", 1)[1].startswith("Z")
        except FileNotFoundError:
            gone = True
        if gone:
            break
        time.sleep(0.1)
    assert gone


def test_variables_are_added_to_those_of_this_process(program, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    assert program('echo "$KUBECONFIG $HTTPS_PROXY"').join(["sh", "-c", 'echo "$KUBECONFIG $HTTPS_PROXY"'], 10, {"KUBECONFIG": "/a:/b"}) == "/a:/b http://proxy"


def test_secrets_and_colours_never_reach_a_message(program):
    subctl = program(f"printf '\\033[31mtoken {SECRET}\\033[0m'; exit 1")
    with pytest.raises(SubmarinerError) as caught:
        subctl.join([subctl.path, "join", f"--token={SECRET}"], 10)
    assert SECRET not in caught.value.message
    assert "\x1b" not in caught.value.message
    assert "token ********" in caught.value.message


def test_huge_output_is_cut_at_the_front(program):
    subctl = program("head -c 100000 /dev/zero | tr '\\0' x; echo THE-REASON; exit 1")
    with pytest.raises(SubmarinerError) as caught:
        subctl.join([subctl.path, "join"], 10)
    assert "THE-REASON" in caught.value.message
    assert len(caught.value.message) < 6000


def test_versions_are_compared_before_anything_runs():
    require_version("0.18.1", "0.18.1", {"https_proxy": "http://p"})
    require_version("", "0.21.0", {"https_proxy": "http://p"})
    with pytest.raises(InputError, match="subctl is 0.16.3, older than the deployed Submariner 0.18.1"):
        require_version("0.16.3", "0.18.1", {})
    with pytest.raises(InputError, match="Option https_proxy needs subctl 0.18.0 or newer"):
        require_version("0.16.3", "", {"https_proxy": "http://p", "natt": False})


def test_carried_over_options_that_this_subctl_has_not_are_dropped():
    assert known_to("0.16.3", {"natt": True, "clusterset_ip_cidr": "243.0.0.0/20"}) == {"natt": True}
    assert known_to("0.19.0", {"clusterset_ip_cidr": "243.0.0.0/20"}) == {"clusterset_ip_cidr": "243.0.0.0/20"}
