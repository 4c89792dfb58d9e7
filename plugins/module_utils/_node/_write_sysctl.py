# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Kernel parameters set now and at boot: judged all together, then written, then kept in a file; what fails half-way is put back.

Parameters of an interface that is not there yet stand in the file alone: udev has systemd-sysctl apply them when it appears (systemd
rules.d/99-systemd.rules.in).
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node import _settings_sysctl as settings
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host, Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._node._settings_sysctl import FILE
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_file import any_text, ours, replace, set_kernel
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_outcome import Outcome

_MODULE_OF = {"net/bridge/": "br_netfilter", "net/netfilter/": "nf_conntrack", "net/ipv4/vs/": "ip_vs"}


def apply_sysctl(host: Host, values: t.Mapping[str, object], rp_filter: t.Mapping[str, int], outcome: Outcome, *, exclusive: bool = False) -> None:
    """Have parameters set, now and at boot.

    :param exclusive: put back what an earlier run set and this one does not name; else that stays as it is, in the file and in the kernel.
    :param values: names to values. :param rp_filter: interfaces to how it shall act there; the name ``all`` stands for every interface.
    :raises SubmarinerError: one cannot be set, or would loosen what was not named; nothing was changed then.
    """
    before = ours(host, FILE)
    wanted = _wanted(values, rp_filter)
    if not wanted:
        raise InputError("Name at least one parameter in sysctls or rp_filter; state=absent removes what an earlier run has set.")
    now = {path: _now(host, path) for path in wanted}
    _require_there(host, now)
    written, was = settings.assignments(before), settings.remembered(before)
    kept = {} if exclusive else {path: value for path, value in written.items() if path not in wanted}
    _require_acting(host, rp_filter, wanted, kept)
    _require_not_looser(host, wanted, rp_filter)
    _require_default_route(host, wanted, now)
    dropped = _given_back(host, {path: value for path, value in written.items() if path not in {**wanted, **kept}}, was)
    # What was before our first write is remembered, also when the value wanted changes later.
    new = {path: value for path, value in now.items() if path not in written and value is not None}
    after = settings.render({**kept, **wanted}, {**new, **was})
    changes = {**dropped, **{path: value for path, value in wanted.items() if now[path] is not None and now[path] != value}}
    _tell(host, changes, outcome)
    for path in wanted:
        if now[path] is None:
            outcome.lines.append(f"{settings.name_of(path)} is set when {settings.interface_of(path)} appears")
    _require_consent(host, dropped, outcome)
    _finish(host, before, after, changes, outcome)
    _warn(host, wanted, outcome)


def remove_sysctl(host: Host, outcome: Outcome) -> None:
    """Remove our file, and put each value back that is still ours."""
    before = ours(host, FILE)
    written, was = settings.assignments(before), settings.remembered(before)
    changes = _given_back(host, written, was)
    _tell(host, changes, outcome)
    _require_consent(host, changes, outcome)
    _finish(host, before, "", changes, outcome)


def _given_back(host: Host, written: t.Mapping[str, str], was: t.Mapping[str, str]) -> dict[str, str]:
    """What was before our first write, of what is still as we wrote it."""
    return {path: was[path] for path in settings.in_order(written) if was.get(path, written[path]) != written[path] and _now(host, path) == written[path]}


def _require_consent(host: Host, back: t.Mapping[str, str], outcome: Outcome) -> None:
    """The cluster may have come to need what is put back, forwarding above all."""
    outcome.require_consent([f"put {settings.name_of(path)} back from {_now(host, path)} to {value}" for path, value in back.items()])


