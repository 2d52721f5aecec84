"""What the service answers, beside dynasafe's own errors."""

# Made from examples/accounts/errors.py by `make twins`: change that one.

from __future__ import annotations

from datetime import datetime


class AccountsError(Exception):
    """The call was refused. The message may be shown."""


class NotSignedInError(AccountsError):
    def __str__(self) -> str:
        return "You are not signed in. Fix: sign in."


class NotAllowedError(AccountsError):
    def __str__(self) -> str:
        return "This is for administrators."


class WrongPasswordError(AccountsError):
    def __str__(self) -> str:
        return "The address or the password is wrong."


class LockedOutError(AccountsError):
    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until

    def __str__(self) -> str:
        return f"Too many attempts. Fix: try again after {self.until:%H:%M}."


class BusyError(LockedOutError):
    """So many attempts are being looked at that there is no room for another one."""


class InvalidTokenError(AccountsError):
    def __str__(self) -> str:
        return "This token is not valid. Fix: ask for a new one."


class RepeatedPasswordError(AccountsError):
    def __str__(self) -> str:
        return "This is one of your last passwords. Fix: choose another."


class UnfitPasswordError(AccountsError):
    def __str__(self) -> str:
        return "A password has 8 to 1024 characters. Fix: choose another."


class BadEmailError(AccountsError):
    def __str__(self) -> str:
        return "This is not an e-mail address. Fix: write one address, such as ada@example.org."


class EmailTakenError(AccountsError):
    """Somebody confirmed the address meanwhile. Tell it to its owner only."""


class BrokenChainError(AccountsError):
    """The entries of a person are not as they were written."""

    def __init__(self, person_id: str, sequence: int) -> None:
        super().__init__(person_id, sequence)
        self.person_id = person_id
        self.sequence = sequence

    def __str__(self) -> str:
        return f"Entry {self.sequence} of {self.person_id!r} is missing or not as it was written."


class ChangedError(AccountsError):
    """The account was changed meanwhile: it is read again. Callers do not see this."""
