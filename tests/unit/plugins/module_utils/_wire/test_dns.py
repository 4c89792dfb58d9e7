# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._wire import _dns

ASKED = _dns.question("kubernetes.default.svc.cluster.local.", "A")


def test_a_query_is_what_the_rfc_says():
    assert ASKED == b"\x0akubernetes\x07default\x03svc\x07cluster\x05local\0\0\1\0\1"
    assert _dns.query(0x1234, ASKED, False) == b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + ASKED
    assert _dns.query(1, ASKED, True).endswith(b"\0\0\x29\x10\0\0\0\0\0\0\0")


@pytest.mark.parametrize(("name", "kind"), [("a..b", "A"), ("x" * 64, "A"), (".".join(["abcdefg"] * 40), "A"), ("a", "MX")])
def test_what_cannot_be_asked_is_refused(name, kind):
    with pytest.raises(InputError):
        _dns.question(name, kind)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x12\x34\x81\x83\0\1\0\0\0\0\0\0" + ASKED, _dns.Answer(0x1234, "NXDOMAIN", False, True)),
        (b"\x12\x34\x83\x80\0\1\0\0\0\0\0\0" + ASKED.upper() + b"more", _dns.Answer(0x1234, "NOERROR", True, True)),
        (b"\x12\x34\x81\x81\0\0\0\0\0\0\0\0", _dns.Answer(0x1234, "FORMERR", False, True)),
        (b"\x12\x34\x81\x8b\0\1\0\0\0\0\0\0" + ASKED.replace(b"local", b"lokal"), _dns.Answer(0x1234, "code 11", False, False)),
        (_dns.query(1, ASKED, False), None),
        (b"", None),
    ],
)
def test_answers(data, expected):
    assert _dns.answer_of(data, ASKED) == expected


@given(st.binary(max_size=100))
def test_any_bytes_are_an_answer_or_none(data):
    found = _dns.answer_of(data, ASKED)
    assert found is None or (len(data) >= 12 and data[2] & 0x80)
