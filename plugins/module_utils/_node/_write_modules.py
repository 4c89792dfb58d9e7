# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Kernel modules loaded now and at boot.

At boot systemd-modules-load.service (or Debian's kmod, or OpenRC) loads what modules-load.d(5) names, but leaves out what modprobe.d(5) or the kernel's
command line denies; ``modprobe NAME`` by hand does not. So one that is denied is refused: it would be there until the next boot, and no longer.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host, Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_modules import barred, canonical, loaded, states
from ansible_collections.fathom.submariner.plugins.module_utils._node._read_modules import modprobe_files, read_sources
from ansible_collections.fathom.submariner.plugins.module_utils._node._unseen import Sight
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_file import drop, header, ours, replace
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_outcome import Outcome
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import BUILT_IN, LOADED

FILE = "/etc/modules-load.d/fathom-submariner.conf"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_DENIED = re.compile(r"(?:^|\s)(?:modprobe\.blacklist|module_blacklist)=(\S+)")
_LOAD_TIMEOUT = 30.0  # seconds


def apply_modules(host: Host, names: t.Sequence[str], outcome: Outcome, kernel: str = "", *, exclusive: bool = False) -> None:
    """Have modules loaded, now and at boot.

    :param exclusive: take out of our file what is not among ``names``; else that stays in it.
    :param kernel: release of the running one; empty asks the system.
    :raises SubmarinerError: the kernel lacks one, or does not take it; then no file was written.
    """
    kernel = kernel or os.uname().release
    wanted = _wanted(names)
    before = ours(host, FILE)
    sources, _why = read_sources(host, kernel)
    known = states(wanted, sources)
    _require_known(wanted, known, kernel, host)
    missing = [name for name in wanted if known.get(name) not in (LOADED, BUILT_IN)]
    listed = [name for name in wanted if known.get(name) != BUILT_IN or sources.built_in is not None]
    denied = _denied(host)
    refused = [f"{name} ({denied[name]})" for name in wanted if name in denied and known.get(name) != BUILT_IN]
    if refused:
        raise RefusedError(
            f"The next boot would not load what is denied: {', '.join(refused)}. Somebody decided so; remove these lines first. Nothing was changed."
        )
    held = named(before)
    kept = [name for name in held if name in listed or not (exclusive or name in wanted)]
    added = [name for name in listed if name not in held]
    after = render([*kept, *added]) if kept or added else ""
    outcome.differs(FILE, before, after)
    if missing:
        outcome.differs("loaded modules", "", "".join(f"{name}\n" for name in missing))
        outcome.lines.append(f"load {', '.join(missing)}")
    if before != after:
        _tell_file(added, [name for name in held if name not in kept], bool(after), outcome)
    outcome.facts["modules"] = {name: LOADED if name in missing else known.get(name, "") for name in wanted}
    if outcome.check_mode:
        return
    for count, name in enumerate(missing, 1):
        _load(host, name, kernel)
        _require_loaded(host, name, sources.built_in or frozenset())
        outcome.wrote("loaded modules", "".join(f"{each}\n" for each in missing[:count]))
    if before != after:
        replace(host, FILE, after)
        outcome.wrote(FILE)


def remove_modules(host: Host, outcome: Outcome) -> None:
    """Remove our file. What is loaded stays so until the next boot, since something may use it by now."""
    before = ours(host, FILE)
    outcome.facts["modules"] = {}
    outcome.differs(FILE, before, "")
    if before:
        outcome.lines.append(f"remove {FILE}; what it named stays loaded until the next boot")
        if not outcome.check_mode:
            drop(host, FILE)


def render(names: t.Sequence[str]) -> str:
    return header("node_modules") + "".join(f"{name}\n" for name in names)


def named(text: str) -> list[str]:
    """What a file of modules-load.d(5) names, in its order."""
    lines = (line.strip() for line in text.splitlines())
    return list(dict.fromkeys(canonical(line) for line in lines if line and line[0] not in "#;"))


def _tell_file(added: t.Sequence[str], dropped: t.Sequence[str], remains: bool, outcome: Outcome) -> None:
    if not remains:
        outcome.lines.append(f"remove {FILE}")
        return
    if dropped:
        outcome.lines.append(f"take {', '.join(dropped)} out of {FILE}; what is loaded stays so until the next boot")
    if added or not dropped:
        outcome.lines.append(f"write {FILE}" + (f", so that {', '.join(added)} {'is' if len(added) == 1 else 'are'} loaded at boot" if added else ""))


def _wanted(names: t.Sequence[str]) -> list[str]:
    for name in names:
        if not _NAME.fullmatch(name):
            raise InputError(f"modules: {name!r} is no name of a kernel module.")
    wanted = list(dict.fromkeys(canonical(name) for name in names))
    if not wanted:
        raise InputError("modules: name at least one; state=absent removes what an earlier run has set up.")
    return wanted


def _require_known(wanted: t.Sequence[str], known: dict[str, str], kernel: str, host: Host) -> None:
    """Adds to ``known`` what has no file of its own name but is loadable by another (an alias), and what a kernel without loadable modules has in it."""
    lacking = []
    for name in wanted:
        if name in known and known[name] != "missing":
            continue
        if host.exists(f"/sys/module/{name}"):
            known[name] = BUILT_IN
        elif not _has_alias(host, name):
            lacking.append(name)
    if not lacking:
        return
    what = f"Kernel {kernel} has no module {', '.join(lacking)}. Nothing was changed. "
    if not host.exists(f"/lib/modules/{kernel}"):
        raise SubmarinerError(
            f"{what}There is no folder /lib/modules/{kernel}: its modules were removed by an update (reboot into the new kernel), or this kernel never had any."
        )
    raise SubmarinerError(
        f"{what}Distributions keep rarer ones in a package of their own: linux-modules-extra-{kernel} (Ubuntu), kernel-modules-extra (RHEL, Fedora), "
        "kernel-default-extra (SUSE). A node whose kernel cannot have them is better kept free of calico-node: see role calico_node_placement."
    )


def _has_alias(host: Host, name: str) -> bool:
    try:
        return host.run(["modprobe", "-n", "-q", name]).code == 0
    except Unreadable:
        return False


def _denied(host: Host) -> dict[str, str]:
    found = barred(modprobe_files(host, Sight()))
    for names in _DENIED.findall(_text(host, "/proc/cmdline")):
        found.update({canonical(name): "the kernel's command line" for name in names.split(",") if name})
    return found


def _load(host: Host, name: str, kernel: str) -> None:
    try:
        done = host.run(["modprobe", name], _LOAD_TIMEOUT)
    except Unreadable as error:
        raise SubmarinerError(f"{name} cannot be loaded: {error.why}. {FILE} was not written. Install package kmod.") from error
    if done.code:
        said = " ".join((done.err or done.out).split()) or f"exit code {done.code}"
        raise SubmarinerError(f"Kernel {kernel} does not load {name}: {said}. {FILE} was not written.")


def _require_loaded(host: Host, name: str, built_in: t.Collection[str]) -> None:
    """modprobe(8) ends well after whatever an ``install`` line of modprobe.d(5) runs in the place of loading.

    :raises SubmarinerError: neither the module is there, nor what its name is an alias of.
    """
    there = {*loaded(_text(host, "/proc/modules")), *built_in}
    if name in there or host.exists(f"/sys/module/{name}"):
        return
    try:
        stands_for = [canonical(line) for line in host.output(["modprobe", "-R", name]).splitlines() if line.strip()]
    except Unreadable:
        stands_for = []
    if not any(each in there or host.exists(f"/sys/module/{each}") for each in stands_for):
        raise SubmarinerError(
            f"modprobe {name} ended well, and {name} is not loaded: see what modprobe.d has run in its place (modprobe --showconfig | grep 'install {name}'). "
            f"{FILE} was not written."
        )


def _text(host: Host, path: str) -> str:
    try:
        return host.text(path)
    except Unreadable:
        return ""
