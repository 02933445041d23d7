"""nginx from the program on this machine."""

from tests.integration.servers.local_server import LocalServer


class LocalNginx(LocalServer):
    """nginx with the configuration that stands in `config` when it starts; it is to listen on `address`."""

    name = "nginx"
    config = ""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port.number}"

    @property
    def url(self) -> str:
        return f"http://localhost:{self._port.number}"

    def prepare(self) -> None:
        (self.folder / "nginx.conf").write_text(self.config)

    def command(self) -> list[str]:
        return [str(self._program), "-p", str(self.folder), "-e", "stderr", "-c", str(self.folder / "nginx.conf")]
