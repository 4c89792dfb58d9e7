# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A path of the command line, as its user meant it."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: local_path
short_description: A path of the command line, as its user meant it
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Makes a path absolute, beginning at the directory in which C(ansible-playbook) was started. Modules that run on the controller would begin at the playbook's
    directory, which for a playbook of a collection is where the collection is installed.
  - C(~) is the home directory. An empty path stays empty.
options:
  _input:
    description:
      - A path.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Look into a bundle of which the user gave the path with -e
  fathom.submariner.bundle_info:
    bundle: "{{ submariner_bundle | fathom.submariner.local_path }}"
"""

RETURN = r"""
_value:
  description:
    - The absolute path, or an empty text.
  type: str
"""


def local_path(path: t.Any) -> str:
    """Return the absolute path; "" for None and "", which is how an answer that was not given arrives."""
    if path is None or path == "":
        return ""
    if not isinstance(path, str):
        raise AnsibleFilterError(f"local_path: wants a path, not {path!r}")
    return os.path.abspath(os.path.expanduser(path))


class FilterModule:
    """Names the filters."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return them."""
        return {"local_path": local_path}
