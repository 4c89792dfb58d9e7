# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of several distributions as folders and as what their programs print: each differs from the others where distributions do."""

from __future__ import annotations

import gzip
import json
import pathlib
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Completed, Host, Unreadable

ADDRESSES = "ip -j -d address show"


class Programs:
    """Programs that answer with what a test says; another is not installed. ``asked`` keeps what was run."""

    def __init__(self, answers: t.Mapping[str, t.Any] | None = None) -> None:
        self.answers = dict(answers or {})
        self.asked: list[str] = []

    def __call__(self, argv: t.Sequence[str], timeout: float) -> Completed:
        line = " ".join(argv)
        self.asked.append(line)
        found = self.answers.get(line, self.answers.get(argv[0]))
        if found is None:
            raise Unreadable(f"there is no program {argv[0]}", absent=True)
        return found if isinstance(found, Completed) else Completed(0, found, "")


def build(folder: pathlib.Path, files: t.Mapping[str, str | bytes], answers: t.Mapping[str, t.Any] | None = None) -> Host:
    """A host of these files, whose programs give these answers."""
    for path, content in files.items():
        place = folder / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Host(str(folder), Programs(answers))


class Distribution(t.NamedTuple):
    """:param tree: where its modules lie; :param suffix: of their files; :param built_in: what its kernel has inside; :param on_disk: what lies ready."""

    name: str
    os_release: str
    kernel: str
    suffix: str = ".ko"
    tree: str = "/lib/modules"
    built_in: tuple[str, ...] = ()
    on_disk: tuple[str, ...] = ()
    loaded: tuple[str, ...] = ()
    configuration: str = ""  # path of the kernel's configuration
    expected: tuple[str, str, tuple[str, ...]] = ("", "", ())  # id, version, like

    def files(self) -> dict[str, str | bytes]:
        tree = f"{self.tree}/{self.kernel}"
        names = dict.fromkeys((*self.on_disk, *self.loaded))
        # A file's name may have a dash where the module's has an underscore; dependencies follow the colon.
        dep = "".join(f"kernel/net/{name.replace('nf_conntrack_netlink', 'nf-conntrack-netlink')}{self.suffix}: kernel/lib/a{self.suffix}\n" for name in names)
        loaded = "".join(f"{name} 16384 2 other,another, Live 0x0000000000000000 (OE)\n" for name in self.loaded)
        found: dict[str, str | bytes] = {
            "/etc/os-release": self.os_release,
            "/proc/sys/kernel/osrelease": f"{self.kernel}\n",
            "/proc/modules": loaded,
            "/proc/stat": "cpu  1 2 3\nctxt 5\nbtime 1763725505\nprocesses 9\n",
            f"{tree}/modules.dep": dep,
            f"{tree}/modules.builtin": "".join(f"kernel/net/{name}.ko\n" for name in self.built_in),
        }
        if self.configuration:
            lines = ["CONFIG_MODULES=y", *(f"CONFIG_{option}=y" for option in ("NET_CLS_BPF",)), "# CONFIG_WIREGUARD is not set", 'CONFIG_VERSION="x"', ""]
            text = "\n".join(lines).encode()
            path = self.configuration.replace("%", self.kernel)
            found[path] = gzip.compress(text) if path.endswith(".gz") else text
        return found


XTABLES = ("ip_tables", "iptable_filter", "iptable_nat", "iptable_mangle", "iptable_raw")
COMMON = ("ip_set", "ip_set_hash_ip", "ip_set_hash_net", "vxlan", "nf_conntrack_netlink", "nf_tables", "nft_compat")

