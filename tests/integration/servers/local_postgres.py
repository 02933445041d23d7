"""Postgres from the programs on this machine."""

import ctypes
import secrets
import signal
import time

from tests.integration.servers.local_server import LocalServer

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a temporary folder's path may be longer than a socket's may
    "shared_buffers": "32MB",
    "max_connections": "200",
    "fsync": "on",  # the tests are about what survives
    "dynamic_shared_memory_type": "mmap",  # in the data folder; /dev/shm would keep it after kill -9
}

SHARED_MEMORY_LINE = 6  # of postmaster.pid: see postgres, src/include/utils/pidfile.h
IPC_RMID = 0  # linux/ipc.h


class LocalPostgres(LocalServer):
    """Postgres with the superuser `bottomline` and a password of its own."""

    name = "postgres"
    stop_signal = signal.SIGINT  # fast shutdown
    parting_signal = signal.SIGQUIT  # immediate shutdown: as quick as kill -9, but frees its System V memory

    def __init__(self) -> None:
        super().__init__()
        self._password = secrets.token_hex(16)
        self._data = self.folder / "data"

    @property
    def url(self) -> str:
        return f"postgresql://bottomline:{self._password}@127.0.0.1:{self._port.number}/postgres"

    def command(self) -> list[str]:
        settings = {"port": str(self._port.number), **SETTINGS}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [str(self._program), "-D", str(self._data), *options]

    def prepare(self) -> None:
        if self._data.exists():
            return
        password = self.folder / "password"
        password.write_text(self._password)
        self._own(password)
        command = [str(self._program.with_name("initdb")), "-D", str(self._data), "-U", "bottomline", "-E", "UTF8"]
        self._spawn([*command, "--no-locale", "-A", "scram-sha-256", "--pwfile", str(password), "--no-sync"])
        while (code := self._guard.exit_code()) is None:
            time.sleep(0.01)
        if code:
            raise self._failure(f"initdb ended with exit code {code}")

    def kill(self) -> None:
        """Kill -9 every process, and free the System V memory that this leaves, as the next start would."""
        super().kill()
        lock = self._data / "postmaster.pid"
        if lock.exists():
            _key, identity = lock.read_text().splitlines()[SHARED_MEMORY_LINE].split()
            ctypes.CDLL(None).shmctl(int(identity), IPC_RMID, None)
