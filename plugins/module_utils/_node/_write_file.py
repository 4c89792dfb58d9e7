# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Files on a node's host: replaced as a whole or not at all, keeping owner, mode and SELinux label, and never one that is not ours."""

from __future__ import annotations

import contextlib
import os
import tempfile

from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host, Unreadable

MARK = "# Managed by fathom.submariner"
_LABEL = "security.selinux"
_ROOT = "The task must run as root (become: true)."


def header(role: str) -> str:
    """The first lines of a file of ours."""
    return f"{MARK} (role {role}). Change the role's variables instead: what is written here is replaced.\n"


def ours(host: Host, path: str) -> str:
    """The text of a file of ours; empty where there is none.

    :raises RefusedError: somebody else's file has this name. :raises SubmarinerError: it cannot be read.
    """
    text = any_text(host, path)
    if text and not text.startswith(MARK):
        raise RefusedError(f'{path} is not ours: its first line does not begin with "{MARK}". It was left as it is. Move it away if it may go.')
    return text


def any_text(host: Host, path: str) -> str:
    """The text of a file; empty where there is none. :raises SubmarinerError: it cannot be read."""
    try:
        data = host.data(path)
    except Unreadable as error:
        if error.absent:
            return ""
        raise SubmarinerError(f"{error.why}. {_ROOT}") from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError(f"{path} is no UTF-8. It was left as it is.") from error


def put(host: Host, path: str, text: str, mode: int = 0o644) -> None:
    """Write a file in one step. The temporary file beside it has no ending for which a daemon would read it.

    :param mode: of a new file; an old one keeps its own.
    :raises SubmarinerError: it cannot be written; nothing has changed then.
    """
    temporary = ""
    try:
        real = os.path.realpath(host.path(path))
        folder = os.path.dirname(real)
        os.makedirs(folder, mode=0o755, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".fathom-submariner-", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        _dress(temporary, real, mode)
        os.replace(temporary, real)
        _settle(folder)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise SubmarinerError(f"{path} cannot be written: {error.strerror or error}. It was left as it is. {_ROOT}") from error


def replace(host: Host, path: str, text: str) -> None:
    """Write a file of ours, or remove it when there is nothing to say. :raises SubmarinerError: as :func:`put` and :func:`drop`."""
    if text:
        put(host, path, text)
    else:
        drop(host, path)


def drop(host: Host, path: str) -> None:
    """Remove a file, and the folder that it leaves empty if that has a name of a drop-in folder's kind.

    :raises SubmarinerError: it cannot be removed.
    """
    real = host.path(path)
    try:
        os.unlink(real)
        _settle(os.path.dirname(real))
    except FileNotFoundError:
        return
    except OSError as error:
        raise SubmarinerError(f"{path} cannot be removed: {error.strerror or error}. {_ROOT}") from error
    if os.path.dirname(real).endswith(".network.d"):
        with contextlib.suppress(OSError):  # somebody else's files are in it
            os.rmdir(os.path.dirname(real))


def set_kernel(host: Host, path: str, value: str) -> None:
    """Write a value to a file of /proc or /sys. :raises SubmarinerError: the kernel refuses it."""
    try:
        with open(host.path(path), "w", encoding="utf-8") as stream:
            stream.write(value)
    except OSError as error:
        hint = f" {_ROOT}" if isinstance(error, PermissionError) else ""
        raise SubmarinerError(f"The kernel does not take {value!r} for {path}: {error.strerror or error}.{hint}") from error


def _dress(temporary: str, real: str, mode: int) -> None:
    try:
        old = os.stat(real)
    except FileNotFoundError:
        os.chmod(temporary, mode)  # its label is that of new files in this folder
        return
    os.chown(temporary, old.st_uid, old.st_gid)
    os.chmod(temporary, old.st_mode & 0o7777)
    with contextlib.suppress(OSError):  # no SELinux here
        os.setxattr(temporary, _LABEL, os.getxattr(real, _LABEL))


def _settle(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
