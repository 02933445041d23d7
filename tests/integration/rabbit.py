"""A broker as it was before."""

import aio_pika

from adapters.rabbitmq.topology import EVENTS, PARKED

OURS = ("bottomline.mails", "bottomline.sessions", PARKED)


async def forget_topology(url: str) -> None:
    """Remove our exchanges and queues."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        for queue in OURS:
            await channel.queue_delete(queue)
        for exchange in (EVENTS, PARKED):
            await channel.exchange_delete(exchange)
