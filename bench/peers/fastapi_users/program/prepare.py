"""Make the table of users."""

import asyncio

from app import User, engine


async def main() -> None:
    async with engine.begin() as connection:
        await connection.run_sync(User.metadata.create_all)


asyncio.run(main())
