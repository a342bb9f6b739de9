"""One file per scenario; each function takes a Bench and leaves figures in it. `SCENARIOS`: group → function."""

from collections.abc import Callable

from bench.plan import Bench
from bench.scenarios import (
    coalesce,
    cold,
    deps,
    deps_gate,
    deps_match,
    faults,
    graph,
    hashing,
    memory,
    outage,
    serve,
    startup,
)

SCENARIOS: dict[str, Callable[[Bench], None]] = {
    "serve": serve.plain,
    "tls": serve.tls,
    "memory": memory.resident,
    "cold": cold.misses,
    "outage": outage.lists,
    "coalesce": coalesce.identical_misses,
    "faults": faults.cut_bodies,
    "hash": hashing.h1,
    "help": startup.help_text,
    "match": deps_match.shipped,
    "gate": deps_gate.proven,
    "vendor": deps_gate.vendored,
    "graph": graph.download,
    "list": graph.list_updates,
    "deps_list": deps.build_list,
}
