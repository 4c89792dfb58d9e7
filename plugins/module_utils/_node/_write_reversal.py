# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""A change of a link's MTU that takes itself back unless somebody confirms it over a connection made after it.

The same idea as ``netplan try``, for whatever sets the link up, and safer in one point: nothing is written to a file before the confirmation, so that a boot
in between brings the former MTU, too. What takes the change back is a shell script without a parent. It runs before the MTU is touched, and needs neither
Ansible, nor Python, nor the connection. Renaming one file decides who was first, the confirmation or the script.

Everything of one change is named by its token. So a script that nobody could end finds nothing of its own any more, whatever changes came after it.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import signal
import subprocess
import time
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host, Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_file import any_text, drop, put, set_kernel

FOLDER = "/run/fathom-submariner/link-mtu"
# Endings of the files of one change; what stands before them is its token.
_PENDING, _REVERTED, _CONFIRMED, _ARMED, _BEFORE, _SCRIPT = ".pending", ".reverted", ".confirmed", ".armed", ".before", ".sh"
_PATIENCE = 100  # times a twentieth of a second for the script to start
_TEXT = """#!/bin/sh
# Managed by fathom.submariner (role node_link_mtu): puts MTUs back unless the change is confirmed in time.
cd {folder} || exit 1
echo $$ >{token}.armed
sleep {seconds}
mv {token}.pending {token}.reverted 2>/dev/null || exit 0
while read -r mtu device; do
  [ "$(cat {net}/"$device"/mtu 2>/dev/null)" = "$mtu" ] || echo "$mtu" >{net}/"$device"/mtu
done <{token}.before 2>/dev/null
logger -t fathom.submariner "the MTU of {device} was put back: nobody confirmed the change" 2>/dev/null
exit 0
"""

Start = t.Callable[[Host, str, str], None]


class Pending(t.NamedTuple):
    """:param action: ``present`` or ``absent``; :param was: MTU before; :param seconds: until it is taken back."""

    token: str
    action: str
    mtu: int
    was: int
    seconds: int


def start_detached(host: Host, device: str, script: str) -> None:
    """Start a script that outlives this process, the connection, and the user's session.

    Under systemd as a unit of its own: with KillUserProcesses= logind ends everything else that a session leaves behind (logind.conf(5)).
    """
    if host.exists("/run/systemd/system"):
        try:
            if host.run(["systemd-run", "--quiet", f"--unit={_unit(device, script)}", "/bin/sh", host.path(script)], 30.0).code == 0:
                return
        except Unreadable:
            pass  # no systemd-run, or it does not answer: a process of a session of its own will do
    null = subprocess.DEVNULL
    try:
        subprocess.Popen(["/bin/sh", host.path(script)], stdin=null, stdout=null, stderr=null, cwd="/", start_new_session=True)
    except OSError as error:
        raise SubmarinerError(f"What would take the change back cannot be started: {error.strerror or error}. Nothing was changed.") from error


def mtus(host: Host) -> dict[str, int]:
    """Of every link."""
    found = {}
    for name in host.names("/sys/class/net"):
        try:
            found[name] = int(host.text(f"/sys/class/net/{name}/mtu"))
        except (Unreadable, ValueError):
            continue  # it has gone meanwhile, or is no link (bonding_masters)
    return found


def require_free(host: Host, device: str, check_mode: bool = False) -> str:
    """Make sure that no change of this link waits for its confirmation, nor one of another link: its script would take this one back, too, since it puts back
    the MTUs of all links. A change whose script is gone is taken back here.

    :param check_mode: it is only told.
    :return: what became of an earlier one, in words; empty where there was none.
    """
    folder = f"{FOLDER}/{device}"
    for other in _names(host, FOLDER):
        for token in _tokens(host, f"{FOLDER}/{other}", _PENDING):
            pending = _read(host, f"{FOLDER}/{other}", token, _PENDING)
            if pending is not None and _runs(host, f"{FOLDER}/{other}", token):
                raise RefusedError(
                    f"A change of {other} from {pending.was} to {pending.mtu} waits to be confirmed, or to be taken back after {pending.seconds} seconds. "
                    "Wait for that. Nothing was changed."
                )
    for token in _tokens(host, folder, _PENDING):
        pending = _read(host, folder, token, _PENDING)
        if pending is not None:
            if not check_mode:
                _put_back(host, folder, token)
            return f"an earlier change to {pending.mtu} was neither confirmed nor taken back, since its script was killed; it is taken back now"
    for token in _tokens(host, folder, _REVERTED):
        pending = _read(host, folder, token, _REVERTED)
        if pending is not None:
            return f"an earlier change to {pending.mtu} was taken back, since nobody confirmed it"
    return ""


