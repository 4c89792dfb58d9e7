# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The MTU that a link gets at boot: written where what sets the link up keeps it, checked by reading back, and taken out again."""

from __future__ import annotations

import contextlib
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


def name_of(manager: Manager) -> str:
    """What keeps the MTU, as diffs call it."""
    return f"connection {manager.where}" if manager.kind == NETWORK_MANAGER else manager.where


def describe(host: Host, manager: Manager, mtu: int | None, record: Record | None = None) -> tuple[str, str, str]:
    """What is changed: its name, and its text before and after.

    :param mtu: None takes out what we wrote. :param record: what was before that.
    """
    if manager.kind == NETWORK_MANAGER:
        after = mtu if mtu is not None else (record.configured if record else None)
        return name_of(manager), f"802-3-ethernet.mtu: {configured_mtu(host, manager) or 'auto'}\n", f"802-3-ethernet.mtu: {after or 'auto'}\n"
    if manager.kind == IFCFG:
        text = any_text(host, manager.where)
        line = f"MTU={mtu}" if mtu is not None else (record.line if record else files.ifcfg_line(text))
        return name_of(manager), text, files.with_ifcfg_line(text, line)
    return name_of(manager), ours(host, manager.where), _drop_in(manager, mtu) if mtu is not None else ""


def persist(host: Host, device: str, manager: Manager, mtu: int, before: int) -> None:
    """:param before: the link's MTU before our change, to be remembered if nothing is yet.

    :raises SubmarinerError: it could not be written, or does not hold; then the file is as it was.
    """
    new = read_record(host, device) is None
    if new:
        line = files.ifcfg_line(any_text(host, manager.where)) if manager.kind == IFCFG else ""
        configured = configured_mtu(host, manager) if manager.kind == NETWORK_MANAGER else None
        record = Record(manager.kind, manager.where, before, line, configured)
        put(host, f"{FOLDER}/{device}.json", json.dumps(record._asdict(), indent=2) + "\n", mode=0o600)
        if manager.kind == IFCFG:
            put(host, f"{FOLDER}/ifcfg-{device}.before", any_text(host, manager.where), mode=0o600)
    try:
        with _restored_on_failure(host, manager):
            _write(host, manager, mtu)
            found = configured_mtu(host, manager)
            if found != mtu:
                raise SubmarinerError(
                    f"{manager.where} was told {mtu}, but {manager.kind} says {found or 'no MTU'} for {device}: another file is read after it."
                )
    except SubmarinerError:
        if new:
            _forget(host, device)
        raise


def undo(host: Host, device: str, manager: Manager) -> None:
    """Take out what we wrote, and forget what was before.

    :raises SubmarinerError: it could not be taken out; then it is as it was.
    """
    record = read_record(host, device)
    with _restored_on_failure(host, manager):
        _write(host, manager, None, record)
    _forget(host, device)


def _forget(host: Host, device: str) -> None:
    drop(host, f"{FOLDER}/{device}.json")
    drop(host, f"{FOLDER}/ifcfg-{device}.before")


@contextlib.contextmanager
def _restored_on_failure(host: Host, manager: Manager) -> t.Iterator[None]:
    before = str(configured_mtu(host, manager) or 0) if manager.kind == NETWORK_MANAGER else any_text(host, manager.where)
    try:
        yield
    except SubmarinerError as error:
        try:
            _store(host, manager, before)
        except SubmarinerError as second:
            raise SubmarinerError(f"{error.message} Putting {manager.where} back failed, too: {second.message}") from error
        raise SubmarinerError(f"{error.message} {manager.where} was put back.") from error


def _drop_in(manager: Manager, mtu: int) -> str:
    return files.netplan_text(manager.section, manager.identifier, mtu) if manager.kind == NETPLAN else files.networkd_text(mtu)


def _write(host: Host, manager: Manager, mtu: int | None, record: Record | None = None) -> None:
    _where, before, after = describe(host, manager, mtu, record)
    if manager.kind == NETWORK_MANAGER:
        value = mtu if mtu is not None else (record.configured if record else None)
        _store(host, manager, str(value or 0))
    elif before != after:
        _store(host, manager, after)


def _store(host: Host, manager: Manager, value: str) -> None:
    """:param value: what NetworkManager's connection shall say, or the whole text of the file; empty removes a file of ours."""
    if manager.kind == NETWORK_MANAGER:
        # Not reapplied: that takes addresses and routes off the link that NetworkManager did not set itself, such as those of keepalived or kube-vip
        # (NM_L3_CFG_COMMIT_TYPE_REAPPLY). The link has its MTU already, and NetworkManager sets one from the same source once an activation.
        nmcli(host, ["connection", "modify", manager.uuid, "802-3-ethernet.mtu", value])
        return
    mode = 0o600 if manager.kind == NETPLAN else 0o644  # netplan warns of files that others may read
    if value or manager.kind == IFCFG:
        put(host, manager.where, value, mode)
    else:
        drop(host, manager.where)
    if manager.kind != NETPLAN:
        return
    try:
        host.output(["netplan", "generate"], TIMEOUT)
    except Unreadable as error:
        raise SubmarinerError(f"netplan does not take {manager.where}: {error.why}.") from error
    if manager.uuid:
        nmcli(host, ["connection", "reload"])
