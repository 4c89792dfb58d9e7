# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs for pytest. In the conftest.py at the top of the tree::

    pytest_plugins = ["tests.lab.fixture"]

``lab`` is one of two empty clusters for the whole session; ``lab_factory`` makes others: ``lab_factory(incident="001")``, ``lab_factory(clusters=1)``.
``awake_labs.planted("rke2", "000-rke2-no-api-server")`` is a lab of a layout that reacts to what is written.
They end with the session, and with the test process however that ends.
"""

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

import pytest

from tests.lab import awake, changes, incident as incidents, lab as labs, planting
from tests.lab.info import LabInfo

Say = t.Callable[[str], None]


class LabFactory:
    """Starts labs below a folder and remembers them."""

    def __init__(self, folder: Path, say: Say) -> None:
        self._folder = folder
        self._say = say
        self._labs: dict[Path, labs.Lab] = {}
        self._made = 0

    def __call__(self, incident: str | None = None, **options: t.Any) -> LabInfo:
        """A lab, ready and planted.

        :param incident: id of an incident to plant.
        :param options: further fields of ``lab.Options``.
        """
        self._made += 1
        planted = incidents.load(incident) if incident else None
        started = labs.start(labs.Options(dir=self._folder / f"lab-{self._made}", incident=planted, **options), self._say)
        self._labs[started.info.dir] = started
        return planting.plant(started.info, planted, self._say) if planted else started.info

    def stop(self, lab: LabInfo) -> None:
        """Ends a lab before the session does, to free its memory."""
        self._labs.pop(lab.dir).stop()

    def stop_all(self) -> None:
        while self._labs:
            self._labs.popitem()[1].stop()


@pytest.fixture(scope="session")
def lab_factory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LabFactory]:
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        """Past pytest's capture: a first build takes minutes."""
        with capture.global_and_fixture_disabled():
            print(f"\n[lab] {text}", end="", flush=True)

    factory = LabFactory(tmp_path_factory.mktemp("lab"), say)
    yield factory
    factory.stop_all()


class AwakeLabs:
    """One awake lab of a layout at a time: the first test of a layout boots it, the first one of another layout ends it."""

    def __init__(self, factory: LabFactory) -> None:
        self._factory = factory
        self._lab: LabInfo | None = None

    @contextlib.contextmanager
    def planted(self, layout: str, incident: str | None = None) -> t.Iterator[LabInfo]:
        """The awake lab of a layout with an incident planted, or in health; everything is as it was in health afterwards.

        What cannot be brought back costs the next test a fresh lab.
        """
        if self._lab is None or self._lab.layout != layout:
            self.drop()
            self._lab = self._factory(incident=layout, awake=True)
        try:
            with awake.planted(self._lab, incidents.load(incident) if incident else None) as lab:
                yield lab
        except changes.NotRestored:
            self.drop()
            raise

    def drop(self) -> None:
        """Ends the lab; the next test boots another."""
        if self._lab is not None:
            self._factory.stop(self._lab)
            self._lab = None


@pytest.fixture(scope="session")
def awake_labs(lab_factory: LabFactory) -> t.Iterator[AwakeLabs]:
    """Labs of layouts that react to what is written (see ``awake.py``), shared by all tests of the session."""
    made = AwakeLabs(lab_factory)
    yield made
    made.drop()


@pytest.fixture(scope="session")
def lab(lab_factory: LabFactory) -> LabInfo:
    """Two empty clusters, shared by all tests of the session: leave in them what you found."""
    return lab_factory()
