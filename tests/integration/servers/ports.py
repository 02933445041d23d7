"""Loopback ports that stay ours."""

import random
import socket

LOWEST, HIGHEST = 10_000, 32_000  # below the ephemeral range, where a client's own port could take the server's place


class LoopbackPort:
    """A free TCP port of 127.0.0.1, reserved against every other test run until `release`.

    The UDP port of the same number is held: no server of ours uses it, and no two processes can.
    """

    def __init__(self) -> None:
        while True:
            self.number = random.randint(LOWEST, HIGHEST)
            self._claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self._claim.bind(("127.0.0.1", self.number))
                with socket.socket() as trial:
                    trial.bind(("127.0.0.1", self.number))
            except OSError:
                self._claim.close()
            else:
                return

    def release(self) -> None:
        self._claim.close()
