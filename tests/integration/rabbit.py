"""A broker as it was before."""

import aio_pika

from adapters.rabbitmq import topology
from adapters.rabbitmq.topology import EVENTS, PARKED

IMPATIENT = (0.05,)
"""Seconds that messages wait before another try, where a test does not want to."""


async def forget_topology(url: str) -> None:
    """Remove our exchanges and queues."""
    waiting = [f"bottomline.wait.{seconds}s" for seconds in {*topology.WAITS, *IMPATIENT}]
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        for queue in ("bottomline.mails", "bottomline.sessions", PARKED, *waiting):
            await channel.queue_delete(queue)
        for exchange in (EVENTS, PARKED, *waiting):
            await channel.exchange_delete(exchange)
