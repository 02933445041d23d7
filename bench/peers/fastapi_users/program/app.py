"""Register, log in, log out and tell who is logged in, by the routers of fastapi-users."""

import os
import uuid
from collections.abc import AsyncIterator
from typing import Annotated

import redis.asyncio
from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, CookieTransport, RedisStrategy
from fastapi_users.db import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users.password import PasswordHelper
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

TWO_WEEKS = 14 * 24 * 3600

engine = create_async_engine(
    os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+asyncpg:", 1), pool_size=15, max_overflow=0
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
tokens = redis.asyncio.from_url(os.environ["REDIS_URL"], decode_responses=True)
passwords = PasswordHelper(
    PasswordHash(
        (
            Argon2Hasher(
                time_cost=int(os.environ["ARGON2_TIME"]),
                memory_cost=int(os.environ["ARGON2_MEMORY_KIB"]),
                parallelism=1,
            ),
        )
    )
)


class Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTableUUID, Base):
    pass


class UserManager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    reset_password_token_secret = os.environ["SECRET"]
    verification_token_secret = os.environ["SECRET"]


class UserRead(schemas.BaseUser[uuid.UUID]):
    pass


class UserCreate(schemas.BaseUserCreate):
    pass


class UserUpdate(schemas.BaseUserUpdate):
    pass


async def user_database() -> AsyncIterator[SQLAlchemyUserDatabase[User, uuid.UUID]]:
    async with sessions() as session:
        yield SQLAlchemyUserDatabase(session, User)


async def user_manager(
    users: Annotated[SQLAlchemyUserDatabase[User, uuid.UUID], Depends(user_database)],
) -> AsyncIterator[UserManager]:
    yield UserManager(users, passwords)


async def strategy() -> RedisStrategy[User, uuid.UUID]:
    return RedisStrategy(tokens, lifetime_seconds=TWO_WEEKS)


cookies = AuthenticationBackend(
    name="cookies", transport=CookieTransport(cookie_max_age=TWO_WEEKS), get_strategy=strategy
)
accounts = FastAPIUsers[User, uuid.UUID](user_manager, [cookies])

app = FastAPI()
app.include_router(accounts.get_auth_router(cookies), prefix="/auth")
app.include_router(accounts.get_register_router(UserRead, UserCreate), prefix="/auth")
app.include_router(accounts.get_users_router(UserRead, UserUpdate), prefix="/users")
