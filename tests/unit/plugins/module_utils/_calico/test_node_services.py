# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which devices NetworkManager leaves alone by the specifications of NetworkManager.conf(5); each case is what nm_match_spec_device answers."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import IPIP, VXLAN
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import NodePlan
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_services import judge_network_manager
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NetworkManager, NodeHost

PLAN = NodePlan(tunnels=(VXLAN, IPIP), cable="libreswan")
ALL = {"cali*", "vxlan.calico", "tunl0", "vx-submariner"}


def managed(*specs):
    host = NodeHost("node-1", network_manager=NetworkManager("active", specs))
    return {key for flaw in judge_network_manager(host, PLAN) for key in flaw.keys}


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        ((), ALL),
        (("*",), set()),
        # Exceptions alone mean all but these.
        (("except:interface-name:eth0",), set()),
        (("except:interface-name:eth0", "except:type:ethernet"), set()),
        (("except:interface-name:vx-*",), {"vx-submariner"}),
        (("except:interface-name:eth0", "interface-name:cali*"), ALL - {"cali*"}),
        (("*", "except:type:vxlan"), {"vxlan.calico", "vx-submariner"}),
        # A bare name is no pattern, and behind except: not even a name.
        (("cali*", "tunl0"), ALL - {"tunl0"}),
        (("*", "except:tunl0"), set()),
        (("interface-name:~cali*", "interface-name:=tunl0", "interface-name:=vx*"), {"vxlan.calico", "vx-submariner"}),
        (("driver:veth", "driver:vxlan/0.1"), {"tunl0"}),
        (("driver:ipip", "driver:virtio_net"), ALL - {"tunl0"}),
        (("mac:00:11:22:33:44:55", "", " "), ALL),
    ],
)
def test_specifications(specs, expected):
    assert managed(*specs) == expected
