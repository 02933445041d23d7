"""The links that people are sent."""

from dataclasses import dataclass
from urllib.parse import quote
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

    def reset(self, token_id: UUID) -> str:
        """Where a forgotten password is set anew."""
        return f"{self.public_url}/reset#reset={self.signer.sign(Purpose.RESET, token_id)}"

    def confirm_email(self, token_id: UUID) -> str:
        """Where a new address is confirmed."""
        return f"{self.public_url}/email#confirmation={self.signer.sign(Purpose.EMAIL_CHANGE, token_id)}"

    def undo_email_change(self, token_id: UUID) -> str:
        """Where an account gets its former address back."""
        return f"{self.public_url}/email#undo={self.signer.sign(Purpose.EMAIL_UNDO, token_id)}"

    def forgot(self) -> str:
        """Where people ask for a reset."""
        return f"{self.public_url}/forgot"

    def login(self, return_to: str | None = None) -> str:
        """Where people log in, and are then led on to a path of ours."""
        return f"{self.public_url}/login" + (f"?return_to={quote(return_to)}" if return_to else "")
