# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Calico API server does to an IPPool before it stores it: defaults and validation. Pure.

Imitates libcalico-go lib/clientv3/ippool.go and lib/validator/v3, as of Calico v3.26; messages are upstream's, since the
route agent and its users match on them. Left out: the check of existing IPAM blocks, and that a pool with an encapsulation
switches it on in the FelixConfiguration.
"""

from __future__ import annotations

import ipaddress
import typing as t

Spec = dict[str, t.Any]
Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

NEVER = "Never"
MODES = ("", NEVER, "Always", "CrossSubnet")
ALLOWED_USES = ("Workload", "Tunnel")
DEFAULT_BLOCK_SIZE = {4: 26, 6: 122}
BLOCK_SIZES = {4: range(20, 33), 6: range(116, 129)}
LINK_LOCAL = {4: ipaddress.ip_network("169.254.0.0/16"), 6: ipaddress.ip_network("fe80::/10")}


class FieldError(t.NamedTuple):
    """One reason for refusing an object, named as libcalico-go's ErroredField does."""

    field: str
    value: t.Any
    reason: str


def from_storage(spec: Spec) -> Spec:
    """The spec as it is read: block size and node selector are filled in, also where no API server ever saw the pool."""
    filled = dict(spec)
    address = parse(str(spec.get("cidr", "")))
    if address and not filled.get("blockSize"):
        filled["blockSize"] = DEFAULT_BLOCK_SIZE[address.version]
    filled["nodeSelector"] = filled.get("nodeSelector") or "all()"
    return filled


def prepare(name: str, spec: Spec, old: Spec | None, others: t.Mapping[str, Spec]) -> tuple[Spec, list[FieldError]]:
    """The spec as it would be stored, and why it must not be.

    :arg old: the stored spec for an update, None for a create: only a create is compared with other pools.
    :arg others: the specs of all pools by name; the one called ``name`` is skipped.
    """
    spec = dict(spec)
    if not spec.get("cidr"):
        return spec, [FieldError("IPPool.Spec.CIDR", None, "IPPool CIDR must be specified")]
    address = parse(str(spec["cidr"]))
    if address is None:
        return spec, [FieldError("IPPool.Spec.CIDR", spec["cidr"], "IPPool CIDR must be a valid subnet")]
    network = address.network
    version = network.version
    spec["cidr"] = cidr = str(network)
    spec["nodeSelector"] = spec.get("nodeSelector") or "all()"
    spec["blockSize"] = block_size = spec.get("blockSize") or DEFAULT_BLOCK_SIZE[version]
    for mode in ("ipipMode", "vxlanMode"):
        spec[mode] = spec.get(mode) or NEVER
    spec["allowedUses"] = spec.get("allowedUses") or list(ALLOWED_USES)
    errors: list[FieldError] = []

    def refuse(field: str, value: t.Any, reason: str) -> None:
        errors.append(FieldError(f"IPPool.Spec.{field}", value, reason))

    if old is not None and old.get("cidr") != cidr:
        refuse("CIDR", cidr, "IPPool CIDR cannot be modified")
    if old is not None and from_storage(old)["blockSize"] != block_size:
        refuse("BlockSize", block_size, "IPPool BlockSize cannot be modified")
    if block_size not in BLOCK_SIZES[version]:
        sizes = BLOCK_SIZES[version]
        refuse("BlockSize", block_size, f"IPv{version} block size must be between {sizes[0]} and {sizes[-1]}")
    if not spec.get("disabled") and network.prefixlen > block_size:
        refuse("CIDR", cidr, "IP pool size is too small for use with Calico IPAM. It must be equal to or greater than the block size.")
    if old is None:
        for other, other_cidr in overlapping(network, {key: value for key, value in others.items() if key != name}):
            refuse("CIDR", cidr, f"IPPool({name}) CIDR overlaps with IPPool({other}) CIDR {other_cidr}")
    if spec["vxlanMode"] != NEVER and spec["ipipMode"] != NEVER:
        refuse("VXLANMode", spec["vxlanMode"], "Cannot enable both VXLAN and IPIP on the same IPPool")
    if version == 6 and spec["ipipMode"] != NEVER:
        refuse("IPIPMode", spec["ipipMode"], "IPIP is not supported on an IPv6 IP pool")
    if address.ip != network.network_address:
        refuse("CIDR", cidr, "IPPool CIDR is not strictly masked")
    if network.overlaps(LINK_LOCAL[version]):
        refuse("CIDR", cidr, f"IPPool CIDR overlaps with IPv{version} Link Local range {LINK_LOCAL[version]}")
    return spec, errors or tag_errors(spec)


def tag_errors(spec: Spec) -> list[FieldError]:
    """What the struct validator says of values outside their enumeration; it runs only after the checks above passed."""
    errors = []
    for key, field, tag in (("ipipMode", "IPIPMode", "ipIpMode"), ("vxlanMode", "VXLANMode", "vxlanMode")):
        if spec[key] not in MODES:
            errors.append(FieldError(f"IPPoolSpec.{field}", spec[key], f"failed to validate Field: {field} because of Tag: {tag} "))
    for use in spec["allowedUses"]:
        if use not in ALLOWED_USES:
            errors.append(FieldError("IPPoolSpec.AllowedUses[]", use, f"unknown use: {use}"))
    return errors


def overlapping(network: Network, pools: t.Mapping[str, Spec]) -> list[tuple[str, str]]:
    """Name and CIDR of every pool that shares an address with a network, disabled ones too; unreadable ones are skipped."""
    found = []
    for name, spec in pools.items():
        other = parse(str(spec.get("cidr", "")))
        if other and other.version == network.version and other.network.overlaps(network):
            found.append((name, str(spec["cidr"])))
    return found


def parse(text: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface | None:
    """As Go's net.ParseCIDR: an address and a prefix length in digits; None for anything else."""
    address, slash, length = text.partition("/")
    if not slash or not length.isdecimal():
        return None
    try:
        return ipaddress.ip_interface(text)
    except ValueError:
        return None
