"""Tells the news of an audit to every receiver: dialogues, retries, limits, and the memory of what was told."""

import asyncio
import json
import random
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from goferry import i18n
from goferry.deps.audit.records import Audit
from goferry.deps.history import fingerprint
from goferry.deps.kept import Kept
from goferry.deps.notify.base import (
    Answer,
    Dialogue,
    Mail,
    NotifyError,
    Receiver,
    Request,
    Service,
    Target,
    Verdict,
)
from goferry.deps.notify.ledger import Ledger, Plan
from goferry.deps.notify.secrets import Mask, mask_of
from goferry.deps.notify.services import SERVICES
from goferry.deps.notify.settings import MASK, unlock
from goferry.deps.notify.smtp import send_mail
from goferry.deps.notify.telling import shortened
from goferry.errors import GoferryError
from goferry.i18n import N_
from goferry.net.backoff import Backoff, retry_after
from goferry.net.base import HttpSender
from goferry.net.failure import NetError

_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOST_ANSWER: Final = 4 * 2**20
_LONGEST_REASON: Final = 300


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long one step is tried."""

    attempts: int = 6
    backoff: Backoff = field(default_factory=lambda: Backoff(first=1.0, cap=60.0))
    longest_wait: float = 300.0
    """Seconds; a receiver that asks for more is told at the next run."""


@dataclass(frozen=True, slots=True)
class Wire:
    """What the outside world must give: the two ways out, the time, and how to wait."""

    http: HttpSender
    tls: Callable[[], ssl.SSLContext]
    """For mail servers."""
    clock: Callable[[], float] = time.time
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one receiver."""

    receiver: Receiver
    state: str
    """`sent`, `nothing_new`, `already_sent` or `failed`."""
    news: int = 0
    failure: GoferryError | None = None


async def notify(
    audit: Audit,
    receivers: Sequence[Receiver],
    *,
    kept: Kept,
    environ: Mapping[str, str],
    wire: Wire,
    everything: bool = False,
) -> tuple[Outcome, ...]:
    """Tells every receiver what is new for it; the outcomes in their order.

    A receiver that fails keeps nobody from hearing, and hears at the next run what it missed. Safe for several
    processes: a receiver is talked to by one at a time, and what one has told the next does not tell again.
    """
    mark = fingerprint(audit)
    locks = kept.locks()

    async def one(receiver: Receiver) -> Outcome:
        try:
            async with locks.hold(f"notify {receiver.name}"):
                teller = _Teller(receiver, unlock(receiver, environ), Ledger(kept), wire)
                return await teller.tell(audit, mark, everything=everything)
        except GoferryError as failure:
            return Outcome(receiver, "failed", failure=failure)

    try:
        return tuple(await asyncio.gather(*map(one, receivers)))
    finally:
        locks.close()


@contextmanager
def _speaking(language: str) -> Iterator[None]:
    """Inside, texts are in this language; empty for the one in use."""
    before = i18n.current()
    i18n.activate(language or before)
    try:
        yield
    finally:
        i18n.activate(before)


class _Teller:
    """Talks to one receiver, in its language."""

    def __init__(self, receiver: Receiver, target: Target, ledger: Ledger, wire: Wire) -> None:
        self._receiver = receiver
        self._service: Service = SERVICES[receiver.kind]
        self._target = target
        self._ledger = ledger
        self._wire = wire
        self._mask = mask_of(target)

    async def tell(self, audit: Audit, mark: str, *, everything: bool) -> Outcome:
        plan = self._ledger.plan(audit, mark, self._receiver, self._service, everything=everything)
        news = len(plan.notice.news)
        if not plan.is_due:
            if plan.state == "nothing_new":
                self._ledger.settle(plan.notice, self._receiver)
            return Outcome(self._receiver, plan.state, news)
        self._ledger.begin(plan.notice, self._receiver, self._wire.clock())
        await self._converse(plan)
        self._ledger.finish(plan.notice, self._receiver, self._wire.clock())
        return Outcome(self._receiver, "sent", news)

    async def _converse(self, plan: Plan) -> None:
        through = self._ledger.answers(plan.notice)
        dialogue = self._service.talk(plan.notice, self._target)
        answer: Any = None
        while True:
            try:
                with _speaking(self._receiver.lang):
                    step = dialogue.send(answer)
            except StopIteration:
                return
            if step.step in through:
                answer = through[step.step]
                continue
            if step.gap:
                await self._wire.pause(step.gap)
            answer = await self._patiently(step)
            if not isinstance(step, Request) or step.method != "GET":
                self._ledger.answered(plan.notice, self._receiver, step.step, answer, told=step.tells)

    async def _patiently(self, step: Request | Mail) -> Any:
        """The answer of one step, after as many tries as it takes and is allowed."""
        patience = self._wire.patience
        attempt = 0
        while True:
            verdict, answer = await self._once(step)
            if not verdict.why:
                return answer
            attempt += 1
            wait = patience.backoff.delay(attempt - 1, self._wire.random)
            wait = wait if verdict.wait is None else verdict.wait + wait
            if not verdict.again or attempt >= patience.attempts or wait > patience.longest_wait:
                raise self._failure(verdict, attempt)
            await self._wire.pause(wait)

    def _failure(self, verdict: Verdict, attempts: int) -> NotifyError:
        hint = None
        if verdict.wait is not None and verdict.wait > self._wire.patience.longest_wait:
            hint = N_("it asks to be left alone for {seconds} s; run it again after that")
        elif attempts > 1:
            hint = N_("{attempts} attempts were made; what is missing is sent when this is run again")
        return NotifyError(
            "{receiver} ({kind}) did not take the notice: {why}",
            hint=hint,
            receiver=self._receiver.name,
            kind=self._receiver.kind,
            why=shortened(self._mask(verdict.why), _LONGEST_REASON),
            seconds=int(verdict.wait or 0),
            attempts=attempts,
        )

    async def _once(self, step: Request | Mail) -> tuple[Verdict, Any]:
        if isinstance(step, Mail):
            return await send_mail(step, self._wire.tls), None
        try:
            answer = await self._exchange(step)
        except NetError as error:
            # Without the cause: its text and its URL may hold what must not be shown.
            return Verdict(str(error), again=error.kind.is_transient), None
        return self._judged(answer), answer.json

    async def _exchange(self, request: Request) -> Answer:
        sealed = request.sealed(self._wire.clock())
        body = None if request.method == "GET" else sealed.body
        sending = self._wire.http.send(request.method, sealed.url, body=body, headers=sealed.headers)
        async with sending as response:
            text = (await response.read(_MOST_ANSWER)).decode("utf-8", "replace")
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, text)

    def _judged(self, answer: Answer) -> Verdict:
        if 200 <= answer.status < 300:
            return self._service.judge(answer)
        now = self._wire.clock()
        if (verdict := self._service.limited(answer, now)) is not None:
            return verdict
        wait = retry_after(answer.headers.get("retry-after", ""), datetime.fromtimestamp(now, UTC))
        again = answer.status in _AGAIN or (answer.status == 403 and wait is not None)
        return Verdict(f"HTTP {answer.status}: {reason(answer)}", again=again, wait=wait if again else None)


