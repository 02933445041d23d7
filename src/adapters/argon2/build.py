"""How the bindings of argon2 were built."""

import platform
from importlib.metadata import PackageNotFoundError, distribution

BINDINGS = "argon2-cffi-bindings"


def published_for_any_processor() -> str | None:
    """The version of the bindings, where others of the same version would hash about twice as fast; else None.

    The published ones for x86-64 use nothing newer than SSE2. Compiled for a processor with AVX2 (since 2013), argon2's
    own code does a block in half of the time. Only the tag of a published wheel names a C library's version.
    """
    try:
        bindings = distribution(BINDINGS)
    except PackageNotFoundError:
        return None
    wheel = bindings.read_text("WHEEL") or ""
    is_published = "manylinux" in wheel or "musllinux" in wheel
    return bindings.version if is_published and platform.machine() == "x86_64" else None
