"""The links that people are sent."""

from dataclasses import dataclass
from uuid import UUID

from application.ports import TokenSigner
from domain.token import Purpose


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links from ids. Tokens stand in the fragment, which reaches no server log and no Referer.

    `public_url` has no trailing slash.
    """

    public_url: str
    signer: TokenSigner

    def signup(self, invite_id: UUID) -> str:
        """Where an invite is claimed."""
        return f"{self.public_url}/signup#invite={self.invite_token(invite_id)}"

    def invite_token(self, invite_id: UUID) -> str:
        """What an invite is claimed with."""
        return self.signer.sign(Purpose.INVITE, invite_id)

    def confirm(self, token_id: UUID) -> str:
        """Where an account is confirmed."""
        return f"{self.public_url}/invite#confirmation={self.signer.sign(Purpose.CONFIRMATION, token_id)}"

    def login(self) -> str:
        """Where people log in."""
        return f"{self.public_url}/login"
