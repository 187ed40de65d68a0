"""All chaos trials: chains of kills of all kinds, and each fault once."""

import logging
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from ml_assets.resources.databases.postgresql_uri import with_driver
from ml_assets_tests.chaos import command_faults, faults, instance_faults, service_faults, storage_faults
from ml_assets_tests.chaos.child import run
from ml_assets_tests.chaos.content import Content, content, tables
from ml_assets_tests.chaos.instance_faults import SERVERS
from ml_assets_tests.chaos.kills import (
    STEPS,
    Report,
    boundaries_by_step,
    chosen_kills,
    kill_through,
    kill_through_requests,
)
from ml_assets_tests.chaos.places import KEYS, Place, change, copy_of, new_place
from ml_assets_tests.chaos.proxy import FaultProxy
from ml_assets_tests.support.local_instance import LocalInstance
from ml_assets_tests.support.postgresql import PostgresqlServer

KILLS_OF_A_STEP = 5
BUCKET = "chaos-of-the-tests"


@contextmanager
def s3_behind_proxy() -> Iterator[FaultProxy]:
    """Start a proxy in front of a real S3 HTTP server (moto), with a bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    os.environ.update(KEYS)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        with FaultProxy(f"http://{host}:{port}") as proxy:
            boto3.client("s3", endpoint_url=proxy.address, region_name="us-east-1").create_bucket(Bucket=BUCKET)
            yield proxy
    finally:
        server.stop()


class Suite:
    """Worlds under one folder: an undisturbed one, and one for each trial."""

    def __init__(self, root: Path, seed: int):
        self.root, self.draw = root, random.Random(seed)
        self.landed = new_place(root / "landed")
        self.undisturbed, self.boundaries = self._undisturbed(copy_of(self.landed, root / "undisturbed"))
        self._changed: tuple[Place, Content, dict] | None = None
        self._number = 0

    def _undisturbed(self, place: Place) -> tuple[Content, dict[str, dict[str, int]]]:
        # Beside the folder of the world, which may be copied.
        count = place.root.with_suffix(".boundaries")
        log = place.root / "undisturbed.log"
        if status := run(place, log, count=count):
            raise RuntimeError(f"the undisturbed run failed with status {status}:\n{log.read_text()[-3000:]}")
        return content(place), boundaries_by_step(count)

    @cached_property
    def demo(self) -> LocalInstance:
        """The shipped model, after `ml-assets run`."""
        return command_faults.run_demo(self.root / "demo")

    def new_folder(self) -> Path:
        """Name a new folder for a trial."""
        self._number += 1
        return self.root / f"trial-{self._number}"

    def kill_on_new_days(self) -> Report:
        """Run a chain of kills while all days are made for the first time."""
        place = self.new_world_in_folder()
        kills = {step: list(chosen_kills(self.boundaries[step], KILLS_OF_A_STEP, self.draw)) for step in STEPS}
        return kill_through(place, kills, self.undisturbed, "new days, in a directory", {})

    def kill_on_changed_days(self) -> Report:
        """Run a chain of kills while days are made again whose files were repaired."""
        if self._changed is None:
            before = copy_of(Place(self.root / "undisturbed"), self.root / "changed")
            change(before)
            wanted, boundaries = self._undisturbed(copy_of(before, self.root / "changed-undisturbed"))
            # Only parts that changed, and no pages, which have other parts as well.
            earlier, parts = self.undisturbed["reports"], [name for name in wanted["reports"] if name.endswith(".json")]
            wanted["reports"] = {
                name: wanted["reports"][name] for name in parts if wanted["reports"][name] != earlier.get(name)
            }
            self._changed = (before, wanted, boundaries)
        before, wanted, boundaries = self._changed
        kills = {step: list(chosen_kills(boundaries[step], KILLS_OF_A_STEP, self.draw)) for step in STEPS}
        return kill_through(
            copy_of(before, self.new_folder()), kills, wanted, "changed days, in a directory", tables(before)
        )

    def kill_at_requests(self, proxy: FaultProxy) -> Report:
        """Run a chain of kills at requests to S3, before and after they were carried out."""
        return kill_through_requests(
            self.new_world_in_bucket(proxy), proxy, KILLS_OF_A_STEP, self.draw, self.undisturbed
        )

    def new_world_in_bucket(self, proxy: FaultProxy) -> Place:
        """Make a new world in the bucket."""
        root = self.new_folder()
        return new_place(
            root, f"s3://{BUCKET}/{root.name}", {"endpoint_url": proxy.address, "region_name": "us-east-1"}
        )

    def chains(self, proxy: FaultProxy) -> Iterator[Report]:
        """Run chains of kills of the three kinds in turn, without end."""
        while True:
            yield self.kill_on_new_days()
            yield self.kill_on_changed_days()
            yield self.kill_at_requests(proxy)

    def faults(self, proxy: FaultProxy) -> list[Callable[[], Report]]:
        """List a trial for each fault."""
        wanted, draw = self.undisturbed, self.draw
        return [
            lambda: faults.damage_files(self.new_world_in_folder(), wanted),
            lambda: faults.run_twice_at_once(self.new_world_in_folder(), wanted),
            lambda: faults.set_clock_back(self.new_world_in_folder(), wanted),
            *(
                lambda kilobytes=kilobytes: faults.fill_disk(self.new_folder(), kilobytes, wanted)
                for kilobytes in (1400, 2500, 4000)
            ),
            self._restart_postgresql,
            lambda: faults.restart_mlflow(self.new_world_in_folder(), draw, wanted),
            *(
                lambda share=share: faults.inject_failing_requests(
                    self.new_world_in_bucket(proxy), proxy, share, draw, wanted
                )
                for share in (0.03, 0.15)
            ),
            lambda: faults.inject_outage(self.new_world_in_bucket(proxy), proxy, draw.randint(20, 200), wanted),
            lambda: command_faults.interrupt_runs(self.new_folder(), self.demo, draw),
            lambda: command_faults.begin_at_once(self.new_folder()),
            *(lambda name=name: instance_faults.kill_server(self.new_folder(), name) for name in SERVERS),
            lambda: instance_faults.start_runs_at_once(self.new_folder()),
            lambda: instance_faults.set_clock_back_between_ticks(self.new_folder()),
            lambda: service_faults.misuse_service(self.demo),
            lambda: storage_faults.flip_bits(self.new_folder(), self.demo, draw),
            lambda: storage_faults.lose_state(self.new_folder()),
        ]

    def new_world_in_folder(self) -> Place:
        """Make a new world in a folder."""
        return copy_of(self.landed, self.new_folder())

    def _restart_postgresql(self) -> Report:
        with PostgresqlServer() as server:
            place = new_place(
                self.new_folder(), mlflow=with_driver(server.new_database()), database=server.new_database()
            )
            try:
                return faults.restart_postgresql(server, place, self.draw, self.undisturbed)
            finally:
                # The commands of later trials would inherit it.
                os.environ.pop("ML_ASSETS_DATABASE", None)


def run_suite(root: Path, kills: int, seed: int, show: Callable[[Report], None]) -> list[Report]:
    """Run chains until there are at least so many kills, then each fault; show each trial when it is over."""
    reports: list[Report] = []

    def note(report: Report) -> None:
        reports.append(report)
        show(report)

    suite = Suite(root, seed)
    with s3_behind_proxy() as proxy:
        chains = suite.chains(proxy)
        while sum(len(report.kills) for report in reports) < kills:
            note(next(chains))
        for trial in suite.faults(proxy):
            note(trial())
    return reports
