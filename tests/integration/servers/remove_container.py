"""Remove the container of this name with its volumes: the farewell of a guard, `python remove_container.py NAME`.

The run may have been killed while the engine was still making it, so it is looked for a little longer.
"""

import sys
import time

import docker  # type: ignore[import-untyped]
from docker.errors import APIError, NotFound  # type: ignore[import-untyped]


def main(name: str) -> None:
    engine = docker.from_env()
    for _ in range(10):
        try:
            engine.api.remove_container(name, v=True, force=True)
        except NotFound:
            time.sleep(0.2)
        except APIError:  # it is being removed already
            return
        else:
            return


if __name__ == "__main__":
    main(sys.argv[1])
