# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts one program and writes what it cost: ``python -S -E launch.py FILE PROGRAM ARGUMENT...``.

Linux counts what a process held before it became another program (exec) among that program's peak of memory. So the program is started by this
small process, not by the benchmark, which is larger than what it measures.
"""

import os
import sys
import time

began = time.perf_counter()
pid = os.fork()
if pid == 0:
    try:
        os.execvp(sys.argv[2], sys.argv[2:])
    finally:
        os._exit(127)
_pid, status, usage = os.wait4(pid, 0)
wall = time.perf_counter() - began
with open(sys.argv[1], "w", encoding="utf-8") as stream:
    stream.write(f"{os.waitstatus_to_exitcode(status)} {wall} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss / 1024}\n")
