"""Mail through a real SMTP server: with and without STARTTLS and a login, and what it says when it does not take it."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from deps.audits import audit, day, flaw, stale
from deps.notices import driving
from goferry.deps.kept import Kept
from goferry.deps.notify.send import Outcome, Patience, notify, preview
from goferry.deps.notify.settings import read_receivers
from goferry.lab.tls import Authority, Leaf

PASSWORD = "planted mail password"
FOUND = audit(flaw(summary="it <b>breaks</b>, 会坏"), flaw("GO-2026-0002", owner="@web"), stale())


class Letters:
    """What a mail server does with what comes. `script`: what it says to recipients first."""

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.taken: list[Envelope] = []
        self.tls: list[bool] = []

    async def handle_RCPT(
        self, _server: SMTP, _session: Any, envelope: Envelope, who: str, _opts: Any
    ) -> str:
        if self.script:
            return self.script.pop(0)
        envelope.rcpt_tos.append(who)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Any, envelope: Envelope) -> str:
        self.taken.append(envelope)
        self.tls.append(session.ssl is not None)
        return "250 Message accepted for delivery"

    def messages(self) -> Iterator[EmailMessage]:
        for envelope in self.taken:
            content = envelope.content
            assert isinstance(content, bytes)
            yield message_from_bytes(content, policy=policy.default)  # type: ignore[misc]


@asynccontextmanager
async def mail_server(
    letters: Letters, *, ssl_context: ssl.SSLContext | None = None, **given: Any
) -> AsyncIterator[int]:
    """aiosmtpd on a free port."""

    def made() -> SMTP:
        with warnings.catch_warnings():
            # It does not see that there is TLS from the first byte, and warns of passwords in the open.
            warnings.simplefilter("ignore")
            return SMTP(letters, hostname="mail.example", **given)

    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0, ssl=ssl_context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def login(_server: SMTP, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword) -> AuthResult:
    return AuthResult(success=data == LoginPassword(b"goferry", PASSWORD.encode()), handled=False)


def settings(folder: Path, port: int, *lines: str, to: str = "all@example.com") -> Path:
    file = folder / "goferry.toml"
    table = ["[[notify]]", 'name = "mail"', 'kind = "email"', 'host = "127.0.0.1"', f"port = {port}"]
    table += ['from = "goferry@example.com"', f'to = ["{to}"]', *lines]
    file.write_text("\n".join(table) + '\n[notify.mentions]\n"@web" = "web@example.com"\n')
    return file


async def tell(
    file: Path, authority: Authority, *, found: Any = FOUND, **given: Any
) -> tuple[Outcome, list[float]]:
    async with driving(file.parent, "http://127.0.0.1:1") as driver:
        with Kept(file.parent / "audits.sqlite") as kept:
            (outcome,) = await notify(
                found,
                read_receivers(file),
                kept=kept,
                environ={"MAIL_PASSWORD": PASSWORD},
                wire=driver.wire(tls=authority.client_context, **given),
            )
        return outcome, driver.pauses


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


async def test_a_plain_server_gets_text_and_html(tmp_path: Path, authority: Authority) -> None:
    letters = Letters()
    async with mail_server(letters) as port:
        outcome, _ = await tell(settings(tmp_path, port, 'security = "none"'), authority)
    assert (outcome.state, outcome.failure) == ("sent", None)
    (message,) = letters.messages()
    assert message["Subject"] == "goferry: 3 new findings in the dependencies of 1 project"
    assert (message["From"], message["To"]) == ("goferry@example.com", "all@example.com, web@example.com")
    assert letters.taken[0].rcpt_tos == ["all@example.com", "web@example.com"]
    assert message["Auto-Submitted"] == "auto-generated"
    plain, html = message.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert "GO-2026-0001 (CVE-2026-1000): it <b>breaks</b>, 会坏" in plain.get_content()
    assert "it &lt;b&gt;breaks&lt;/b&gt;, 会坏" in html.get_content()
    assert 'href="https://osv.dev/vulnerability/GO-2026-0002"' in html.get_content()


async def test_the_language_is_the_receivers(tmp_path: Path, authority: Authority) -> None:
    letters = Letters()
    async with mail_server(letters) as port:
        await tell(settings(tmp_path, port, 'security = "none"', 'lang = "zh_CN"'), authority)
    (message,) = letters.messages()
    assert message["Subject"] == "goferry：1 个项目的依赖中有 3 个新发现"
    assert '<html lang="zh-CN">' in list(message.iter_parts())[1].get_content()


AUTH = {"authenticator": login, "auth_required": True}


async def test_starttls_with_a_login(tmp_path: Path, authority: Authority) -> None:
    letters = Letters()
    context = authority.server_context(["127.0.0.1"])
    async with mail_server(letters, tls_context=context, require_starttls=True, **AUTH) as port:
        file = settings(tmp_path, port, 'user = "goferry"', 'password_env = "MAIL_PASSWORD"')
        outcome, _ = await tell(file, authority)
    assert (outcome.state, outcome.failure, letters.tls) == ("sent", None, [True])


async def test_tls_from_the_first_byte(tmp_path: Path, authority: Authority) -> None:
    letters = Letters()
    context = authority.server_context(["127.0.0.1"])
    async with mail_server(letters, ssl_context=context, auth_require_tls=False, **AUTH) as port:
        file = settings(
            tmp_path, port, 'security = "tls"', 'user = "goferry"', 'password_env = "MAIL_PASSWORD"'
        )
        outcome, _ = await tell(file, authority)
    assert (str(outcome.failure), outcome.state, len(letters.taken)) == ("None", "sent", 1)


async def test_a_wrong_password_is_said_and_not_shown(tmp_path: Path, authority: Authority) -> None:
    letters = Letters()
    context = authority.server_context(["127.0.0.1"])
    async with mail_server(letters, tls_context=context, **AUTH) as port:
        file = settings(tmp_path, port, 'user = "somebody"', 'password_env = "MAIL_PASSWORD"')
        outcome, pauses = await tell(file, authority)
    assert str(outcome.failure) == (
        "mail (email) did not take the notice: 535 5.7.8 Authentication credentials invalid"
    )
    assert (pauses, letters.taken) == ([], [])
    assert PASSWORD not in repr(outcome) + repr(outcome.failure)


async def test_a_server_without_starttls_never_sees_the_password(
    tmp_path: Path, authority: Authority
) -> None:
    letters = Letters()
    async with mail_server(letters) as port:
        file = settings(tmp_path, port, 'user = "goferry"', 'password_env = "MAIL_PASSWORD"')
        outcome, _ = await tell(file, authority)
    assert "STARTTLS extension not supported by server" in str(outcome.failure)
    assert letters.taken == []


@pytest.mark.parametrize(
    ("leaf", "words"),
    [(Leaf.WRONG_HOST, "TLS: IP address mismatch"), (Leaf.EXPIRED, "TLS: certificate has expired")],
)
async def test_a_certificate_that_is_wrong_is_not_accepted(
    tmp_path: Path, authority: Authority, leaf: Leaf, words: str
) -> None:
    letters = Letters()
    async with mail_server(letters, tls_context=authority.server_context(["127.0.0.1"], leaf)) as port:
        outcome, pauses = await tell(settings(tmp_path, port), authority)
    assert words in str(outcome.failure)
    assert (pauses, letters.taken) == ([], [])


async def test_a_server_that_is_busy_is_asked_again(tmp_path: Path, authority: Authority) -> None:
    letters = Letters("450 4.2.0 greylisted", "450 4.2.0 greylisted")
    async with mail_server(letters) as port:
        outcome, pauses = await tell(settings(tmp_path, port, 'security = "none"'), authority)
    assert (outcome.state, pauses, len(letters.taken)) == ("sent", [0.5], 1)


async def test_an_address_that_is_refused_is_named(tmp_path: Path, authority: Authority) -> None:
    letters = Letters("550 5.1.1 no such user here", "550 5.1.1 no such user here")
    async with mail_server(letters) as port:
        outcome, pauses = await tell(settings(tmp_path, port, 'security = "none"'), authority)
    assert "all@example.com: 550 5.1.1 no such user here" in str(outcome.failure)
    assert pauses == []


async def test_nobody_listens(tmp_path: Path, authority: Authority) -> None:
    file = settings(tmp_path, 1, 'security = "none"')
    outcome, pauses = await tell(file, authority, patience=Patience(attempts=2))
    assert str(outcome.failure) == "mail (email) did not take the notice: 127.0.0.1:1: Connection refused"
    assert len(pauses) == 1


async def test_the_same_notice_has_the_same_message_id(tmp_path: Path, authority: Authority) -> None:
    letters = Letters()
    async with mail_server(letters) as port:
        for folder, found in (("a", FOUND), ("b", FOUND), ("c", audit(*FOUND.findings, when=day(1)))):
            (tmp_path / folder).mkdir()
            await tell(settings(tmp_path / folder, port, 'security = "none"'), authority, found=found)
    first, second, other = (message["Message-ID"] for message in letters.messages())
    assert first == second != other


def test_a_dry_run_shows_the_mail_without_the_password(tmp_path: Path) -> None:
    file = settings(tmp_path, 2525, 'user = "goferry"', 'password_env = "MAIL_PASSWORD"')
    (receiver,) = read_receivers(file)
    _plan, (shown,) = preview(FOUND, receiver, kept=None, environ={"MAIL_PASSWORD": PASSWORD}, now=0.0)
    assert shown.line == "SMTP 127.0.0.1:2525"
    assert dict(shown.headers) == {"security": "starttls", "user": "goferry", "password": "***"}
    assert "会坏" in shown.body
    assert PASSWORD not in repr(shown)
