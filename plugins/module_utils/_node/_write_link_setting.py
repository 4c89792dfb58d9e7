# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The MTU that a link gets at boot: written where what sets the link up keeps it, checked by reading back, and taken out again."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node import _settings_link_files as files
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host, Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._node._settings_link_manager import (
    IFCFG,
    NETPLAN,
    NETWORK_MANAGER,
    TIMEOUT,
    Manager,
    configured_mtu,
    nmcli,
)
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_file import any_text, drop, ours, put

FOLDER = "/var/lib/fathom-submariner/link-mtu"


class Record(t.NamedTuple):
    """What was before our first write; lies on the host until it is put back.

    :param mtu: of the link. :param line: of an ifcfg file, empty where it had none.
    :param configured: of NetworkManager's connection, None where it had none.
    """

    manager: str
    where: str
    mtu: int
    line: str = ""
    configured: int | None = None


def read_record(host: Host, device: str) -> Record | None:
    text = any_text(host, f"{FOLDER}/{device}.json")
    if not text:
        return None
    try:
        return Record(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise SubmarinerError(f"{FOLDER}/{device}.json is damaged, so that it is not known what was before. Remove it, and set the MTU anew.") from error


def describe(host: Host, manager: Manager, mtu: int | None, record: Record | None = None) -> tuple[str, str, str]:
    """What is changed: its name, and its text before and after.

    :param mtu: None takes out what we wrote. :param record: what was before that.
    """
    if manager.kind == NETWORK_MANAGER:
        after = mtu if mtu is not None else (record.configured if record else None)
        return f"connection {manager.where}", f"802-3-ethernet.mtu: {configured_mtu(host, manager) or 'auto'}\n", f"802-3-ethernet.mtu: {after or 'auto'}\n"
    if manager.kind == IFCFG:
        text = any_text(host, manager.where)
        line = f"MTU={mtu}" if mtu is not None else (record.line if record else files.ifcfg_line(text))
        return manager.where, text, files.with_ifcfg_line(text, line)
    return manager.where, ours(host, manager.where), _drop_in(manager, mtu) if mtu is not None else ""


def persist(host: Host, device: str, manager: Manager, mtu: int, before: int) -> None:
    """:param before: the link's MTU before our change, to be remembered if nothing is yet.

    :raises SubmarinerError: it could not be written, or does not hold; then the file is as it was.
    """
    if read_record(host, device) is None:
        line = files.ifcfg_line(any_text(host, manager.where)) if manager.kind == IFCFG else ""
        configured = configured_mtu(host, manager) if manager.kind == NETWORK_MANAGER else None
        record = Record(manager.kind, manager.where, before, line, configured)
        put(host, f"{FOLDER}/{device}.json", json.dumps(record._asdict(), indent=2) + "\n", mode=0o600)
        if manager.kind == IFCFG:
            put(host, f"{FOLDER}/ifcfg-{device}.before", any_text(host, manager.where), mode=0o600)
    _write(host, device, manager, mtu)
    found = configured_mtu(host, manager)
    if found != mtu:
        raise SubmarinerError(f"{manager.where} was written, but {manager.kind} still says {found or 'no MTU'} for {device}: another file is read after it.")


def undo(host: Host, device: str, manager: Manager) -> None:
    """Take out what we wrote, and forget what was before."""
    record = read_record(host, device)
    _write(host, device, manager, None, record)
    drop(host, f"{FOLDER}/{device}.json")
    drop(host, f"{FOLDER}/ifcfg-{device}.before")


def _drop_in(manager: Manager, mtu: int) -> str:
    return files.netplan_text(manager.section, manager.identifier, mtu) if manager.kind == NETPLAN else files.networkd_text(mtu)


def _write(host: Host, device: str, manager: Manager, mtu: int | None, record: Record | None = None) -> None:
    _where, before, after = describe(host, manager, mtu, record)
    if manager.kind == NETWORK_MANAGER:
        value = mtu if mtu is not None else (record.configured if record else None)
        nmcli(host, ["connection", "modify", manager.uuid, "802-3-ethernet.mtu", str(value or 0)])
        nmcli(host, ["device", "reapply", device])
        return
    if before == after:
        return
    mode = 0o600 if manager.kind == NETPLAN else 0o644  # netplan warns of files that others may read
    if after or manager.kind == IFCFG:
        put(host, manager.where, after, mode)
    else:
        drop(host, manager.where)
    if manager.kind != NETPLAN:
        return
    try:
        host.output(["netplan", "generate"], TIMEOUT)
    except Unreadable as error:
        if before:
            put(host, manager.where, before, mode)
        else:
            drop(host, manager.where)
        raise SubmarinerError(f"netplan does not take {manager.where}, so it was put back: {error.why}") from error
    if manager.uuid:
        nmcli(host, ["connection", "reload"])
