# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of the tables of known messages: it matches a line of its kind, and no row hides another."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Pod, Ref
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _signatures as signatures
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures import find, plain_line, writer_of
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures_calico import CALICO_SIGNATURES
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures_submariner import SUBMARINER_SIGNATURES

ALL = (*SUBMARINER_SIGNATURES, *CALICO_SIGNATURES)
REF = Ref("Pod", "any", "submariner-operator")
# Whole lines as the programs write them; what is not here is built from the row's own parts.
LINES = {
    "pools-api-absent": 'ERR ..created.go:44 EventController Error handling created endpoint error="error creating Calico IPPool (is Calico '
    'API server running?): the server could not find the requested resource (post ippools.projectcalico.org)"',
    "pools-api-dead": 'ERR Error handling created endpoint error="error creating Calico IPPool (is Calico API server running?): the server is currently unable '
    'to handle the request (post ippools.projectcalico.org)"',
    "pool-overlap": "IPPool(submariner-cluster-2-10.42.0.0-16) CIDR overlaps with IPPool(submariner-cluster-2-10.42.0.0-24)",
    "cidr-mismatch": "there is a mismatch between the detected and configured CIDRs configured=10.46.0.0/16 detected=10.46.0.0/24",
    "cni-annotation": "Error while annotating the node: error annotating node with CNI interface IP",
    "gateway-public-ip": 'FTL ..gateway/main.go Error creating local endpoint object error="could not determine public IP: Unable to resolve public IP by any"',
    "gateway-unknown-key": 'FTL error="unknown config annotation \\"gateway.submariner.io/udpport\\" on node \\"rke2-1\\""',
    "api-certificate-name": "x509: certificate is valid for calico-api.calico-apiserver.svc, not calico-api.calico-system.svc",
    "api-port-closed": "failing or missing response from https://10.43.1.7:5443/apis/projectcalico.org/v3: Get: dial tcp 10.43.1.7:5443: i/o timeout",
    "api-secret-missing": 'MountVolume.SetUp failed for volume "calico-apiserver-certs" : secret "calico-apiserver-certs" not found',
    "ipset-revision": "ipset v7.11: Kernel and userspace incompatible: settype hash:ip with revision 6 not supported by userspace.",
    "rollout-waits": 'DaemonSet "calico-system/calico-node" is not available (awaiting 1 nodes)',
    "bgp-unknown-peer": "bird: BGP: Unexpected connect from unknown address 240.168.0.7 (port 41223)",
}


def line_of(signature):
    return LINES.get(signature.id, " ... ".join(signature.parts))


@pytest.mark.parametrize("signature", ALL, ids=lambda signature: signature.id)
class TestRow:
    def test_matches_its_line_and_is_not_hidden_by_an_earlier_row(self, signature):
        for writer in signature.writers:
            assert [match.signature.id for match in find(ALL, writer, REF, "log", ["nothing", line_of(signature)])] == [signature.id]

    def test_does_not_match_what_others_write(self, signature):
        assert find([signature], "somebody else", REF, "log", [line_of(signature)]) == []

    def test_tells_cause_remedy_and_source(self, signature):
        assert signature.cause.endswith(".") and signature.remedy.endswith(".") and signature.source
        assert signature.severity in ("info", "warning", "error")

    def test_names_a_check_that_exists(self, signature):
        assert signature.judged_by in {"", *(check.id for check in CHECKS)}


def test_ids_are_unique():
    assert len({signature.id for signature in ALL}) == len(ALL)


def test_both_tables_are_whole():
    assert (len(SUBMARINER_SIGNATURES), len(CALICO_SIGNATURES)) >= (28, 24)


def test_a_wait_is_no_failure():
    line = "INF Waiting for CNI interface discovery: Error discovering the CNI interface: unable to find CNI Interface on the host"
    assert find(ALL, signatures.ROUTE_AGENT, REF, "log", [line]) == []


def test_lines_are_counted_and_the_first_is_kept():
    lines = [f"{second} Ignoring create event for endpoint {second}" for second in range(3)]
    (match,) = find(ALL, signatures.ROUTE_AGENT, REF, "log", lines)
    assert (match.count, match.line) == (3, lines[0])


class TestPlainLine:
    def test_colours_and_control_characters_go(self):
        assert plain_line("\x1b[31mERR\x1b[0m bad\x00\x07 thing\r") == "ERR bad thing"

    def test_long_lines_are_cut(self):
        assert len(plain_line("x" * 5000)) == 200
        assert plain_line("x" * 5000).endswith("...")

    def test_hostile_text_stays_text(self):
        assert plain_line("<script>alert(1)</script> {{ lookup('pipe', 'id') }}") == "<script>alert(1)</script> {{ lookup('pipe', 'id') }}"


@pytest.mark.parametrize(
    ("name", "labels", "writer"),
    [
        ("submariner-routeagent-abcde", {"app": "submariner-routeagent"}, signatures.ROUTE_AGENT),
        ("submariner-operator-6c8d-x", {"name": "submariner-operator"}, signatures.OPERATOR),
        ("submariner-lighthouse-agent-1-2", {}, signatures.LIGHTHOUSE),
        ("calico-node-abcde", {"k8s-app": "calico-node"}, signatures.CALICO_NODE),
        ("tigera-operator-5f4b-x", {}, signatures.TIGERA),
        ("web-1", {}, ""),
    ],
)
def test_writer(name, labels, writer):
    pod = Pod(Ref("Pod", name, "any"), "uid", "node", False, "Running", True, (), labels)
    assert writer_of(pod, name) == writer
