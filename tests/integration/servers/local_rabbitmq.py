"""RabbitMQ from the scripts on this machine."""

import subprocess
import time
from pathlib import Path
from typing import Any

from tests.integration.servers.local_server import LocalServer
from tests.integration.servers.ports import LoopbackPort

CONFIG = """\
listeners.tcp.local = 127.0.0.1:{port}
log.console = true
log.console.level = info
log.file = false
"""


class LocalRabbitMQ(LocalServer):
    """A node of its own name with its own epmd, the user guest, and no plugins.

    RabbitMQ looks through every plugin's folder for each module that it loads: run from a folder of links that has
    only its core beside it, it starts in 4 seconds instead of 7.

    RabbitMQ 3.10 writes the name of a new quorum queue to names.dets a second or two after it has declared it, and a
    queue without its name comes back but never finds a leader: `kill` waits for the names, `strand` takes one away.
    """

    name = "rabbitmq"
    start_seconds = 120

    def __init__(self) -> None:
        super().__init__()
        self._distribution, self._epmd = LoopbackPort(), LoopbackPort()
        self._installed = self._program.resolve().parent.parent
        self._home = self.folder / "home"

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self._port.number}/"

    def command(self) -> list[str]:
        return [str(self._home / "sbin" / "rabbitmq-server")]

    def environment(self) -> dict[str, str]:
        folder = self.folder
        return {
            **super().environment(),
            "RABBITMQ_NODENAME": f"bottomline-{self._port.number}@localhost",
            "RABBITMQ_SCRIPTS_DIR": str(self._home / "sbin"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "config"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_DIST_PORT": str(self._distribution.number),
            "RABBITMQ_SCHEDULER_BIND_TYPE": "u",  # bound schedulers of two nodes would share one core
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd.number),
        }

    def prepare(self) -> None:
        (self.folder / "rabbitmq.conf").write_text(CONFIG.format(port=self._port.number))
        (self.folder / "enabled_plugins").write_text("[].\n")
        if not self._home.exists():
            self._link_core()

    def _link_core(self) -> None:
        plugins = self._home / "plugins"
        plugins.mkdir(parents=True)
        for part in ("sbin", "escript"):
            (self._home / part).symlink_to(self._installed / part)
        for app in (self._installed / "plugins").iterdir():
            if not app.name.startswith("rabbitmq_") or app.name.startswith("rabbitmq_prelaunch"):
                (plugins / app.name).symlink_to(app)

    @property
    def _names(self) -> Path | None:
        return next(self.folder.glob("mnesia/*/quorum/*/names.dets"), None)

    def kill(self) -> None:
        deadline = time.monotonic() + 10
        while not self._knows_its_queues() and time.monotonic() < deadline:
            time.sleep(0.05)
        super().kill()

    def _knows_its_queues(self) -> bool:
        if (names := self._names) is None:
            return True
        known = names.read_bytes()
        return all(queue.name.encode() in known for queue in names.parent.iterdir() if queue.is_dir())

    def strand(self, queue: str) -> None:
        """Start again with a queue in the state of one that was declared in the last second before kill -9."""
        self.stop()
        forget = (
            f'{{ok, Names}} = dets:open_file(names, [{{file, "{self._names}"}}]),'
            f"ok = dets:match_delete(Names, {{'%2F_{queue}', '_'}}), ok = dets:close(Names), halt()."
        )
        self._run("erl", "-noshell", "-noinput", "-eval", forget)
        self.start()

    def control(self, *arguments: str) -> str:
        """Run `rabbitmqctl` on this node and return what it says."""
        return self._run(str(self._home / "sbin" / "rabbitmqctl"), "--quiet", *arguments)

    def _run(self, *command: str) -> str:
        where: dict[str, Any] = {"env": self.environment(), "cwd": self.folder, **self._account}
        said: str = subprocess.check_output(command, text=True, **where)  # noqa: S603 - the tests' own words
        return said

    def close(self) -> None:
        super().close()
        self._distribution.release()
        self._epmd.release()
