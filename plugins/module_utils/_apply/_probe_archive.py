# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The program of probe pods as one file that Python runs (PEP 441), made of this collection's own files as they are installed.

It holds the entry point and what that imports of the collection, found by walking the imports, so that pods run the very code that the modules run.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import typing as t
import zipfile

from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._wire import _pod

COLLECTION = "ansible_collections.fathom.submariner."
# Imported above, so that it and all that it imports are among what Ansible sends to the host that the module runs on.
ENTRY = _pod.__name__
_MAIN = f"import sys\n\nfrom {ENTRY} import main\n\nsys.exit(main(sys.argv))\n"
_WHEN = (1980, 1, 1, 0, 0, 0)  # the first that the format knows: the same files make the same archive


def program() -> bytes:
    """The archive.

    :raises SubmarinerError: a file of the collection cannot be found.
    """
    sources = sources_of(ENTRY)
    files = {f"{name.replace('.', '/')}.py": text for name, text in sources.items()}
    for path in list(files):
        parts = path.split("/")[:-1]
        files.update({"/".join([*parts[:length], "__init__.py"]): "" for length in range(1, len(parts) + 1)})
    files["__main__.py"] = _MAIN
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path, _WHEN), text, zipfile.ZIP_DEFLATED, 9)
    return stream.getvalue()


def sources_of(entry: str) -> t.Dict[str, str]:
    """The texts of a module and of all that it imports of this collection, by name.

    :raises SubmarinerError: one of them cannot be found.
    """
    found: t.Dict[str, str] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = _source(name)
        waiting += _imported(name, found[name])
    return found


def _imported(name: str, text: str) -> t.Iterator[str]:
    """Of ``from a.b import c``, c where it is a file, else a.b."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            ours = [alias.name for alias in node.names if alias.name.startswith(COLLECTION)]
            if ours:
                raise SubmarinerError(f"{name} imports {ours[0]} by a statement that the packing of probes does not follow.")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(COLLECTION):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                # All files of module_utils begin with an underscore.
                yield inner if alias.name.startswith("_") and _is_module(inner) else str(node.module)


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, AttributeError):  # what it would be part of is no package
        return False


def _source(name: str) -> str:
    spec = importlib.util.find_spec(name)
    text = getattr(spec.loader, "get_source", lambda dummy: None)(name) if spec is not None else None
    if not text:
        raise SubmarinerError(f"The program of the probe pods cannot be packed: {name} of this collection has no source here. Install the collection anew.")
    return text.decode() if isinstance(text, bytes) else str(text)  # Ansible's own loader of collections gives bytes
