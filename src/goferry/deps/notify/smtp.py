"""One mail to a mail server, by the standard library in a thread."""

import asyncio
import smtplib
import ssl
from collections.abc import Callable
from typing import Final

from goferry.deps.notify.base import TAKEN, Mail, Verdict

_SECONDS: Final = 30.0
"""For each answer of the mail server."""


async def send_mail(mail: Mail, tls: Callable[[], ssl.SSLContext]) -> Verdict:
    """Sends it; what the server said if it did not take it."""
    try:
        await asyncio.to_thread(_send, mail, tls)
    except smtplib.SMTPRecipientsRefused as error:
        return _refused(error)
    except smtplib.SMTPResponseException as error:
        return Verdict(_said(error.smtp_code, error.smtp_error), again=400 <= error.smtp_code < 500)
    except smtplib.SMTPServerDisconnected as error:
        return Verdict(f"{mail.host}:{mail.port}: {error}", again=True)
    except smtplib.SMTPException as error:
        return Verdict(f"{mail.host}:{mail.port}: {error}")
    except ssl.SSLError as error:
        said = f"{mail.host}:{mail.port}: TLS: {_tls_reason(error)}"
        return Verdict(said, again=isinstance(error, ssl.SSLEOFError))
    except OSError as error:
        return Verdict(f"{mail.host}:{mail.port}: {error.strerror or error}", again=True)
    return TAKEN


def _send(mail: Mail, tls: Callable[[], ssl.SSLContext]) -> None:
    with _connected(mail, tls) as server:
        if mail.security == "starttls":
            server.starttls(context=_context(tls))
        if mail.user:
            server.login(mail.user, mail.password)
        server.send_message(mail.message)


def _connected(mail: Mail, tls: Callable[[], ssl.SSLContext]) -> smtplib.SMTP:
    if mail.security == "tls":
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=_SECONDS, context=_context(tls))
    return smtplib.SMTP(mail.host, mail.port, timeout=_SECONDS)


def _context(tls: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    context = tls()
    context.set_alpn_protocols([])  # SMTP has no protocol name, and strict servers refuse one of HTTP
    return context


def _refused(error: smtplib.SMTPRecipientsRefused) -> Verdict:
    answers = list(error.recipients.items())
    said = "; ".join(f"{who}: {_said(code, text)}" for who, (code, text) in answers)
    return Verdict(said, again=all(400 <= code < 500 for _who, (code, _text) in answers))


def _said(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return error.reason or str(error)
