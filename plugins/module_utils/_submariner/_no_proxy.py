# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What must not go through a proxy once Submariner's components get proxy settings."""

from __future__ import annotations

import typing as t

# The in-cluster API server's names, as client-go and Go's net/http match them (golang.org/x/net/http/httpproxy).
_ALWAYS = ("localhost", "127.0.0.1", ".svc", ".cluster.local", ".clusterset.local")


def complete(given: t.Sequence[str], cluster_cidrs: t.Sequence[str], service_cidrs: t.Sequence[str], api_servers: t.Sequence[str]) -> list[str]:
    """Return the user's no-proxy list followed by what the cluster itself adds to it, without repetition.

    :param given: the user's entries, kept first and in their order.
    :param cluster_cidrs: pod CIDRs of this cluster.
    :param service_cidrs: service CIDRs of this cluster (the operator reaches its API server by a service address).
    :param api_servers: host names or addresses of API servers (this cluster's and the broker's), without port.
    """
    entries = [entry.strip() for entry in (*given, *_ALWAYS, *cluster_cidrs, *service_cidrs, *api_servers)]
    return list(dict.fromkeys(entry for entry in entries if entry))
