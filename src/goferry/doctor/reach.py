"""How far each host that matters for this environment can be reached: names, TCP, TLS and HTTP, with times."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from goferry.doctor.evidence import Evidence, Target


@dataclass(frozen=True, slots=True)
class Cell:
    """One step. `ok` None: not tried, or not needed; seconds: of the fastest success, or of the failure."""

    ok: bool | None = None
    seconds: float = 0.0
    said: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"ok": self.ok, "seconds": round(self.seconds, 3), "said": self.said}


@dataclass(frozen=True, slots=True)
class Reach:
    """One row: a host, by family where both were tried. via: the forward proxy on the way, or ""."""

    target: Target
    via: str
    name: Cell
    tcp4: Cell
    tcp6: Cell
    tls: Cell
    http: Cell

    def to_json(self) -> dict[str, Any]:
        steps = {step: getattr(self, step).to_json() for step in ("name", "tcp4", "tcp6", "tls", "http")}
        return {
            "host": self.target.host,
            "port": self.target.port,
            "role": self.target.role.value,
            "via": self.via,
            **steps,
        }


def reach(evidence: Evidence) -> tuple[Reach, ...]:
    """A row for each target, in their order."""
    return tuple(_row(evidence, target) for target in evidence.targets)


def _row(evidence: Evidence, target: Target) -> Reach:
    host, port = target.host, target.port
    via = next(
        (way.proxy for way in evidence.settings.proxying if way.stack == "go" and way.host == host), ""
    )
    dials = [dial for dial in evidence.dials if (dial.host, dial.port, dial.mss) == (host, port, 0)]
    return Reach(
        target,
        via,
        _cell((bool(name.addresses), name.seconds, name.failure or name.rcode)
              for name in evidence.names if name.name == host and name.asker == "go"),
        _cell((not dial.failure, dial.seconds, dial.failure) for dial in dials if dial.family == 4),
        _cell((not dial.failure, dial.seconds, dial.failure) for dial in dials if dial.family == 6),
        _cell((not shake.failure and not shake.wrong, shake.seconds, shake.failure or shake.wrong)
              for shake in evidence.handshakes
              if (shake.host, shake.port, shake.sni, shake.mss) == (host, port, host, 0)),
        _cell((answer.status > 0, answer.seconds, answer.failure or str(answer.status))
              for answer in evidence.answers
              if _is_of(answer.url, target) and answer.attempt == 1),
    )  # fmt: skip


def _is_of(url: str, target: Target) -> bool:
    rest = url.partition("://")[2]
    where = rest.partition("/")[0].rpartition("@")[2]
    return where in (target.host, f"{target.host}:{target.port}", f"[{target.host}]:{target.port}")


def _cell(tries: Iterable[tuple[bool, float, str]]) -> Cell:
    """Well if one way went well."""
    seen = list(tries)
    if not seen:
        return Cell()
    good = [(seconds, said) for ok, seconds, said in seen if ok]
    if good:
        seconds, said = min(good)
        return Cell(True, seconds, said)
    _, seconds, said = seen[0]
    return Cell(False, seconds, said)
