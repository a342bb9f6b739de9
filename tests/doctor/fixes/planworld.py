"""Evidence for the tests of plans: what a small company's machine would show, with one thing changed per test."""

from dataclasses import replace
from typing import Any

from goferry.doctor.evidence import AnswerSeen, Context, Evidence, Setting, SettingsSeen, Subject
from goferry.doctor.fixes import Plan, propose
from goferry.doctor.verdict import Certainty, Judgement
from goferry.findings import Text

MIRROR = "https://mirror.example.org"
OTHER = "https://other.example.org"
DEFAULT = "https://first.example.org,direct"
MODULE = "git.corp.example/team/lib"


def goproxy(value: str, origin: str = "environment") -> Setting:
    """GOPROXY with this value, and go's own default behind it."""
    if origin == "go.env":
        return Setting("GOPROXY", value, origin, "go.env:7")
    place = "" if origin == "environment" else "env:1"
    return Setting("GOPROXY", value, origin, place, (Setting("GOPROXY", DEFAULT, "go.env", "go.env:7"),))


def evidence(*go: Setting, settings: dict[str, Any] | None = None, **parts: Any) -> Evidence:
    """go: variables of the go command. settings: other parts of SettingsSeen. parts: other parts of the evidence."""
    seen = SettingsSeen(go_version="go1.26.1", go_path="/usr/bin/go", go=go, **(settings or {}))
    base = Evidence(
        taken=1.8e9,
        subject=Subject(module=MODULE, version="v1.2.3"),
        settings=seen,
        context=Context(system="linux"),
    )
    return replace(base, **parts)


def answer(entry: int, status: int, purpose: str = "info", **parts: Any) -> AnswerSeen:
    """What an entry of the list answered."""
    return AnswerSeen(f"https://entry{entry}.example.org/x", purpose, entry, status, **parts)


def judgement(cause: str, where: str = "mirror.example.org:443") -> Judgement:
    """A certain one."""
    return Judgement("R00", cause, Certainty.CERTAIN, where, "request", Text("seen"))


def plans(cause: str, seen: Evidence, where: str = "mirror.example.org:443") -> dict[str, Plan]:
    """The proposals by key, in order; of several with one key the first."""
    found: dict[str, Plan] = {}
    for plan in propose(seen, judgement(cause, where)):
        found.setdefault(plan.key, plan)
    return found
