"""Chores that do one thing at a time, or behave badly: what audit_repos names says how. Each start leaves a line."""

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

from goferry.config import Settings
from goferry.errors import Unavailable


async def chore(settings: Settings, config: Path | None, tally: Any) -> None:
    assert settings.audit_repos is not None
    with settings.audit_repos.with_suffix(".log").open("a") as log:
        log.write(f"{os.getpid()} {config}\n")
    await _KINDS[settings.audit_repos.read_text().strip()](tally)


async def _ok(tally: Any) -> None:
    tally.add(1.0, "goferry_audits_total", "ok")
    tally.set(3.0, "goferry_audit_findings", "error")


async def _wait(tally: Any) -> None:
    tally.set(3.0, "goferry_audit_findings", "error")
    await asyncio.Event().wait()


async def _fail(_tally: Any) -> None:
    raise Unavailable("nobody answers")


async def _bug(_tally: Any) -> None:
    raise RuntimeError("a bug")


async def _die(_tally: Any) -> None:
    os.abort()


async def _hang(_tally: Any) -> None:
    threading.Event().wait()  # the loop hears nothing any more


_KINDS = {"ok": _ok, "wait": _wait, "fail": _fail, "bug": _bug, "die": _die, "hang": _hang}
