# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts for a tool that runs one program after the other: ``python -m tests.netns.standing up DIR`` returns when they are there, ``down DIR`` ends them.

- ``node`` has udev and NetworkManager of its own, which sets up its card ``eth0`` by connection ``uplink``, and a ``vx-submariner`` as of Submariner's agent.
- ``one`` and ``two`` have a VXLAN device each, as Calico makes it, of whose packets ``two`` drops all.

Each is reached as over SSH by ``DIR/NAME/ssh-root`` in place of OpenSSH's client. A process keeps them, and ends them by itself after a while.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.integration.node_programs import Programs, missing
from tests.netns import shapes
from tests.netns.host import usable
from tests.netns.world import World, remove_left_behind

LIFETIME = 7200.0  # seconds
PATIENCE = 400.0  # seconds; the programs may have to be downloaded
KEEPER = "keeper"
READY = "ready"
FAILED = 3


def build(world: World) -> None:
    node, peer = world.host("node"), world.host("peer")
    world.link(node, "eth0", peer, "eth0")
    Programs(node).network_manager()
    address = ("ipv4.method", "manual", "ipv4.addresses", "10.9.0.1/24", "ipv6.method", "disabled")
    node.run("nmcli", "connection", "add", "type", "ethernet", "ifname", "eth0", "con-name", "uplink", *address)
    node.run("nmcli", "connection", "up", "uplink")
    node.ip("link", "add", "vx-submariner", "type", "vxlan", "id", "100", "dstport", "4800")
    node.address("vx-submariner", "240.0.0.1/8")
    node.write_sysctl("net/ipv4/conf/vx-submariner/rp_filter", 1)
    one, two = world.host("one"), world.host("two")
    world.link(one, "eth0", two, "eth0")
    addresses = {one: ("10.1.0.1", "10.42.1.0/32"), two: ("10.1.0.2", "10.42.2.0/32")}
    for host, (underlay, _inside) in addresses.items():
        host.address("eth0", f"{underlay}/24")
        host.sysctl(net__ipv4__ip_forward=1)
    shapes.mesh(addresses, "vxlan.calico", 4096, 4789, 1450, parent="eth0")
    one.route("10.42.2.0/26", "via", "10.42.2.0", "dev", "vxlan.calico", "onlink")
    two.route("10.42.1.0/26", "via", "10.42.1.0", "dev", "vxlan.calico", "onlink")
    two.nft("table inet site {\n chain input {\n  type filter hook input priority 0;\n  udp dport 4789 drop\n }\n}\n")


def keep(folder: Path) -> None:
    """Until told to end."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), World(folder) as world:
        build(world)
        world.inventory()  # with the programs by which the hosts are reached
        (folder / READY).touch()
        time.sleep(LIFETIME)


def up(folder: Path) -> str:
    """Why the hosts are not there; empty when they are."""
    if (folder / READY).exists():
        return ""
    why = usable() or missing()
    if why:
        return why
    folder.mkdir(parents=True, exist_ok=True)
    log = folder.with_suffix(".log")
    with open(log, "wb") as said:
        command = [sys.executable, "-m", "tests.netns.standing", "keep", str(folder)]
        keeper = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
    folder.with_suffix(".pid").write_text(str(keeper.pid), encoding="utf-8")
    deadline = time.monotonic() + PATIENCE
    while not (folder / READY).exists():
        if keeper.poll() is not None:
            return f"the hosts could not be made:\n{log.read_text(encoding='utf-8')}"
        if time.monotonic() > deadline:
            keeper.terminate()
            return f"the hosts are not there after {PATIENCE:.0f} s; see {log}"
        time.sleep(0.1)
    return ""


def down(folder: Path) -> None:
    """Ends them; nothing to do where there are none."""
    path = folder.with_suffix(".pid")
    deadline = time.monotonic() + PATIENCE
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        keeper = int(path.read_text(encoding="utf-8"))
        os.kill(keeper, signal.SIGTERM)
        while folder.exists() and time.monotonic() < deadline:
            os.kill(keeper, 0)  # one that was killed removes nothing any more
            time.sleep(0.1)
    remove_left_behind()
    shutil.rmtree(folder, ignore_errors=True)
    path.unlink(missing_ok=True)


def main() -> int:
    command, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    if command == "keep":
        keep(folder)
    elif command == "down":
        down(folder)
    else:
        why = up(folder)
        if why:
            print(f"ERROR: {why}", file=sys.stderr)
            return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
