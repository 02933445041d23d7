"""The rules of an invite-only account service: pure values and decisions, nothing of the outside world."""
