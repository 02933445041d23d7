"""Requests whose bodies are read strictly."""

from collections.abc import Callable
from typing import Any

from litestar import Request
from litestar.exceptions import HTTPException, InternalServerException

from domain.email_address import EmailAddress
from domain.password import NewPassword, Password, PasswordPolicy
from domain.username import Username
from entrypoints.http.strict_json import Readers, read_body

LARGEST = 16 * 1024


class StrictRequest(Request[Any, Any, Any]):
    """A request whose JSON is read into the type that the route asks for, in place of the framework's lenient way."""

    async def body(self) -> bytes:
        """The body, whole; 400 where the client has gone before its end."""
        try:
            return await super().body()
        except InternalServerException as error:  # the framework's word for a client that went away
            raise HTTPException(status_code=400) from error

    async def json(self) -> Any:
        """The body as the route's `data`. Raises MalformedBody, InvalidFields."""
        wanted = self.route_handler.parsed_data_field
        if wanted is None:
            raise TypeError("only a route with `data` has a body")
        readers: Readers = self.app.state.readers
        return read_body(await self.body(), wanted.annotation, readers)


def readers_for(policy: PasswordPolicy) -> dict[type, Callable[[str, str], Any]]:
    """How the text of each kind of field becomes a value of the domain."""
    return {
        EmailAddress: EmailAddress.parse,
        Username: Username.parse,
        Password: Password.parse,
        NewPassword: policy.accept,
    }
