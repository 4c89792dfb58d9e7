# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All hosts of one test, and what connects them."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
import typing as t
from pathlib import Path

import yaml

from tests.integration.clusterset import environment
from tests.netns.host import Host

NAMES = re.compile(r"^fs([0-9]+)-[0-9]+-")
COUNT = itertools.count()
# Stands in for OpenSSH's client: the last argument is the command for the remote shell, as there.
SSH = """#!/bin/sh
for command; do :; done
export HOME={home} USER={user} LOGNAME={user} SHELL=/bin/sh PATH=/usr/sbin:/usr/bin:/sbin:/bin
unset XDG_RUNTIME_DIR PYTHONPATH VIRTUAL_ENV ANSIBLE_COLLECTIONS_PATH
cd "$HOME" || exit 255
exec {argv} /bin/sh -c "$command"
"""
PYTHON = next((path for path in ("/usr/bin/python3", "/usr/local/bin/python3") if os.access(path, os.X_OK)), "python3")


class World:
    """Hosts until ``close``. Names of namespaces hold the id of this process, so that what a killed one left behind can be told and removed."""

    def __init__(self, folder: Path | None = None) -> None:
        """:param folder: for what belongs to the hosts; it is removed with them. None makes one."""
        remove_left_behind()
        self.folder = folder or Path(tempfile.mkdtemp(prefix="netns-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)  # ordinary users come by on their way home
        self.hosts: dict[str, Host] = {}
        self._prefix = f"fs{os.getpid()}-{next(COUNT)}-"

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def host(self, name: str, forwards: bool = False) -> Host:
        """A new host, with its loopback up and nothing else. IPv6 is on, addresses are usable at once, no router is listened to.

        :param forwards: it is a router.
        """
        namespace = f"{self._prefix}{name}"
        subprocess.run(["ip", "netns", "add", namespace], check=True, timeout=60)
        folder = self.folder / name
        folder.mkdir()
        folder.chmod(0o755)
        host = self.hosts[name] = Host(name, namespace, folder)
        host.ip("link", "set", "lo", "up")
        host.sysctl(net__ipv6__conf__default__accept_dad=0, net__ipv6__conf__default__accept_ra=0, net__ipv6__conf__default__router_solicitations=0)
        if forwards:
            host.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1, net__ipv6__conf__default__forwarding=1)
        return host

    def link(self, one: Host, device: str, other: Host, other_device: str, mtu: int = 1500, other_mtu: int | None = None) -> None:
        """A veth pair between two hosts, up.

        :param mtu: of both ends, or of the first when ``other_mtu`` is given.
        """
        subprocess.run(
            ["ip", "link", "add", "name", device, "netns", one.namespace, "mtu", str(mtu)]
            + ["type", "veth", "peer", "name", other_device, "netns", other.namespace, "mtu", str(other_mtu or mtu)],
            check=True,
            timeout=60,
        )
        one.ip("link", "set", device, "up")
        other.ip("link", "set", other_device, "up")

    def bridge(self, host: Host, device: str, *ports: str, mtu: int = 1500) -> None:
        """A bridge of devices of a host: a switch, when the host has no address on it."""
        host.ip("link", "add", device, "mtu", str(mtu), "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
        for port in ports:
            host.ip("link", "set", port, "master", device)
        host.ip("link", "set", device, "up")

    def inventory(self, user: str = "root", **groups: t.Sequence[Host]) -> Path:
        """Writes an inventory in which every host is reached as a user.

        :param groups: further groups by name; ``host.groups`` count as well.
        """
        entries = {}
        for host in self.hosts.values():
            entries[host.name] = {
                "ansible_connection": "ssh",
                "ansible_host": host.namespace,
                "ansible_user": user,
                "ansible_ssh_executable": str(self._ssh(host, user)),
                "ansible_ssh_args": "",
                "ansible_ssh_transfer_method": "piped",
                "ansible_pipelining": True,
                "ansible_python_interpreter": PYTHON,
                "ansible_remote_tmp": str(self._home(host, user) / ".ansible/tmp"),
                **host.variables,
            }
        children: dict[str, t.Any] = {}
        named = {**{group: [] for host in self.hosts.values() for group in host.groups}, **groups}
        for group, members in named.items():
            members = [*members, *(host for host in self.hosts.values() if group in host.groups)]
            children[group] = {"hosts": {host.name: {} for host in members}}
        path = self.folder / f"inventory-{user}.yml"
        path.write_text(yaml.safe_dump({"all": {"hosts": entries, "children": children}}), encoding="utf-8")
        return path

    def _home(self, host: Host, user: str) -> Path:
        home = self.folder / host.name / f"home-{user}"
        if not home.exists():
            home.mkdir(mode=0o700)
            shutil.chown(home, user)
        return home

    def _ssh(self, host: Host, user: str) -> Path:
        home = self._home(host, user)
        path = self.folder / host.name / f"ssh-{user}"
        argv = " ".join(f"'{word}'" for word in host.argv(user=user))
        path.write_text(SSH.format(home=home, user=user, argv=argv), encoding="utf-8")
        path.chmod(0o755)
        return path

    def playbook(
        self, plays: list[dict[str, t.Any]] | str, *arguments: str, user: str = "root", **groups: t.Sequence[Host]
    ) -> subprocess.CompletedProcess[str]:
        """Runs ``ansible-playbook`` over the hosts: of plays as data, or of a playbook by name. Standard output and standard error come in one text."""
        if not isinstance(plays, str):
            path = self.folder / f"play-{next(COUNT)}.yml"
            path.write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
            plays = str(path)
        command = ["ansible-playbook", "-i", str(self.inventory(user, **groups)), plays, *arguments]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=500,
            check=False,
        )

    def close(self) -> None:
        """Ends everything that runs on the hosts, and removes them."""
        for host in self.hosts.values():
            remove(host.namespace)
        self.hosts.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


def remove(namespace: str) -> None:
    """Ends what runs in a namespace of ours, and removes it with its devices."""
    pids = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, timeout=60, check=False).stdout.split()
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    subprocess.run(["ip", "netns", "delete", namespace], stderr=subprocess.DEVNULL, timeout=60, check=False)


def remove_left_behind() -> None:
    """Removes the namespaces of processes that are no more."""
    folder = Path("/run/netns")
    for path in folder.iterdir() if folder.is_dir() else ():
        found = NAMES.match(path.name)
        if found and not Path(f"/proc/{found[1]}").exists():
            remove(path.name)
