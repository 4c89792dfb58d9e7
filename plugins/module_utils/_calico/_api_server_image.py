# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which image the Calico API server runs: the running release's, from the registry that calico-node is pulled from.

Registries that mirror Calico keep its components side by side and differ in what stands before them: ``docker.io/calico/node``, ``quay.io/calico/node``,
``rancher/mirrored-calico-node``, ``registry.example:5000/calico-node``.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import parse_calico_version

_COMPONENT = re.compile(r"(?P<prefix>(?:.*[-_.])?)node")
_NAME = "apiserver"


class Image(t.NamedTuple):
    """The parts of an image's name.

    :param repository: with its registry, ``docker.io/calico/node``.
    :param tag: "" where there is none.
    :param digest: ``sha256:...``, "" where there is none.
    """

    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def text(self) -> str:
        return self.repository + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse_image(text: str) -> Image:
    """The parts of ``text``; a colon before the last slash belongs to the registry's port."""
    name, _at, digest = text.partition("@")
    folder, slash, last = name.rpartition("/")
    base, _colon, tag = last.partition(":")
    return Image(f"{folder}{slash}{base}", tag, digest)


def api_server_image(calico_node: str, version: str) -> str:
    """The image of the API server beside that of calico-node, "" where the latter's name does not tell.

    A digest is calico-node's alone, so only the tag is taken over, and the running release where there is no tag.

    :param calico_node: image of calico-node's container.
    :param version: the running release, such as ``v3.27.4``; "" where it is not known.
    """
    found = parse_image(calico_node)
    folder, slash, name = found.repository.rpartition("/")
    component = _COMPONENT.fullmatch(name)
    tag = found.tag if parse_calico_version(found.tag) else version
    if component is None or not tag:
        return ""
    return Image(f"{folder}{slash}{component.group('prefix')}{_NAME}", tag).text


def of_release(image: str, wanted: str) -> str:
    """An image moved to the release of another one, in its own registry; itself where both are of one release."""
    mine, other = parse_image(image), parse_image(wanted)
    if parse_calico_version(mine.tag) == parse_calico_version(other.tag):
        return image
    return Image(mine.repository, other.tag).text
