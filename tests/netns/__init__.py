# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces as hosts: real devices, routers, tunnels and firewalls, without a second machine. Needs root and iproute2.

    @pytest.mark.netns
    def test_something(world):                                  # fixture of tests.netns.fixture; all of it is gone after the test
        a, b = world.host("a"), world.host("b")
        world.link(a, "eth0", b, "eth0", mtu=1500)              # a veth pair, up on both ends
        a.address("eth0", "10.1.0.1/24"); b.address("eth0", "10.1.0.2/24")
        assert a.run("ping", "-c1", "10.1.0.2").returncode == 0

``shapes.line(world, (1500, 1400, 1500))`` is a chain of routers; ``shapes.mesh(...)`` lays a VXLAN device over hosts.

Three ways to run something on a host:

- ``host.run("ip", "-j", "addr")``: a program; ``host.start(...)`` one that goes on; ``host.nft(...)``, ``host.sysctl(...)`` are short for some.
- ``host.module("path_mtu", {...}, user="nobody")``: a module of this collection in a process of its own, in well under a second; its result as a dict.
- ``world.playbook(plays, ...)``: Ansible itself, by ``ansible-playbook``. Its connection is ``ssh`` with a program in place of OpenSSH's that enters the
  namespace as ``ansible_user``: everything is as over SSH, except the wire. ``world.inventory()`` writes the inventory alone.

A host shares the files of the machine, except what is its own: ``/sys`` (so ``/sys/class/net``), ``/proc/sys/net``, and folders that were named in
``host.own("/etc/sysctl.d")``: empty at first, bind-mounted over the real one for everything that runs on the host, kept in ``host.folder("/etc/sysctl.d")``.
"""
