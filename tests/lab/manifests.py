# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder server/manifests of an awake cluster's RKE2 servers, whose files stand-in ``deploy-controller`` applies.

::

    manifests.write(cluster, "rke2-calico-config.yaml", text)       # applied within a second, as by a person on a server
    manifests.restart_servers(cluster)                              # every file is applied again, changed or not
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from tests.lab.info import ClusterInfo

FOLDER = "manifests"
RESTARTED = ".restarted"
SOURCE = "/var/lib/rancher/rke2/server/manifests"


def folder(cluster: ClusterInfo) -> Path:
    return cluster.dir / FOLDER


def write(cluster: ClusterInfo, name: str, text: str) -> Path:
    """Writes a file as a whole; its path on this machine."""
    folder(cluster).mkdir(exist_ok=True)
    path = folder(cluster) / name
    scratch = folder(cluster) / f".{name}.tmp"
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)
    return path


def restart_servers(cluster: ClusterInfo) -> None:
    """As ``systemctl restart rke2-server`` on the servers, as far as the deploy controller goes."""
    write(cluster, RESTARTED, str(time.time_ns()))


def restarts(cluster: ClusterInfo) -> str:
    """Tells one life of the servers from another."""
    path = folder(cluster) / RESTARTED
    return path.read_text(encoding="utf-8") if path.exists() else ""


def clear(cluster: ClusterInfo) -> None:
    shutil.rmtree(folder(cluster), ignore_errors=True)