def _wanted(values: t.Mapping[str, object], rp_filter: t.Mapping[str, int]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in values.items():
        path, text = settings.path_of(name), settings.canonical(value)
        if not text:
            raise InputError(f"sysctls: {name} needs a value.")
        if found.setdefault(path, text) != text:
            raise InputError(f"sysctls: {settings.name_of(path)} is given two values, {found[path]} and {text}.")
    for interface, acting in rp_filter.items():
        if acting not in settings.STRICTNESS:
            raise InputError(f"rp_filter: {interface} cannot be {acting}; 0 is none, 1 strict, 2 loose.")
        path = settings.path_of(f"net/ipv4/conf/{interface}/rp_filter")
        if path != settings.rp_filter_path(interface):
            raise InputError(f"rp_filter: {interface!r} is no name of an interface.")
        if found.setdefault(path, str(acting)) != str(acting):
            raise InputError(f"{settings.name_of(path)} is given two values, {found[path]} in sysctls and {acting} in rp_filter.")
    return {path: found[path] for path in settings.in_order(found)}


def _now(host: Host, path: str) -> str | None:
    try:
        return settings.canonical(host.text(f"/proc/sys/{path}"))
    except Unreadable as error:
        if error.absent:
            return None
        raise SubmarinerError(f"{error.why}. The task must run as root (become: true).") from error


def _require_there(host: Host, now: t.Mapping[str, str | None]) -> None:
    for path, value in now.items():
        if value is not None:
            continue
        interface = settings.interface_of(path)
        if interface and host.exists("/proc/sys/" + path.replace(f"/{interface}/", "/default/")):
            continue
        module = next((module for prefix, module in _MODULE_OF.items() if path.startswith(prefix)), "")
        hint = f" It comes with kernel module {module}: load that first (role node_modules)." if module else ""
        raise SubmarinerError(f"This kernel has no parameter {settings.name_of(path)}.{hint} Nothing was changed.")


def _own_values(host: Host) -> dict[str, int]:
    """rp_filter of every interface."""
    found = {}
    try:
        names = host.names("/proc/sys/net/ipv4/conf")
    except Unreadable as error:
        raise SubmarinerError(f"{error.why}, so it cannot be told what a change of rp_filter would loosen. Nothing was changed.") from error
    for interface in names:
        value = _now(host, settings.rp_filter_path(interface))
        if value is not None and value.isdigit():
            found[interface] = int(value)
    return found


def _require_acting(host: Host, rp_filter: t.Mapping[str, int], wanted: t.Mapping[str, str], kept: t.Mapping[str, str]) -> None:
    """:param kept: what our file goes on to say besides ``wanted``: it acts after the next boot, whatever the kernel holds now."""
    path = settings.rp_filter_path("all")
    said = (wanted[path],) if path in wanted else (_now(host, path), kept.get(path))
    every = max((int(value) for value in said if value is not None and value.isdigit()), default=0)
    for interface, acting in rp_filter.items():
        if interface not in ("all", "default") and every > acting:
            raise RefusedError(
                f"rp_filter cannot act as {acting} on {interface} while net.ipv4.conf.all.rp_filter is {every}: the kernel takes the larger of the two. "
                f"Lowering that for all changes every interface, so it must be asked for: rp_filter with all: {acting}. Nothing was changed."
            )


def _require_not_looser(host: Host, wanted: t.Mapping[str, str], rp_filter: t.Mapping[str, int]) -> None:
    if "all" in rp_filter or settings.rp_filter_path("all") not in wanted:
        return  # all was asked for; or what changes has been named, interface by interface
    after = {}
    for path, value in wanted.items():
        parts = path.split("/")
        if path == settings.rp_filter_path("/".join(parts[3:-1])) and value.isdigit():
            after[parts[3]] = int(value)
    looser = [each for each in settings.loosened(_own_values(host), after) if each.interface not in after]
    if looser:
        told = ", ".join(f"{each.interface} ({each.before} to {each.after})" for each in looser[:8])
        raise RefusedError(
            f"net.ipv4.conf.all.rp_filter={after['all']} would loosen the filter on interfaces that were not named: {told}"
            f"{' and others' if len(looser) > 8 else ''}. Name those that need it in rp_filter instead, or all: {after['all']} there as consent. "
            "Nothing was changed."
        )


def _require_default_route(host: Host, wanted: t.Mapping[str, str], now: t.Mapping[str, str | None]) -> None:
    """As forwarding goes on, the kernel drops the default routes that it has from router advertisements, and ignores these from then on, save on interfaces
    whose accept_ra is 2 (net/ipv6/addrconf.c, rt6_purge_dflt_routers of route.c). Routes that NetworkManager or systemd-networkd set stay."""
    switched = [path for path, value in wanted.items() if settings.forwards_ipv6(path) and value != "0" and now[path] == "0"]
    if not switched:
        return
    lost = []
    for interface in settings.advertised(any_text(host, "/proc/net/ipv6_route")):
        path = settings.accept_ra_path(interface)
        if wanted.get(path, _now(host, path)) != "2":
            lost.append(interface)
    if lost:
        needed = ", ".join(f"{settings.name_of(settings.accept_ra_path(interface))}: 2" for interface in lost)
        raise RefusedError(
            f"{settings.name_of(switched[0])} would take away the IPv6 default route that comes by router advertisements on {', '.join(lost)}, and have the "
            f"kernel ignore these: the node loses IPv6. Set {needed} along with it in sysctls, which keeps both. Nothing was changed."
        )


def _tell(host: Host, changes: t.Mapping[str, str], outcome: Outcome) -> None:
    now = {path: _now(host, path) for path in changes}
    if changes:
        outcome.differs(
            "kernel parameters",
            "".join(f"{settings.name_of(path)} = {now[path]}\n" for path in changes),
            "".join(f"{settings.name_of(path)} = {value}\n" for path, value in changes.items()),
        )
    outcome.lines += [f"{settings.name_of(path)}: {now[path]} to {value}" for path, value in changes.items()]


def _finish(host: Host, before: str, after: str, changes: t.Mapping[str, str], outcome: Outcome) -> None:
    outcome.differs(FILE, before, after)
    if before != after:
        outcome.lines.append(f"write {FILE}" if after else f"remove {FILE}")
    if outcome.check_mode:
        return
    # What the file says and the kernel holds already is looked at again: ip_forward and `all` reset what interfaces have of their own.
    wished = {**{path: value for path, value in settings.assignments(after).items() if _now(host, path) == value}, **changes}
    old = {path: _now(host, path) for path in wished}
    try:
        _set(host, wished)
        if before != after:
            replace(host, FILE, after)
    except SubmarinerError as error:
        raise SubmarinerError(f"{error.message} {_put_back(host, old, outcome)}; {FILE} is as it was.") from error


def _put_back(host: Host, old: t.Mapping[str, str | None], outcome: Outcome) -> str:
    try:
        _set(host, {path: value for path, value in old.items() if value is not None})
    except SubmarinerError as error:
        outcome.wrote("kernel parameters")
        return f"Nor could what had been set before it be put back as a whole: {error.message.rstrip('.')}"
    return "What had been set before it was put back"


def _set(host: Host, values: t.Mapping[str, str]) -> None:
    for path in settings.in_order(values):
        if _now(host, path) == values[path]:
            continue
        set_kernel(host, f"/proc/sys/{path}", values[path])
        if _now(host, path) != values[path]:
            raise SubmarinerError(f"The kernel took {values[path]} for {settings.name_of(path)} and made {_now(host, path)} of it.")


def _warn(host: Host, wanted: t.Mapping[str, str], outcome: Outcome) -> None:
    """Files that are read after ours, and /etc/sysctl.conf, which procps' ``sysctl --system`` reads last of all."""
    files: dict[str, str] = {}
    for folder in settings.FOLDERS:
        try:
            files.update({name: f"{folder}/{name}" for name in host.names(folder) if name.endswith(".conf")})
        except Unreadable:
            continue
    later = [files[name] for name in sorted(files) if name > FILE.rpartition("/")[2]]
    texts = [(path, any_text(host, path)) for path in (*later, *(["/etc/sysctl.conf"] if host.exists("/etc/sysctl.conf") else []))]
    for path, value in wanted.items():
        where = settings.overriding(path, value, texts)
        if where:
            outcome.warnings.append(f"{settings.name_of(path)}: {where} is read after {FILE} and undoes it at boot, or on `sysctl --system`.")
