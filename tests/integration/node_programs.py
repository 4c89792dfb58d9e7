# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkManager, systemd-networkd, udev, netplan and OpenSSH's server as they are, in a namespace of their own.

They come from Debian's or Ubuntu's packages, unpacked below ``.lab`` and not installed: nothing of the machine is upgraded, and no daemon starts on it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
import typing as t
from pathlib import Path

from tests.netns.host import Host

UNPACKED = Path(__file__).resolve().parents[2] / ".lab" / "node-programs"
PACKAGES = (
    *(
        "udev",
        "libudev1",
        "kmod",
        "libkmod2",
        "systemd",
        "libsystemd-shared",
        "netplan.io",
        "libnetplan0",
        "network-manager",
        "libnm0",
        "libndp0",
        "libmm-glib0",
    ),
    *("libteamdctl0", "libbluetooth3", "libnewt0.52", "libpsl5", "libcurl3-gnutls", "openssh-server", "libwrap0"),
)
PATIENCE = 180.0  # seconds


def unpacked() -> Path:
    """The folder with the programs, filled the first time, by one process at a time."""
    if not (UNPACKED / "complete").exists():
        UNPACKED.parent.mkdir(exist_ok=True)
        with open(UNPACKED.with_suffix(".lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (UNPACKED / "complete").exists():
                _fill()
    return UNPACKED


def _fill() -> None:
    shutil.rmtree(UNPACKED, ignore_errors=True)
    debs = UNPACKED / "debs"
    debs.mkdir(parents=True)
    subprocess.run(["apt-get", "update", "-q"], check=False, timeout=300, capture_output=True)
    known = [name for name in PACKAGES if subprocess.run(["apt-cache", "show", name], capture_output=True, check=False, timeout=60).returncode == 0]
    subprocess.run(["apt-get", "download", "-q", *known], cwd=debs, check=True, timeout=300, capture_output=True)
    for deb in sorted(debs.glob("*.deb")):
        subprocess.run(["dpkg", "-x", str(deb), str(UNPACKED)], check=True, timeout=60)
    shutil.rmtree(debs)
    (UNPACKED / "complete").touch()


def missing() -> str:
    """Why these programs cannot be had here; empty when they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not all(shutil.which(name) for name in ("apt-get", "apt-cache", "dpkg", "dbus-daemon")):
        return "the programs come from Debian's packages, and package dbus must be installed"
    try:
        unpacked()
    except (OSError, subprocess.SubprocessError) as error:
        return f"the packages cannot be had: {error}"
    return ""


def environment_of(root: Path) -> tuple[str, ...]:
    """What stands before a command that runs one of the programs."""
    libraries = ":".join(str(path) for path in sorted({path.parent for path in root.rglob("*.so*")}))
    return ("env", f"LD_LIBRARY_PATH={libraries}", "LC_ALL=C")


def until(done: t.Callable[[], bool], what: str, told: t.Callable[[], str] = str) -> None:
    """Wait for something that takes as long as it takes.

    :param told: what helps to see why it has not come.
    """
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, f"{what}: not within {PATIENCE:g} seconds\n{told()}"
        time.sleep(0.1)


class Programs:
    """The programs on one host, which gets ``/etc``, ``/run``, ``/var/lib`` and ``/usr/local/sbin`` of its own."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._root = unpacked()
        self._environment = environment_of(self._root)
        for path in ("/etc", "/run", "/var/lib", "/usr/local/sbin"):
            host.own(path)
        shutil.copytree("/etc", host.folder("/etc"), symlinks=True, dirs_exist_ok=True)
        for folder in ("netplan", "systemd/network", "udev/rules.d", "sysctl.d"):
            shutil.rmtree(self.etc(folder), ignore_errors=True)
            self.etc(folder).mkdir(parents=True)

    def etc(self, path: str) -> Path:
        return self.host.folder("/etc") / path

    def run_folder(self, path: str) -> Path:
        return self.host.folder("/run") / path

    def offer(self, name: str, *paths: str) -> str:
        """Make a program one that modules find. :return: its path on the host."""
        real = next(self._root / path for path in paths if (self._root / path).is_file())
        return self.script(name, f'exec {" ".join(self._environment)} {real} "$@"')

    def script(self, name: str, text: str) -> str:
        path = self.host.folder("/usr/local/sbin") / name
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)
        return f"/usr/local/sbin/{name}"

    def udev(self) -> None:
        """udevd, which hears of the devices of its own namespace alone. The kernel's name of the program decides what it is."""
        self.offer("udevadm", "bin/udevadm", "usr/bin/udevadm")
        real = next(self._root / path for path in ("bin/udevadm", "usr/bin/udevadm") if (self._root / path).is_file())
        daemon = self.host.folder("/usr/local/sbin") / "systemd-udevd"
        shutil.copy2(real, daemon)
        self.host.start("sh", "-c", 'exec "$@" >/run/udevd.log 2>&1', "sh", *self._environment, "SYSTEMD_LOG_LEVEL=debug", "/usr/local/sbin/systemd-udevd")
        until(lambda: self.run_folder("udev/control").exists(), "udevd", self.udev_says)
        self.host.run("udevadm", "trigger", "--action=add", "--subsystem-match=net")  # devices that were there before
        self.settle()

    def udev_says(self) -> str:
        """The end of udevd's log."""
        path = self.run_folder("udevd.log")
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-150:]) if path.exists() else ""

    def until_udev(self, done: t.Callable[[], bool], device: str, what: str) -> None:
        """Wait for what a rule does to a device. An event that never reached udevd is asked for again, as each boot does; one that did must have worked."""
        index = self.host.run("cat", f"/sys/class/net/{device}/ifindex").stdout.strip()
        heard = self.run_folder("udev/data") / f"n{index}"
        asked = time.monotonic() + PATIENCE / 3

        def now() -> bool:
            nonlocal asked
            if time.monotonic() > asked and not heard.exists():
                asked = float("inf")
                self.host.run("udevadm", "trigger", "--action=add", f"/sys/class/net/{device}")
            return done()

        until(now, what, self.udev_says)

    def settle(self) -> None:
        self.host.run("udevadm", "settle", "--timeout=20")

    def network_manager(self) -> subprocess.Popen[str]:
        """NetworkManager on a message bus of its own."""
        self.udev()
        for policy in self._root.glob("usr/share/dbus-1/system.d/*.conf"):
            shutil.copy(policy, self.etc("dbus-1/system.d"))
        for folder in ("conf.d", "system-connections"):
            self.etc(f"NetworkManager/{folder}").mkdir(parents=True, exist_ok=True)
        self.etc("NetworkManager/NetworkManager.conf").write_text("[main]\nplugins=keyfile\nno-auto-default=*\n", encoding="utf-8")
        (self.host.folder("/var/lib") / "NetworkManager").mkdir(parents=True)
        self.run_folder("dbus").mkdir(parents=True)
        self.host.start("dbus-daemon", "--system", "--nofork", "--nopidfile")
        until(lambda: self.run_folder("dbus/system_bus_socket").exists(), "dbus-daemon")
        self.offer("nmcli", "usr/bin/nmcli")
        return self.start_network_manager()

    def start_network_manager(self) -> subprocess.Popen[str]:
        daemon = self.host.start(*self._environment, str(self._root / "usr/sbin/NetworkManager"), "--no-daemon")
        until(lambda: self.host.run("nmcli", "-t", "-f", "RUNNING", "general", check=False).stdout.strip() == "running", "NetworkManager")
        return daemon

    def network_manager_says(self) -> str:
        """Its configuration as it reads it."""
        return self.host.run(*self._environment, str(self._root / "usr/sbin/NetworkManager"), "--print-config").stdout

    def networkd(self) -> subprocess.Popen[str]:
        """systemd-networkd. What it wrote of links before is gone, as after a boot."""
        shutil.rmtree(self.run_folder("systemd/netif"), ignore_errors=True)
        for folder in ("links", "leases", "lldp"):
            (self.run_folder("systemd/netif") / folder).mkdir(parents=True)
        for folder in ("", "links", "leases", "lldp"):
            shutil.chown(self.run_folder("systemd/netif") / folder, "systemd-network", "systemd-network")
        real = next(self._root / path for path in ("lib/systemd/systemd-networkd", "usr/lib/systemd/systemd-networkd") if (self._root / path).is_file())
        daemon = self.host.start(*self._environment, str(real))
        until(lambda: any(self.run_folder("systemd/netif/links").glob("*")), "systemd-networkd")
        return daemon

    def stop(self, daemon: subprocess.Popen[str]) -> None:
        daemon.terminate()
        daemon.wait(PATIENCE)

    def netplan(self) -> None:
        """``netplan generate``, whose program does the work without netplan's command line around it."""
        real = next(path for path in sorted(self._root.rglob("generate")) if "netplan" in str(path) and path.is_file() and not path.is_symlink())
        self.script("netplan", f'[ "$*" = generate ] || exit 64\nexec {" ".join(self._environment)} {real}')