def attempt(host: Host, device: str, action: str, mtu: int, seconds: int, start: Start = start_detached) -> Pending:
    """Arm the reversal, then change the link's MTU.

    :param seconds: from now until the reversal.
    :raises SubmarinerError: the reversal did not start, or the kernel refuses the MTU; the link is as it was then.
    """
    folder = f"{FOLDER}/{device}"
    before = mtus(host)
    pending = Pending(secrets.token_hex(8), action, mtu, before[device], seconds)
    own = f"{folder}/{pending.token}"
    for name in _names(host, folder):
        drop(host, f"{folder}/{name}")  # of changes that are over
    # The link itself comes first: those on top of it cannot be larger.
    rows = [(before[device], device), *((value, name) for name, value in before.items() if name != device)]
    put(host, f"{own}{_BEFORE}", "".join(f"{value} {name}\n" for value, name in rows), 0o600)
    net = shlex.quote(host.path("/sys/class/net"))
    script = _TEXT.format(folder=shlex.quote(host.path(folder)), net=net, seconds=seconds, device=device, token=pending.token)
    put(host, f"{own}{_SCRIPT}", script, 0o700)
    put(host, f"{own}{_PENDING}", json.dumps(pending._asdict()) + "\n", 0o600)
    start(host, device, f"{own}{_SCRIPT}")
    for _try in range(_PATIENCE):
        if any_text(host, f"{own}{_ARMED}").strip():
            break
        time.sleep(0.05)
    else:
        drop(host, f"{own}{_PENDING}")  # a script that starts after all finds nothing to do
        raise SubmarinerError("What would take the change back did not start within 5 seconds. Nothing was changed.")
    try:
        set_kernel(host, f"/sys/class/net/{device}/mtu", str(mtu))
    except SubmarinerError as error:
        drop(host, f"{own}{_PENDING}")
        _end(host, folder, pending.token)
        raise SubmarinerError(f"{error.message} {device} was left as it is.") from error
    if not host.exists(f"{own}{_PENDING}"):  # this host is so slow that the script was first
        set_kernel(host, f"/sys/class/net/{device}/mtu", str(pending.was))
        raise SubmarinerError(f"The change of {device} took longer than the {seconds} seconds after which it is taken back. It has its former MTU.")
    return pending


def confirm(host: Host, device: str, token: str) -> Pending:
    """Keep the change, and end its script: whoever renames the file first, the script or this, decides.

    :raises SubmarinerError: it was taken back already, or there is none, or it is another one.
    """
    folder = f"{FOLDER}/{device}"
    others = _tokens(host, folder, _PENDING)
    text = any_text(host, f"{folder}/{token}{_PENDING}") if token in others else ""
    if text:
        pending = _parse(text)
        try:
            os.rename(host.path(f"{folder}/{token}{_PENDING}"), host.path(f"{folder}/{token}{_CONFIRMED}"))
        except FileNotFoundError:
            others = []  # the script was first
        else:
            _end(host, folder, token)
            return pending
    if token in _tokens(host, folder, _REVERTED):
        pending = _parse(any_text(host, f"{folder}/{token}{_REVERTED}"))
        raise SubmarinerError(
            f"The MTU of {device} was put back to {pending.was}: the change to {pending.mtu} was not confirmed within {pending.seconds} seconds. "
            "No file was written."
        )
    for waiting in (_read(host, folder, other, _PENDING) for other in others):
        if waiting is not None:
            raise RefusedError(f"What waits to be confirmed on {device} is another change, to {waiting.mtu}, with another token.")
    raise SubmarinerError(f"No change of {device} waits to be confirmed: there was none, or the host has booted since. It has the former MTU then.")


def _unit(device: str, script: str) -> str:
    """A name of its own for each change: a unit that still exists would keep another one of its name from starting."""
    return f"fathom-submariner-link-mtu-{device}-{os.path.basename(script)[: -len(_SCRIPT)]}"


def _names(host: Host, folder: str) -> tuple[str, ...]:
    try:
        return host.names(folder)
    except Unreadable:
        return ()


def _tokens(host: Host, folder: str, ending: str) -> list[str]:
    """Of the changes that have such a file."""
    return [name[: -len(ending)] for name in _names(host, folder) if name.endswith(ending)]


def _end(host: Host, folder: str, token: str) -> None:
    """End the script and what it waits with. Started either way it leads a process group of its own, and its unit ends with it."""
    number = _number(host, folder, token)
    try:
        if number and _is_script(host, folder, token, number):
            os.killpg(number, signal.SIGTERM)
    except (Unreadable, OSError):
        return  # it has ended meanwhile, or goes on and finds nothing of its own


def _runs(host: Host, folder: str, token: str) -> bool:
    number = _number(host, folder, token)
    try:
        return bool(number) and _is_script(host, folder, token, number)
    except Unreadable as error:
        return not error.absent


def _number(host: Host, folder: str, token: str) -> int:
    number = any_text(host, f"{folder}/{token}{_ARMED}").strip()
    return int(number) if number.isdigit() else 0


def _is_script(host: Host, folder: str, token: str, number: int) -> bool:
    """A process that has ended has no command line any more, also while nobody has asked for its exit code; and its number may have become another process's
    (proc(5)).

    :raises Unreadable: it has gone, or is kept from this process.
    """
    return f"{folder}/{token}{_SCRIPT}".encode() in host.data(f"/proc/{number}/cmdline")


def _read(host: Host, folder: str, token: str, ending: str) -> Pending | None:
    """None where the file has gone meanwhile."""
    text = any_text(host, f"{folder}/{token}{ending}")
    return _parse(text) if text else None


def _parse(text: str) -> Pending:
    try:
        return Pending(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise SubmarinerError(f"A file below {FOLDER} is damaged. Remove that folder; a boot does so, too.") from error


def _put_back(host: Host, folder: str, token: str) -> None:
    for line in any_text(host, f"{folder}/{token}{_BEFORE}").splitlines():
        value, _space, name = line.partition(" ")
        if mtus(host).get(name) not in (None, int(value)):
            set_kernel(host, f"/sys/class/net/{name}/mtu", value)
    os.rename(host.path(f"{folder}/{token}{_PENDING}"), host.path(f"{folder}/{token}{_REVERTED}"))
