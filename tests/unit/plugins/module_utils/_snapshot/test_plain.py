# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The snapshot as users' own checks see it."""

from __future__ import annotations

import json

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    NOT_READ,
    OK,
    Answer,
    Condition,
    FelixConfiguration,
    Ref,
    Snapshot,
    Statistics,
    TigeraStatus,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._plain import to_plain


def test_records_and_answers():
    status = TigeraStatus(Ref("TigeraStatus", "calico"), (Condition("Available", "True"),))
    felix = FelixConfiguration(Ref("FelixConfiguration", "default"), "v1", {"vxlanMTU": 1400, "failsafeInboundHostPorts": [{"port": 22}]})
    snapshot = Snapshot("one", "here", "now", tigera_statuses=Answer(OK, (status,), "GET x"), felix_configurations=Answer(OK, (felix,)))
    plain = to_plain(snapshot)
    assert (plain["cluster"], plain["taken_at"]) == ("one", "now")
    assert plain["tigera_statuses"]["items"][0]["ref"] == {"kind": "TigeraStatus", "name": "calico", "namespace": ""}
    assert plain["tigera_statuses"]["items"][0]["conditions"][0]["type"] == "Available"
    assert plain["tigera_statuses"]["where"] == "GET x"
    assert plain["felix_configurations"]["items"][0]["spec"] == {"vxlanMTU": 1400, "failsafeInboundHostPorts": [{"port": 22}]}


def test_states_and_statistics():
    plain = to_plain(Snapshot("one", "here", "now", nodes=Answer(FORBIDDEN, detail="no"), statistics=Statistics(requests=7)))
    assert (plain["nodes"]["state"], plain["nodes"]["detail"], plain["nodes"]["items"]) == (FORBIDDEN, "no", [])
    assert plain["pods"]["state"] == NOT_READ
    assert plain["statistics"]["requests"] == 7


def test_it_is_json():
    plain = to_plain(Snapshot("one", "here", "now", server_version=Answer(OK, ("v1.34.1",))))
    assert json.loads(json.dumps(plain)) == plain
