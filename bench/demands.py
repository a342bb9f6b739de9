"""Every demand in one table: what is measured, in what unit, and what passes."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Demand:
    """One row. `group` is the word for `--only`; `sign` and `bound` say what passes."""

    key: str
    group: str
    what: str
    unit: str
    sign: str
    bound: float

    def holds(self, value: float) -> bool:
        return _COMPARE[self.sign](value, self.bound)

    @property
    def text(self) -> str:
        return f"{self.sign} {self.bound:g} {self.unit}".strip()


DEMANDS: Final = (
    Demand("graph.cold", "graph", "go mod download, 188 modules, cold ÷ straight from upstream", "x", "<=", 1.2),
    Demand("graph.warm", "graph", "the same warm ÷ file:// floor, database off", "x", "<=", 1.25),
    Demand("graph.offline", "graph", "the same, serve --offline, database on: go.sum lines that differ", "", "=", 0),
    Demand("graph.list", "list", "go list -m -u all, warm ÷ straight from upstream", "x", "<=", 0.05),
    Demand("graph.list_seconds", "list", "go list -m -u all, warm", "s", "<=", 2),
    Demand("serve.200B.nginx", "serve", "200 B cached ÷ nginx static", "x", ">=", 0.40),
    Demand("serve.5KB.nginx", "serve", "5 KB cached ÷ nginx static", "x", ">=", 0.40),
    Demand("serve.200B.goproxy", "serve", "200 B cached ÷ goproxy/goproxy", "x", ">=", 1.0),
    Demand("serve.5KB.goproxy", "serve", "5 KB cached ÷ goproxy/goproxy", "x", ">=", 1.0),
    Demand("serve.1MB.nginx", "serve", "1 MB cached ÷ nginx static", "x", ">=", 0.42),
    Demand("serve.20MB.nginx", "serve", "20 MB cached ÷ nginx static", "x", ">=", 0.60),
    Demand("serve.200B.p99", "serve", "p99 at 64 connections, 200 B ÷ nginx", "x", "<=", 3),
    Demand("serve.5KB.p99", "serve", "p99 at 64 connections, 5 KB ÷ nginx", "x", "<=", 3),
    Demand("tls.h1.1MB", "tls", "1 MB over TLS, HTTP/1.1 ÷ nginx", "x", ">=", 0.80),
    Demand("tls.h1.20MB", "tls", "20 MB over TLS, HTTP/1.1 ÷ nginx", "x", ">=", 0.85),
    Demand("tls.h2.1MB", "tls", "1 MB over TLS, HTTP/2 ÷ nginx", "x", ">=", 0.80),
    Demand("tls.h2.20MB", "tls", "20 MB over TLS, HTTP/2 ÷ nginx", "x", ">=", 0.85),
    Demand("memory.idle", "memory", "resident memory, 1 worker, idle", "MB", "<=", 120),
    Demand("memory.after", "memory", "resident memory, 1 worker, after 64 x 20 MB", "MB", "<=", 180),
    Demand("memory.stalled", "memory", "8 stalled readers of a 400 MB cold body, growth", "MB", "<=", 40),
    Demand("cold.small", "cold", "cold 5 KB misses over TLS, one core", "/s", ">=", 1000),
    Demand("cold.big", "cold", "cold 20 MB zips with hashing over TLS, one core", "MB/s", ">=", 120),
    Demand("outage.slow", "outage", "list p99, upstream answers after 5 s ÷ warm hit", "x", "<=", 2),
    Demand("outage.down", "outage", "list p99, upstream down ÷ warm hit", "x", "<=", 2),
    Demand("coalesce.1", "coalesce", "20 identical misses at once, 1 worker: upstream fetches", "", "=", 1),
    Demand("coalesce.2", "coalesce", "20 identical misses at once, 2 workers: upstream fetches", "", "=", 1),
    Demand("faults.failed", "faults", "upstream cuts 30 % of bodies, 500 modules: failures", "", "=", 0),
    Demand("hash.h1", "hash", "h1 of a 50 MB zip ÷ bare SHA-256 of its content", "x", "<=", 2.5),
    Demand("deps_list.new", "deps_list", "build list of 1,000 modules, unseen go.mod ÷ go list -m all", "x", "<=", 1.0),
    Demand("deps_list.warm", "deps_list", "the same again, project unchanged ÷ go list -m all", "x", "<=", 1.0),
    Demand("help.time", "help", "goferry --help", "ms", "<=", 150),
    Demand("match.findings", "match", "advisories in 55 real go.mod files: findings", "", "=", 406),
    Demand("match.time", "match", "4,023 requirements against the shipped advisories", "ms", "<=", 50),
    Demand("match.cold", "match", "one go.mod file, from the start of the process", "s", "<=", 0.5),
    Demand("match.repositories", "match", "1,000 repositories, warm", "s", "<=", 5),
    Demand("match.memory", "match", "most resident memory in all of that", "MB", "<=", 200),
    Demand("gate.cold", "gate", "deps gate, 500 lines of go.sum, empty store, 50 ms to all peers", "s", "<=", 30),
    Demand("gate.warm", "gate", "the same again, warm store, offline", "s", "<=", 1),
    Demand("gate.vendor", "vendor", "deps gate, 150 vendored modules, warm store, offline", "s", "<=", 5),
)  # fmt: skip

_CLEAN: Final = "cold"
"""Makes thousands of files, so it comes before others delete theirs: file systems are slow for minutes then."""

GROUPS: Final = (_CLEAN, *dict.fromkeys(demand.group for demand in DEMANDS if demand.group != _CLEAN))
"""In the order in which they are run."""
BY_KEY: Final = {demand.key: demand for demand in DEMANDS}
