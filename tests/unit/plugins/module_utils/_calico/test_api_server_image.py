# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server's image beside calico-node's, in the registries that people use."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_server_image import Image, api_server_image, of_release, parse_image

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("calico_node", "version", "image"),
    [
        ("docker.io/calico/node:v3.27.4", "v3.27.4", "docker.io/calico/apiserver:v3.27.4"),
        ("quay.io/calico/node:v3.31.5", "v3.31.5", "quay.io/calico/apiserver:v3.31.5"),
        ("calico/node:v3.26.1", "", "calico/apiserver:v3.26.1"),
        ("rancher/mirrored-calico-node:v3.26.3", "v3.26.3", "rancher/mirrored-calico-apiserver:v3.26.3"),
        ("registry.example:5000/mirror/calico-node:v3.29.2", "v3.29.2", "registry.example:5000/mirror/calico-apiserver:v3.29.2"),
        ("registry.example:5000/calico_node:v3.29.2-patched1", "v3.29.2", "registry.example:5000/calico_apiserver:v3.29.2-patched1"),
        (f"registry.example/calico/node@{DIGEST}", "v3.28.1", "registry.example/calico/apiserver:v3.28.1"),
        (f"registry.example/calico/node:v3.28.1@{DIGEST}", "v3.28.1", "registry.example/calico/apiserver:v3.28.1"),
        ("registry.example:5000/calico/node", "v3.28.1", "registry.example:5000/calico/apiserver:v3.28.1"),
        ("registry.example/calico/node:latest", "v3.28.1", "registry.example/calico/apiserver:v3.28.1"),
        ("registry.example/calico/node:latest", "", ""),
        ("quay.io/calico/calico:v3.34.0", "v3.34.0", ""),
        ("registry.example/notanode2:v3.28.1", "v3.28.1", ""),
        ("", "v3.28.1", ""),
    ],
)
def test_it_is_the_release_that_runs_from_the_registry_that_is_used(calico_node, version, image):
    assert api_server_image(calico_node, version) == image


@pytest.mark.parametrize(
    ("image", "wanted", "moved"),
    [
        ("a.example/x/apiserver:v3.26.4", "b.example/calico/apiserver:v3.27.4", "a.example/x/apiserver:v3.27.4"),
        ("a.example/x/apiserver:v3.27.4-fips", "b.example/calico/apiserver:v3.27.4", "a.example/x/apiserver:v3.27.4-fips"),
        (f"a.example:5000/x/apiserver@{DIGEST}", "b.example/calico/apiserver:v3.27.4", "a.example:5000/x/apiserver:v3.27.4"),
    ],
)
def test_moving_to_another_release_keeps_the_registry(image, wanted, moved):
    assert of_release(image, wanted) == moved
    assert of_release(moved, wanted) == moved


name = st.from_regex(r"[a-z0-9]+([._-][a-z0-9]+)*", fullmatch=True)


@given(
    st.lists(name, min_size=1, max_size=3),
    st.one_of(st.just(""), st.integers(1, 65535).map(str)),
    st.from_regex(r"(|[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20})", fullmatch=True),
    st.booleans(),
)
def test_parsing_an_image_loses_nothing(folders, port, tag, digest):
    text = f"registry.example{f':{port}' if port else ''}/{'/'.join(folders)}{f':{tag}' if tag else ''}{f'@{DIGEST}' if digest else ''}"
    parsed = parse_image(text)
    assert parsed.text == text
    assert parsed == Image(parsed.repository, tag, DIGEST if digest else "")
