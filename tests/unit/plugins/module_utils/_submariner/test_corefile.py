# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Corefiles as clusters have them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._submariner._corefile import parse_corefile

SUBMARINERS = """\
#lighthouse-start AUTO-GENERATED SECTION. DO NOT EDIT
clusterset.local:53 {
    forward . 10.45.77.12
}
#lighthouse-end
.:53 {
    errors
    health {
       lameduck 5s
    }
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
    }
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    import custom/*.override
}
import custom/*.server
"""
NODE_CACHE = """\
cluster.local:53 {
    errors
    cache {
        success 9984 30
    }
    bind 169.254.25.10
    forward . 10.233.0.3 {
        force_tcp
    }
    health 169.254.25.10:9254
}
in-addr.arpa:53, ip6.arpa:53 {
    forward . 10.233.0.3
}
.:53 {
    forward . /etc/resolv.conf
}
"""


def test_what_submariner_writes():
    corefile = parse_corefile(SUBMARINERS)
    assert corefile.targets("clusterset.local") == ("10.45.77.12",)
    assert corefile.targets("supercluster.example") is None
    assert corefile.root_targets == ("/etc/resolv.conf",)
    assert corefile.imports == ("custom/*.override", "custom/*.server")
    assert [block.zones for block in corefile.blocks] == [("clusterset.local",), (".",)]


def test_node_local_cache():
    corefile = parse_corefile(NODE_CACHE)
    assert corefile.targets("clusterset.local") is None
    assert corefile.targets("svc.cluster.local") == ("10.233.0.3",)
    assert [block.zones for block in corefile.blocks][1] == ("in-addr.arpa", "ip6.arpa")


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("local {\n forward . 1.1.1.1\n}\nclusterset.local {\n forward . 2.2.2.2\n}", ("2.2.2.2",)),
        ("dns://clusterset.local.:53 {\n forward . dns://10.0.0.9:5353\n}", ("10.0.0.9",)),
        ("CLUSTERSET.LOCAL { \n forward . [fd00::10]:53 fd00::11\n}", ("fd00::10", "fd00::11")),
        ("a.example clusterset.local {\n forward clusterset.local 3.3.3.3\n}", ("3.3.3.3",)),
        ("clusterset.local {\n errors\n}", ()),
        ("# clusterset.local {\n#  forward . 1.1.1.1\n# }", None),
        ("", None),
    ],
)
def test_forms(text, targets):
    assert parse_corefile(text).targets("clusterset.local") == targets


@given(st.text(alphabet="{}#.:\n abc/", max_size=300))
def test_nonsense_never_raises(text):
    targets = parse_corefile(text).targets("clusterset.local")
    assert targets is None or all("{" not in target and "#" not in target for target in targets)
