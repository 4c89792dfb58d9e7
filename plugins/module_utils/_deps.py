# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The one place that imports third-party Python libraries, and says what to do where one is missing or too old.

They are imported when first used: ``kubernetes`` costs a third of a second, which a module that reads a bundle need not pay.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import traceback
import types

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError

MINIMUM_KUBERNETES = "24.2.0"  # the oldest that kubernetes.core supports too
MINIMUM_CRYPTOGRAPHY = "40.0.0"  # Certificate.verify_directly_issued_by


class MissingLibraryError(SubmarinerError):
    """A Python library is missing or too old for the interpreter that runs the module."""


def load_kubernetes() -> types.ModuleType:
    """Return the package ``kubernetes`` with its ``client`` and ``config`` loaded.

    :raises MissingLibraryError: it cannot be imported, or is older than MINIMUM_KUBERNETES.
    """
    for name in ("kubernetes.client", "kubernetes.config"):
        _load(name, "kubernetes", MINIMUM_KUBERNETES, "to talk to the API server")
    package = _load("kubernetes", "kubernetes", MINIMUM_KUBERNETES, "to talk to the API server")
    found = str(getattr(package, "__version__", "unknown"))
    if _numbers(found) < _numbers(MINIMUM_KUBERNETES):
        raise MissingLibraryError(
            missing_required_lib(f"kubernetes >= {MINIMUM_KUBERNETES}", reason="to talk to the API server")
            + f" Found version {found} in {getattr(package, '__file__', None)}."
        )
    return package


def load_urllib3() -> types.ModuleType:
    """Return ``urllib3``, which ``kubernetes`` depends on and whose connections are used directly.

    :raises MissingLibraryError: it cannot be imported.
    """
    return _load("urllib3", "urllib3", "", "to talk to the API server")


def load_yaml() -> types.ModuleType:
    """Return ``yaml`` (PyYAML).

    :raises MissingLibraryError: it cannot be imported.
    """
    return _load("yaml", "PyYAML", "", "to read YAML")


def load_jmespath() -> types.ModuleType:
    """Return ``jmespath``, which only users' own checks need.

    :raises MissingLibraryError: it cannot be imported.
    """
    return _load("jmespath", "jmespath", "", "to evaluate the expressions of user_checks")


def load_cryptography() -> types.SimpleNamespace:
    """Return what is used of ``cryptography``, which only the Calico API server of a manifest installation needs: x509, ec, hashes, serialization, exceptions.

    :raises MissingLibraryError: it cannot be imported, or is older than MINIMUM_CRYPTOGRAPHY.
    """
    reason = "to make and check the certificate of the Calico API server"
    package = _load("cryptography", "cryptography", MINIMUM_CRYPTOGRAPHY, reason)
    found = str(getattr(package, "__version__", "unknown"))
    if _numbers(found) < _numbers(MINIMUM_CRYPTOGRAPHY):
        raise MissingLibraryError(
            missing_required_lib(f"cryptography >= {MINIMUM_CRYPTOGRAPHY}", reason=reason)
            + f" Found version {found} in {getattr(package, '__file__', None)}."
        )
    names = ("x509", "exceptions", "hazmat.primitives.hashes", "hazmat.primitives.serialization", "hazmat.primitives.asymmetric.ec")
    parts = {name.rpartition(".")[2]: _load(f"cryptography.{name}", "cryptography", MINIMUM_CRYPTOGRAPHY, reason) for name in names}
    return types.SimpleNamespace(**parts)


def _load(name: str, distribution: str, minimum: str, reason: str) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        wanted = f"{distribution} >= {minimum}" if minimum else distribution
        # Present and broken (a dependency of its own is missing) needs another cure than absent: name file and cause.
        spec = importlib.util.find_spec(name.split(".", maxsplit=1)[0])
        found = f" Found {spec.origin}, which cannot be imported: {error}." if spec else ""
        raise MissingLibraryError(missing_required_lib(wanted, reason=reason) + found, exception=traceback.format_exc()) from error


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
