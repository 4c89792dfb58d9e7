# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One namespace as a host."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import typing as t
from pathlib import Path

from tests.integration.clusterset import environment

PATIENCE = 120.0  # seconds for one program
RUN_MODULE = Path(__file__).with_name("run_module.py")


class Host:
    """Made by ``World.host``.

    :ivar name: in the test, and in Ansible's inventory.
    :ivar namespace: its unique name on this machine.
    :ivar variables: further variables of Ansible for this host.
    :ivar groups: groups of the inventory it is in.
    """

    def __init__(self, name: str, namespace: str, folder: Path) -> None:
        self.name = name
        self.namespace = namespace
        self.variables: dict[str, t.Any] = {}
        self.groups: list[str] = []
        self._folder = folder
        self._own: list[Path] = []

    def own(self, *paths: str) -> None:
        """Folders of the machine that this host has of its own from now on, empty. They must exist on the machine."""
        for path in paths:
            if not Path(path).is_dir():
                raise NotADirectoryError(f"{path} must be a folder of this machine, to be mounted over")
            self.folder(path).mkdir(parents=True, exist_ok=True)
            self._own.append(Path(path))

    def folder(self, path: str) -> Path:
        """Where the contents of an own folder lie."""
        return self._folder / "own" / path.lstrip("/")

    def argv(self, *command: str, user: str | None = None) -> list[str]:
        """The command line that runs a command on this host.

        :param user: name of a user of the machine; None runs it as root.
        """
        mounts = "".join(f"mount --bind {shlex.quote(str(self.folder(str(path))))} {shlex.quote(str(path))} && " for path in self._own)
        change = ("setpriv", f"--reuid={user}", f"--regid={user_group(user)}", "--clear-groups") if user not in (None, "root") else ()
        enter = ["ip", "netns", "exec", self.namespace]
        return [*enter, "sh", "-c", f'{mounts}exec "$@"', "sh", *change, *command] if mounts else [*enter, *change, *command]

    def run(self, *command: str, user: str | None = None, check: bool = True, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a program to its end.

        :param check: fail the test when its exit code is not 0.
        :param text: its standard input.
        """
        argv = self.argv(*command, user=user)
        done = subprocess.run(argv, input=text or "", capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert not check or done.returncode == 0, f"{self.name}: {shlex.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def start(self, *command: str, user: str | None = None) -> subprocess.Popen[str]:
        """Starts a program that goes on; it ends with the world at the latest."""
        return subprocess.Popen(
            self.argv(*command, user=user), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )

    def json(self, *command: str) -> t.Any:
        """What a program such as ``ip -j`` prints."""
        return json.loads(self.run(*command).stdout or "[]")

    def ip(self, *arguments: str) -> None:
        self.run("ip", *arguments)

    def address(self, device: str, *addresses: str) -> None:
        """Gives a device addresses, and brings it up. IPv6 ones need no duplicate address detection: there is none to wait for."""
        for address in addresses:
            self.ip("address", "add", address, "dev", device, *(["nodad"] if ":" in address else []))
        self.ip("link", "set", device, "up")

    def route(self, *arguments: str) -> None:
        family = ["-6"] if any(":" in argument for argument in arguments[:1]) else []
        self.ip(*family, "route", "replace", *arguments)

    def sysctl(self, **values: t.Any) -> None:
        """Sets parameters; in names two underscores stand for a dot: ``sysctl(net__ipv4__ip_forward=1)``. A dot in a device's name needs ``write_sysctl``."""
        for name, value in values.items():
            self.write_sysctl("/".join(name.split("__")), value)

    def write_sysctl(self, path: str, value: t.Any) -> None:
        """:param path: below /proc/sys, such as ``net/ipv4/conf/vxlan.calico/rp_filter``."""
        self.run("sh", "-c", 'printf %s "$1" > "/proc/sys/$2"', "sh", str(value), path)

    def read_sysctl(self, path: str) -> str:
        return self.run("cat", f"/proc/sys/{path}").stdout.strip()

    def nft(self, rules: str) -> None:
        """Adds nftables rules, in nft's own language."""
        self.run("nft", "-f", "-", text=rules)

    def offload(self, device: str, **features: bool) -> None:
        """Switches offload features by ethtool's short names: ``offload("eth0", tx=False, tso=False)``."""
        words = [word for name, on in features.items() for word in (name.replace("_", "-"), "on" if on else "off")]
        self.run("ethtool", "-K", device, *words)

    def counters(self, device: str) -> dict[str, int]:
        """``{"rx_packets": ..., "rx_bytes": ..., "tx_packets": ..., "tx_bytes": ...}`` of a device."""
        stats = self.json("ip", "-j", "-s", "link", "show", device)[0]["stats64"]
        return {f"{way}_{what}": stats[way][what] for way in ("rx", "tx") for what in ("packets", "bytes")}

    def nft_counter(self, table: str, name: str) -> dict[str, int]:
        """``{"packets": ..., "bytes": ...}`` of a named counter; ``table`` with its family, such as ``inet probes``."""
        listed = self.json("nft", "-j", "list", "counter", *table.split(), name)["nftables"]
        counter = next(each["counter"] for each in listed if "counter" in each)
        return {"packets": counter["packets"], "bytes": counter["bytes"]}

    def module(self, name: str, arguments: dict[str, t.Any], user: str | None = None, check_mode: bool = False) -> dict[str, t.Any]:
        """The result of a module of this collection, which runs on this host. A traceback fails the test."""
        order = json.dumps({"module": name, "user": user, "arguments": {**arguments, "_ansible_check_mode": check_mode}})
        variables = environment()
        done = subprocess.run(
            self.argv(sys.executable, str(RUN_MODULE)),
            input=order,
            env={**variables, "PYTHONPATH": variables["ANSIBLE_COLLECTIONS_PATH"]},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            cwd="/",
            check=False,
        )
        assert "Traceback (most recent call last)" not in done.stdout + done.stderr, f"{self.name}: {name}: {done.stdout}\n{done.stderr}"
        assert done.stdout.lstrip().startswith("{"), f"{self.name}: {name}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)


def user_group(user: str) -> int:
    import pwd  # pylint: disable=import-outside-toplevel  # not there on every system that collects the tests

    return pwd.getpwnam(user).pw_gid


def usable() -> str:
    """Why hosts cannot be made here; empty when they can."""
    if os.name != "posix" or os.geteuid() != 0:
        return "network namespaces need root"
    for program in ("ip", "nft", "ethtool", "setpriv"):
        if not any(os.access(Path(folder) / program, os.X_OK) for folder in os.environ.get("PATH", "").split(":")):
            return f"program {program} is missing (packages iproute2, nftables, ethtool, util-linux)"
    return ""
