"""Redis from the program on this machine."""

from tests.integration.servers.local_server import LocalServer


class LocalRedis(LocalServer):
    """Redis that keeps nothing on disk: after `kill` it is empty."""

    name = "redis"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port.number}/0"

    def command(self) -> list[str]:
        where = ["--bind", "127.0.0.1", "--port", str(self._port.number), "--dir", str(self.folder)]
        return [str(self._program), *where, "--save", "", "--appendonly", "no"]
