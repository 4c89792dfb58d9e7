# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""A program: runs a module of this collection from where it is installed. ``_run_module.py FOLDER MODULE`` reads the arguments from the standard input.

FOLDER is the one that package ``ansible`` lies in.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import types

COLLECTION = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def offer_collection() -> str:
    """Make this collection importable under its name, from whatever folder it is installed in, and whatever else has that name's beginning."""
    name, path = "ansible_collections.fathom.submariner", COLLECTION
    while name:
        package = types.ModuleType(name)
        package.__path__ = [path]
        sys.modules[name] = package
        name, path = name.rpartition(".")[0], os.path.dirname(path)
    return "ansible_collections.fathom.submariner.plugins.modules"


def main() -> None:
    folder, module = sys.argv[1:]
    # Python looks for packages in the folder of its program, too, which is not meant to hold any.
    here = os.path.realpath(os.path.dirname(__file__))
    sys.path[:] = [each for each in sys.path if os.path.realpath(each) != here]
    if importlib.util.find_spec("ansible") is None:
        sys.path.append(folder)
    sys.argv[1:] = []  # AnsibleModule then reads its arguments from the standard input
    importlib.import_module(f"{offer_collection()}.{module}").main()


if __name__ == "__main__":
    main()
