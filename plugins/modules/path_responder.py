#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: path_responder
short_description: Answer probes on a node for a bounded time
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Starts a small process on a node that answers M(fathom.submariner.path_probe) and M(fathom.submariner.path_mtu) over TCP and UDP on one port, and
    ends by itself
    after O(lifetime), whatever becomes of the run that started it. It writes no file and needs no root.
  - It answers O(peers) and nobody else, a datagram never with more bytes than it had, and never another responder's answer.
  - It is found again by its port, also when somebody else started it. It takes orders from its own host only.
extends_documentation_fragment:
  - fathom.submariner._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - A process for some minutes is no part of what is configured.
  idempotent:
    support: full
    details:
      - One that runs with the same addresses and peers goes on, and its lifetime begins anew.
options:
  state:
    description:
      - V(present) starts it, or lets it live anew.
      - V(absent) ends it.
    type: str
    choices: [present, absent]
    default: present
  addresses:
    description:
      - Addresses of this host to answer on, such as its own, that of C(vxlan.calico) and that of C(vx-submariner). One that its device brings later counts from
        then on. Needed with O(state=present).
    type: list
    elements: str
    default: []
  port:
    description:
      - TCP and UDP port.
    type: int
    default: 28470
  peers:
    description:
      - Addresses or networks that are answered. Empty answers everybody who reaches the port.
    type: list
    elements: str
    default: []
  lifetime:
    description:
      - Seconds after which it ends by itself, at most 86400.
    type: int
    default: 300
seealso:
  - module: fathom.submariner.path_probe
  - module: fathom.submariner.path_mtu
"""

EXAMPLES = r"""
- name: Answer the neighbours for five minutes
  fathom.submariner.path_responder:
    addresses: [10.0.0.12, 10.42.2.0]
    peers: [10.0.0.0/24, 10.42.0.0/16]

- name: End it, and see who was heard
  fathom.submariner.path_responder:
    state: absent
  register: ended
"""

RETURN = r"""
running:
  description: Whether it runs now, or in check mode would.
  returned: success
  type: bool
absent_addresses:
  description: Those of O(addresses) that no device of this host has yet.
  returned: success
  type: list
  elements: str
responder:
  description: What it said of itself, with V(absent) at its end; null without one.
  returned: success
  type: dict
  contains:
    addresses:
      description: Addresses it answers on.
      returned: success
      type: list
      elements: str
    port:
      description: Its port.
      returned: success
      type: int
    peers:
      description: Whom it answers.
      returned: success
      type: list
      elements: str
    left:
      description: Seconds that it will live.
      returned: success
      type: float
    answered:
      description: Exchanges by protocol, C(tcp) and C(udp).
      returned: success
      type: dict
    heard_from:
      description: The same by address of the peer.
      returned: success
      type: dict
    checksum_errors:
      description: Packets that this host's kernel dropped for wrong checksums since it began, by protocol; others' traffic counts, too.
      returned: success
      type: dict
lines:
  description: The same for a person.
  returned: success
  type: list
  elements: str
"""

import ipaddress
import socket

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._wire import _daemon
from ansible_collections.fathom.submariner.plugins.module_utils._wire._bounds import require_address, require_number, require_numbers
from ansible_collections.fathom.submariner.plugins.module_utils._wire._responder import Terms, responder_line
from ansible_collections.fathom.submariner.plugins.module_utils._wire._ways import FAMILY, socket_address


def argument_spec():
    return {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "addresses": {"type": "list", "elements": "str", "default": []},
        "port": {"type": "int", "default": 28470},
        "peers": {"type": "list", "elements": "str", "default": []},
        "lifetime": {"type": "int", "default": 300},
    }


def terms_of(params):
    """
    :raises InputError: an option cannot be used.
    """
    if not params["addresses"]:
        raise InputError("addresses is empty: name the addresses of this host that the responder answers on.")
    for address in params["addresses"]:
        require_address(address, "addresses")
    require_numbers({"lifetime": params["lifetime"], "port": params["port"]})
    try:
        for peer in params["peers"]:
            ipaddress.ip_network(peer, strict=False)
    except ValueError as error:
        raise InputError(f"peers: {error}. Write an address or a network, such as 10.0.0.0/24. Nothing was started.") from error
    return Terms(tuple(params["addresses"]), params["port"], float(params["lifetime"]), tuple(params["peers"]))


def absent(addresses):
    """Those addresses that cannot be bound, since no device has them."""
    missing = []
    for address in addresses:
        with socket.socket(FAMILY[ipaddress.ip_address(address.partition("%")[0]).version], socket.SOCK_DGRAM) as tried:
            try:
                tried.bind(socket_address(address, 0))
            except OSError:
                missing.append(address)
    return missing


def present(params, check_mode):
    """Whether something changed, and the status.

    :raises SubmarinerError: an option cannot be used, or the port cannot be listened on.
    """
    terms = terms_of(params)
    found = _daemon.status(terms.port)
    if found is not None and found.get("addresses") == list(terms.addresses) and found.get("peers") == list(terms.peers):
        if check_mode:
            return False, found
        renewed = _daemon.renew(terms.port, terms.lifetime)
        if renewed is not None:
            return False, renewed
        found = None
    if check_mode:
        return True, found
    if found is not None:
        _daemon.stop(terms.port)
    return True, _daemon.start(terms)


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    try:
        if params["state"] == "present":
            changed, status = present(params, module.check_mode)
        else:
            require_number("port", params["port"])
            status = _daemon.status(params["port"]) if module.check_mode else _daemon.stop(params["port"])
            changed = status is not None
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    missing = absent(params["addresses"]) if params["state"] == "present" else []
    lines = [responder_line(status)] if status else []
    module.exit_json(changed=changed, running=params["state"] == "present", responder=status, absent_addresses=missing, lines=lines)


if __name__ == "__main__":
    main()
