"""What changed since a run that was good: two pieces of evidence, and the differences that can matter.

Times and addresses of healthy answers differ from run to run, so what is compared is who answers and how, not how fast.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from goferry.doctor.evidence import Evidence
from goferry.i18n import N_


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. topic: an English key; subject: what it is about; before and after: "" for not there."""

    topic: str
    subject: str
    before: str
    after: str

    def to_json(self) -> dict[str, Any]:
        return {"topic": self.topic, "subject": self.subject, "before": self.before, "after": self.after}


def compare(old: Evidence, new: Evidence) -> tuple[Change, ...]:
    """All differences, in the order of the way: settings first, answers last."""
    return tuple(change for topic, view in _VIEWS for change in _differences(topic, view(old), view(new)))


def _differences(topic: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterable[Change]:
    for subject in sorted(old.keys() | new.keys()):
        before, after = old.get(subject, ""), new.get(subject, "")
        if before != after:
            yield Change(topic, subject, before, after)


def _go_settings(seen: Evidence) -> dict[str, str]:
    settings = seen.settings
    values = {setting.name: setting.value for setting in (*settings.go, *settings.proxies)}
    return values | {"go": settings.go_version, "git": settings.git_version}


def _git_settings(seen: Evidence) -> dict[str, str]:
    return {f"{setting.key} ({setting.scope})": setting.value for setting in seen.settings.git}


def _machine(seen: Evidence) -> dict[str, str]:
    context, resolv = seen.context, seen.settings.resolv
    return {
        "name servers": " ".join(resolv.servers),
        "container": context.container,
        "default route": {True: "yes", False: "no", None: ""}[context.has_default_route],
        **{
            f"MTU of {interface.name}": str(interface.mtu)
            for interface in context.interfaces
            if interface.is_up
        },
        **{f"hosts: {name}": line.address for line in seen.settings.hosts for name in line.names},
    }


def _proxying(seen: Evidence) -> dict[str, str]:
    return {f"{way.stack} to {way.host}": way.proxy or "direct" for way in seen.settings.proxying}


def _names(seen: Evidence) -> dict[str, str]:
    """Whether a name is answered, and how when not; which addresses a CDN gives out changes by the minute."""
    return {
        f"{name.name} IPv{name.family} from {name.asker} {name.server}".rstrip(): name.failure
        or name.rcode
        or ("answered" if name.addresses else "no address")
        for name in seen.names
    }


def _path(seen: Evidence) -> dict[str, str]:
    ways: dict[str, set[str]] = {}
    for dial in seen.dials:
        ways.setdefault(f"{dial.host}:{dial.port} IPv{dial.family}", set()).add(dial.failure or "connected")
    return {way: ", ".join(sorted(outcomes)) for way, outcomes in ways.items()}


def _issuers(seen: Evidence) -> dict[str, str]:
    return {
        f"{shake.host}:{shake.port}": shake.failure or shake.wrong or shake.chain[0].issuer
        for shake in seen.handshakes
        if shake.sni == shake.host
        and shake.hello == "plain"
        and (shake.failure or shake.wrong or shake.chain)
    }


def _tunnels(seen: Evidence) -> dict[str, str]:
    return {
        f"{tunnel.target} through {tunnel.proxy}": tunnel.failure or str(tunnel.status)
        for tunnel in seen.tunnels
    }


def _answers(seen: Evidence) -> dict[str, str]:
    return {
        f"{answer.purpose} {answer.url}": answer.failure or str(answer.status)
        for answer in seen.answers
        if answer.attempt == 1
    }


def _runs(seen: Evidence) -> dict[str, str]:
    return {
        run.label: "ok" if run.exit == 0 else f"exit status {run.exit}"
        for run in seen.runs
        if not run.changed
    }


_VIEWS: Final[tuple[tuple[str, Callable[[Evidence], dict[str, str]]], ...]] = (
    (N_("Go settings"), _go_settings),
    (N_("git settings"), _git_settings),
    (N_("machine"), _machine),
    (N_("forward proxy"), _proxying),
    (N_("names"), _names),
    (N_("connections"), _path),
    (N_("certificates"), _issuers),
    (N_("tunnels"), _tunnels),
    (N_("answers"), _answers),
    (N_("programs"), _runs),
)