def reason(answer: Answer) -> str:
    """What an answer says in words: the message of a JSON body, else the first words of its text."""
    if 300 <= answer.status < 400:
        return f"→ {urlsplit(answer.headers.get('location', '')).hostname or '?'}"
    said = ": ".join(_words(answer.json))
    if not said and answer.json is None:
        said = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", answer.text, flags=re.DOTALL | re.IGNORECASE)
    return shortened(said, _LONGEST_REASON) or "?"


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key in ("error", "message", "errmsg", "msg", "error_description", "errors"):
            yield from _words(value.get(key))
    elif isinstance(value, list):
        for each in value[:3]:
            yield from _words(each)
    elif isinstance(value, str) and value:
        yield value


# ---- a dry run -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """One step as it would be sent, without secrets."""

    step: str
    line: str
    """`POST URL`, or `SMTP HOST:PORT`."""
    headers: Mapping[str, str]
    body: Any
    """JSON, or the text of a mail."""


def preview(
    audit: Audit,
    receiver: Receiver,
    *,
    kept: Kept | None,
    environ: Mapping[str, str],
    now: float,
    everything: bool = False,
) -> tuple[Plan, tuple[Shown, ...]]:
    """What would be sent to a receiver, step by step. Sends and changes nothing. Without a kept file all is new."""
    service = SERVICES[receiver.kind]
    ledger = Ledger(kept) if kept is not None else None
    plan = (ledger or _Blank()).plan(audit, fingerprint(audit), receiver, service, everything=everything)
    if not plan.is_due:
        return plan, ()
    target = unlock(receiver, environ, pretend=True)
    through = ledger.answers(plan.notice) if ledger else {}
    with _speaking(receiver.lang):
        dialogue = service.talk(plan.notice, target)
        return plan, tuple(_shown(dialogue, through, mask_of(target), now))


class _Blank:
    """The ledger of somebody who was never told anything."""

    def plan(
        self, audit: Audit, mark: str, receiver: Receiver, service: Service, *, everything: bool = False
    ) -> Plan:
        with Kept(Path(":memory:")) as kept:
            return Ledger(kept).plan(audit, mark, receiver, service, everything=everything)


def _shown(dialogue: Dialogue, through: Mapping[str, Any], mask: Mask, now: float) -> Iterator[Shown]:
    answer: Any = None
    while True:
        try:
            step = dialogue.send(answer)
        except StopIteration:
            return
        answer = through.get(step.step, step.example)
        if step.step not in through:
            yield _mail_shown(step, mask) if isinstance(step, Mail) else _request_shown(step, mask, now)


def _request_shown(request: Request, mask: Mask, now: float) -> Shown:
    sealed = request.sealed(now)
    hide = mask.also(sealed.hidden)
    body = None if request.method == "GET" else json.loads(hide(sealed.body.decode()))
    headers = {name: hide(value) for name, value in sealed.headers.items()}
    return Shown(request.step, f"{request.method} {hide.url(sealed.url)}", headers, body)


def _mail_shown(mail: Mail, mask: Mask) -> Shown:
    login = {"user": mail.user, "password": MASK} if mail.user else {}
    headers = {"security": mail.security, **login}
    # As people read it: as sent, what is not ASCII would stand in base64.
    message = mail.message
    lines = [f"{name}: {value}" for name, value in message.items()]
    parts = [str(part.get_content()) for part in message.iter_parts()]
    return Shown(mail.step, f"SMTP {mail.host}:{mail.port}", headers, mask("\n".join([*lines, "", *parts])))
