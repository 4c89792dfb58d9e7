# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one module of the collection as its own process, as an ordinary user if told so: ``{"module": ..., "user": ..., "arguments": {...}}`` on standard input.

It imports before it changes the user, who may have no right to read the checkout. The result is what Ansible would get.
"""

from __future__ import annotations

import codecs
import importlib
import io
import json
import os
import pwd
import sys

from ansible.module_utils import basic

MODULES = "ansible_collections.fathom.submariner.plugins.modules"


def main() -> None:
    order = json.load(sys.stdin)
    module = importlib.import_module(f"{MODULES}.{order['module']}")
    sys.stdin = io.StringIO()
    for encoding in ("ascii", "idna"):  # loaded when first used, which may be too late
        codecs.lookup(encoding)
    if order["user"]:
        entry = pwd.getpwnam(order["user"])
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
        os.environ["HOME"] = "/nonexistent"
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": order["arguments"]}).encode()
    # Since ansible-core 2.19 also the serialization profile, which the module wrapper sets.
    basic._ANSIBLE_PROFILE = "legacy"
    module.main()


main()
