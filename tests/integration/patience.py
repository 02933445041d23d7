"""How long tests wait for a server that is only slow."""

PATIENT = 10.0
"""Seconds that a test about counting, not about being quick, waits for Redis on a machine that is busy."""
