# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import struct

import pytest
from hypothesis import given, strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._wire import _route
from ansible_collections.fathom.submariner.plugins.module_utils._wire._route import NoRoute, attributes_of, kind_of, request, require_one_host, route_to


def answer(*attributes, kind=24):
    body = bytes(12)
    for number, value in attributes:
        length = 4 + len(value)
        body += struct.pack("=HH", length, number) + value + b"\0" * (-length % 4)
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 1, 0) + body


@pytest.mark.parametrize(("address", "family", "bits"), [("10.0.0.2", 2, 32), ("fd00::2", 10, 128)])
def test_the_request_names_the_address(address, family, bits):
    message = request(address)
    assert struct.unpack_from("=IHH", message) == (len(message), 26, 1)
    assert message[16:18] == bytes((family, bits)) and message.endswith(__import__("ipaddress").ip_address(address).packed)


def test_attributes_and_their_padding():
    found = attributes_of(answer((4, struct.pack("=I", 3)), (15, b"x"), (5, bytes((10, 0, 0, 1)))))
    assert found == {4: struct.pack("=I", 3), 15: b"x", 5: bytes((10, 0, 0, 1))}


@pytest.mark.parametrize(("data", "words"), [(struct.pack("=IHHIIi", 20, 2, 0, 1, 0, -101), "Network is unreachable"), (b"", "no answer")])
def test_errors_are_words(data, words):
    with pytest.raises(NoRoute) as raised:
        attributes_of(data)
    assert words in raised.value.why


@given(st.binary(max_size=200))
def test_any_bytes_are_attributes_or_no_route(data):
    try:
        assert isinstance(attributes_of(data), dict)
    except NoRoute as error:
        assert error.why


def test_the_loopback_is_reached_by_itself():
    route = route_to("127.0.0.1")
    assert (route.device, route.source) == ("lo", "127.0.0.1") and route.mtu == _route.device_mtu("lo")


def test_a_zone_is_the_device():
    assert route_to("fe80::1%lo").device == "lo"
    with pytest.raises(NoRoute) as raised:
        route_to("fe80::1%none0")
    assert "none0" in raised.value.why


def test_a_broadcast_address_and_a_device_that_is_not_there():
    """As this machine's kernel answers: 127.255.255.255 is the broadcast address of the loopback's network."""
    with pytest.raises(InputError, match="127.255.255.255 is the broadcast address"):
        require_one_host("127.255.255.255")
    with pytest.raises(InputError, match="has no device nope0"):
        require_one_host("fe80::1%nope0")
    require_one_host("127.0.0.1")
    require_one_host("fe80::1%lo")


def test_what_the_kernel_does_not_say_is_left_to_the_probe(monkeypatch):
    def fails(_plain):
        raise OSError

    assert kind_of(b"") == 0 and kind_of(answer(kind=2)) == 0
    monkeypatch.setattr(_route, "_asked", fails)
    require_one_host("10.0.0.2")
