# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host as a folder that can be written to, with programs that answer as they are told; their manual pages are named where they are."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Completed, Host, Unreadable


def make(root, files=None, answers=None):
    """:param files: paths to texts. :param answers: words of a command line to (exit code, output) or to a function; any other program is missing."""
    for path, text in (files or {}).items():
        real = root / path.lstrip("/")
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_text(text, encoding="utf-8")
    host = Host(str(root), lambda argv, timeout: answer(host, argv))
    host.asked = []
    host.answers = dict(answers or {})
    return host


def answer(host, argv):
    host.asked.append(" ".join(argv))
    found = host.answers.get(" ".join(argv))
    if found is None:
        raise Unreadable(f"there is no program {argv[0]}", absent=True)
    code, out = found() if callable(found) else found
    return Completed(code, out, "" if code == 0 else out)


def files(root):
    """All files below, by path."""
    return {"/" + str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in sorted(root.rglob("*")) if path.is_file()}
