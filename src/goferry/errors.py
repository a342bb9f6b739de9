"""Errors, in families by whose fault they are.

Every error carries a stable `code` (never translated), an HTTP `status`, a process `exit_code`, and one sentence
for people: an English key with named parts, translated when it is shown. The families *are* the protocol: a GOPROXY
list falls through on NotFound only, so an outage or a refusal must never be one.

    raise NotFound("{module} has no version {version}", module=path, version=v)
"""

from typing import Any, ClassVar

from goferry.i18n import _


class GoferryError(Exception):
    """Root of all errors that goferry raises on purpose. `hint` is what to do, also a translatable key."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None, **parts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint_key = hint
        self.parts = parts

    def __str__(self) -> str:
        return _fill(self.message, self.parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.hint_key, self.parts)

    @property
    def hint(self) -> str | None:
        """What to do about it, in the language in use."""
        return None if self.hint_key is None else _fill(self.hint_key, self.parts)


def _fill(key: str, parts: dict[str, Any]) -> str:
    return _(key).format(**parts) if parts else _(key)


def _rebuild(cls: type[GoferryError], message: str, hint: str | None, parts: dict[str, Any]) -> GoferryError:
    return cls(message, hint=hint, **parts)


class InvalidInput(GoferryError):
    """The asker's fault: a path, version, file or URL that no rule allows."""

    code = "invalid_input"
    status = 400
    exit_code = 2


class NotFound(GoferryError):
    """It does not exist, and whoever should know said so (404 or 410). The only family that lets `,` go on."""

    code = "not_found"
    status = 404


class Refused(GoferryError):
    """Somebody's rule forbids it: ours, or an upstream's 403 passed on with its text. Never 404."""

    code = "refused"
    status = 403


class UpstreamError(GoferryError):
    """The upstream's fault, or the network's on the way to it."""

    code = "upstream_error"
    status = 502


class UpstreamTimeout(UpstreamError):
    """The upstream did not answer in time."""

    code = "upstream_timeout"
    status = 504


class Unavailable(UpstreamError):
    """Nobody can be asked now: offline, breaker open, no entry left, or the server is draining."""

    code = "unavailable"
    status = 503


class LoopDetected(UpstreamError):
    """The request came back to where it started."""

    code = "loop_detected"
    status = 508


class VerifyError(Refused):
    """Bytes that do not match what is proven: refused, quarantined, never served."""

    code = "verify_failed"


class StorageError(GoferryError):
    """The store's fault: full, read-only, unreadable, written by a newer version."""

    code = "storage_error"
    status = 503


class ConfigError(GoferryError):
    """A setting's fault: says its name, its value, where it came from and what is allowed."""

    code = "config_error"
    exit_code = 2
