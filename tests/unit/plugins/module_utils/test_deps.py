# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Missing libraries: the message says which, for which interpreter, and where a wrong one was found."""

from __future__ import annotations

import sys
import types

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils import _deps


@pytest.fixture
def hidden(monkeypatch, tmp_path):
    """Return a function that lets the import system find only ``source`` (or nothing) for a library."""

    def hide(name, source=None):
        for module in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
            monkeypatch.delitem(sys.modules, module)
        if source is None:
            monkeypatch.setattr(sys, "path", [str(tmp_path)])
        else:
            folder = tmp_path / name
            folder.mkdir()
            (folder / "__init__.py").write_text(source)
            monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    return hide


@pytest.mark.parametrize(
    "load, name, wanted",
    [
        (_deps.load_kubernetes, "kubernetes", "kubernetes >= 24.2.0"),
        (_deps.load_yaml, "yaml", "PyYAML"),
        (_deps.load_urllib3, "urllib3", "urllib3"),
        (_deps.load_cryptography, "cryptography", "cryptography >= 40.0.0"),
    ],
)
def test_an_absent_library_is_named_with_the_interpreter(hidden, load, name, wanted):
    hidden(name)
    with pytest.raises(_deps.MissingLibraryError) as caught:
        load()
    assert wanted in caught.value.message and sys.executable in caught.value.message and "Found" not in caught.value.message
    assert "ModuleNotFoundError" in caught.value.details["exception"]


def test_a_library_that_cannot_be_imported_is_named_with_its_file_and_cause(hidden, tmp_path):
    hidden("yaml", "import something_that_is_absent")
    with pytest.raises(_deps.MissingLibraryError) as caught:
        _deps.load_yaml()
    assert f"{tmp_path}/yaml/__init__.py" in caught.value.message and "something_that_is_absent" in caught.value.message


@pytest.mark.parametrize("version", ["12.0.1", "24.1.9", "9", "unknown"])
def test_a_kubernetes_package_that_is_too_old_is_named_with_version_and_file(monkeypatch, version):
    old = types.SimpleNamespace(__version__=version, __file__="/old/kubernetes/__init__.py")
    monkeypatch.setattr(_deps.importlib, "import_module", lambda name: old)
    with pytest.raises(_deps.MissingLibraryError) as caught:
        _deps.load_kubernetes()
    for part in ("kubernetes >= 24.2.0", f"version {version}", "/old/kubernetes/__init__.py", sys.executable):
        assert part in caught.value.message


@pytest.mark.parametrize("version", ["24.2.0", "24.10.1", "37.0.2", "100.0.0b1"])
def test_a_kubernetes_package_that_is_new_enough_is_returned(monkeypatch, version):
    package = types.SimpleNamespace(__version__=version)
    monkeypatch.setattr(_deps.importlib, "import_module", lambda name: package)
    assert _deps.load_kubernetes() is package


@pytest.mark.parametrize("version", ["3.4.8", "36.0.1", "39.0.2", "unknown"])
def test_a_cryptography_that_is_too_old_is_named_with_version_and_file(monkeypatch, version):
    old = types.SimpleNamespace(__version__=version, __file__="/old/cryptography/__init__.py")
    monkeypatch.setattr(_deps.importlib, "import_module", lambda name: old)
    with pytest.raises(_deps.MissingLibraryError) as caught:
        _deps.load_cryptography()
    for part in ("cryptography >= 40.0.0", f"version {version}", "/old/cryptography/__init__.py", "certificate of the Calico API server"):
        assert part in caught.value.message


def test_what_is_installed_here_is_loaded():
    assert _deps.load_kubernetes().client.Configuration and _deps.load_urllib3().Timeout and _deps.load_yaml().safe_load
    assert _deps.load_cryptography().x509.CertificateBuilder and _deps.load_cryptography().ec.SECP256R1