DISTRIBUTIONS = (
    Distribution(
        "rhel8",
        'NAME="Red Hat Enterprise Linux"\nVERSION="8.10 (Ootpa)"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="8.10"\nPLATFORM_ID="platform:el8"\n',
        "4.18.0-553.el8_10.x86_64", ".ko.xz", built_in=("nf_tables_ipv4",), on_disk=(*XTABLES, *COMMON, "ipip"), loaded=("nf_conntrack", "xt_set"),
        configuration="/boot/config-%", expected=("rhel", "8.10", ("fedora",)),
    ),
    Distribution(
        "rhel9",
        'NAME="Red Hat Enterprise Linux"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"\n',
        "5.14.0-427.13.1.el9_4.x86_64", ".ko.xz", on_disk=(*XTABLES, *COMMON, "ipip"), loaded=("nf_conntrack",),
        configuration="/lib/modules/%/config", expected=("rhel", "9.4", ("fedora",)),
    ),
    Distribution(
        "ubuntu20", 'NAME="Ubuntu"\nVERSION="20.04.6 LTS (Focal Fossa)"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="20.04"\n',
        "5.4.0-182-generic", on_disk=(*XTABLES, *COMMON), loaded=("nf_conntrack", "overlay"), configuration="/boot/config-%",
        expected=("ubuntu", "20.04", ("debian",)),
    ),
    Distribution(
        "ubuntu22", 'PRETTY_NAME="Ubuntu 22.04.4 LTS"\nVERSION_ID="22.04"\nID=ubuntu\nID_LIKE=debian\n',
        "5.15.0-105-generic", on_disk=(*XTABLES, *COMMON), loaded=("nf_conntrack",), configuration="/boot/config-%", expected=("ubuntu", "22.04", ("debian",)),
    ),
    Distribution(
        "ubuntu24", 'PRETTY_NAME="Ubuntu 24.04 LTS"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n',
        "6.8.0-31-generic", ".ko.zst", on_disk=(*XTABLES, *COMMON), loaded=("nf_conntrack",), configuration="/boot/config-%",
        expected=("ubuntu", "24.04", ("debian",)),
    ),
    Distribution(
        "debian12", 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n',
        "6.1.0-21-amd64", on_disk=(*XTABLES, *COMMON), loaded=("nf_conntrack",), configuration="/boot/config-%", expected=("debian", "12", ()),
    ),
    Distribution(
        "sles15", "NAME=\"SLES\"\nVERSION=\"15-SP5\"\nVERSION_ID=\"15.5\"\nID=\"sles\"\nID_LIKE=\"suse\"\n",
        "5.14.21-150500.55.59-default", ".ko.zst", tree="/usr/lib/modules", on_disk=(*XTABLES, *COMMON), loaded=("nf_conntrack",),
        configuration="/proc/config.gz", expected=("sles", "15.5", ("suse",)),
    ),
    Distribution(
        "flatcar", 'NAME="Flatcar Container Linux by Kinvolk"\nID=flatcar\nID_LIKE=coreos\nVERSION_ID=3815.2.2\n',
        "6.1.85-flatcar", ".ko.xz", built_in=("vxlan",), on_disk=(*XTABLES, *COMMON), loaded=("nf_conntrack",),
        configuration="/proc/config.gz", expected=("flatcar", "3815.2.2", ("coreos",)),
    ),
    Distribution(
        "fcos", 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=40\nVARIANT_ID=coreos\n',
        "6.8.8-300.fc40.x86_64", ".ko.xz", tree="/usr/lib/modules", on_disk=(*XTABLES, *COMMON), loaded=("nf_conntrack",),
        configuration="/usr/lib/modules/%/config", expected=("fedora", "40", ()),
    ),
    Distribution(
        "rhcos", 'NAME="Red Hat Enterprise Linux CoreOS"\nID="rhcos"\nID_LIKE="rhel fedora"\nVERSION_ID="4.15"\nVERSION="415.92.202404161628-0"\n',
        "5.14.0-284.62.1.el9_2.x86_64", ".ko.xz", tree="/usr/lib/modules", on_disk=(*XTABLES, *COMMON), loaded=("nf_conntrack",),
        configuration="/usr/lib/ostree-boot/config-%", expected=("rhcos", "4.15", ("rhel", "fedora")),
    ),
)  # fmt: skip


def link(name: str, index: int, *addresses: str, **more: t.Any) -> dict[str, t.Any]:
    """One link as ``ip -j -d address show`` prints it."""
    infos = [
        {"family": "inet6" if ":" in each else "inet", "local": each.partition("/")[0], "prefixlen": int(each.partition("/")[2]), "scope": "global"}
        for each in addresses
    ]
    return {
        "ifindex": index, "ifname": name, "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"], "mtu": 1500, "qdisc": "noqueue", "operstate": "UP",
        "link_type": "ether", "address": "02:00:00:00:00:01", "addr_info": infos, **more,
    }  # fmt: skip


def vxlan(name: str, index: int, number: int, port: int | None, *addresses: str, **data: t.Any) -> dict[str, t.Any]:
    details = {"id": number, "learning": False, **({"port": port} if port is not None else {}), **data}
    return link(name, index, *addresses, linkinfo={"info_kind": "vxlan", "info_data": details})


def printed(*links: dict[str, t.Any]) -> str:
    return json.dumps(list(links))
