# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""A manifest file on an RKE2 server: found, changed as a whole or not at all, and never left half-written for RKE2 to apply."""

from __future__ import annotations

import os
import shutil
import tempfile
import types
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_manifest import (
    SUFFIXES,
    holds_config,
    merge_into_manifest,
    mirrored_folder,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml import EditError
from ansible_collections.fathom.submariner.plugins.module_utils._deps import load_yaml
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import HIDDEN
from ansible_collections.fathom.submariner.plugins.module_utils._kube._values_text import hide_secrets

_LARGEST = 5_000_000  # bytes; a larger file in that folder is an archive's or a CRD's, and no HelmChartConfig's


def change_manifest(module: AnsibleModule) -> dict[str, t.Any]:
    """Merge the values into the file, and return the module's result.

    :raises SubmarinerError: there are several such files, or the one cannot be read, changed safely or written.
    """
    params, yaml = module.params, load_yaml()
    path = params["path"] or _find(os.path.join(params["data_dir"], "server", "manifests"), params["chart"], yaml)
    if not path or not os.path.exists(path):
        return {"changed": False, "path": "", "disruptive": []}
    path = os.path.realpath(path)
    folder = mirrored_folder(path)
    try:
        text = _read(path)
        after = merge_into_manifest(text, params["chart"], params["values"], params["replace"], yaml)
    except EditError as error:
        raise RefusedError(f"{path} cannot be changed safely: {error.message}. It was left as it is.") from error
    result: dict[str, t.Any] = {"changed": after.changed, "path": path, "disruptive": []}
    if not after.changed:
        return result
    if folder:
        raise RefusedError(
            f"{path} lies in {folder}, which role rancherfederal.rke2_ansible.rke2 mirrors from the controller: a change there would be lost. "
            "It was left as it is. Change the file's source, in the directory that rke2_manifest_config_directory or "
            "rke2_manifest_config_post_run_directory names."
        )
    header = f"{path}: values of chart {params['chart']}"
    result["diff"] = {
        "before_header": header,
        "after_header": header,
        "before": hide_secrets(after.values_before, HIDDEN),
        "after": hide_secrets(after.values_after, HIDDEN),
    }
    result["disruptive"] = interruptions(params["chart"], params["values"])
    if result["disruptive"] and not params["allow_disruption"]:
        message = f"{path}: this can interrupt traffic, so it needs allow_disruption=true (submariner_allow_disruption for the roles)"
        if not module.check_mode:
            raise RefusedError(f"{message}. Nothing was written. It would {'; '.join(result['disruptive'])}")
        module.warn(f"{message}; without it, the real run is refused.")
    if not module.check_mode:
        if params["backup"]:
            result["backup_file"] = module.backup_local(path)
        _replace(module, path, after.text)
    return result


def interruptions(chart: str, values: t.Mapping[str, t.Any]) -> list[str]:
    """What RKE2 does with the changed file that can interrupt traffic: it upgrades the chart at once. Of rke2-calico's values those of the API server alone
    roll nothing out that carries traffic."""
    keys = [key for key in values if (chart, key) != ("rke2-calico", "apiServer")]
    return [f"have RKE2 upgrade chart {chart} with other values of {', '.join(keys)}, and roll out what they configure"] if keys else []


def _find(manifests: str, chart: str, yaml: types.ModuleType) -> str:
    """The one file below a folder that holds the HelmChartConfig of a chart; "" where none does."""
    found = []
    for folder, folders, names in os.walk(manifests):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith(SUFFIXES) and os.path.isfile(path) and os.path.getsize(path) <= _LARGEST and _holds(path, chart, yaml):
                found.append(path)
    if len(found) > 1:
        raise RefusedError(f"The HelmChartConfig of {chart} stands in several files, and RKE2 takes whichever it applies last: {', '.join(found)}. Leave one.")
    return found[0] if found else ""


def _holds(path: str, chart: str, yaml: types.ModuleType) -> bool:
    try:
        return holds_config(_read(path), chart, yaml)
    except (EditError, UnicodeDecodeError):
        return False  # RKE2 cannot apply it either


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            return stream.read()
    except UnicodeDecodeError as error:
        raise EditError("it is no UTF-8") from error
    except OSError as error:
        raise SubmarinerError(f"{path} cannot be read: {error.strerror}. The task must run as root (become: true).") from error


def _replace(module: AnsibleModule, path: str, text: str) -> None:
    """Put a new file in the place of the old one in one step; until then it lies outside the folder that RKE2 watches."""
    temporary = ""
    try:
        parent = os.path.dirname(os.path.dirname(path))
        handle, temporary = tempfile.mkstemp(prefix=".submariner-", dir=parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        old = os.stat(path)
        os.chown(temporary, old.st_uid, old.st_gid)
        shutil.copymode(path, temporary)
        if module.selinux_enabled():
            module.set_context_if_different(temporary, module.selinux_context(path), False)
        os.replace(temporary, path)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise SubmarinerError(f"{path} cannot be written: {error.strerror}. It was left as it is. The task must run as root (become: true).") from error
