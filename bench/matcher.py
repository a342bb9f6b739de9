"""The process that bench/scenarios/deps_match.py measures: `python -m bench.matcher LISTS [HOW_MANY REPOSITORIES]`.

It opens the shipped database, matches the first HOW_MANY requirement lists (all by default), then REPOSITORIES lists,
and prints its figures as JSON. Nothing else of the bench is imported, so a start counts as it does for people.
"""

import json
import re
import resource
import sys
import time
from pathlib import Path


def measure(lists: list[list[str]], repositories: int) -> dict[str, float]:
    """One process's figures, in seconds and MB; `cpu` is processor time up to the first match."""
    from goferry.deps.advisories.database import shipped as open_shipped
    from goferry.deps.advisories.matching import match
    from goferry.deps.base import Module

    modules = [[Module(path, version) for path, _, version in map(_split, one)] for one in lists]
    clock = time.perf_counter
    started = clock()
    database = open_shipped()
    opened = clock()
    findings = sum(len(match(database, one)) for one in modules)
    first, cpu = clock(), time.process_time()
    again = sum(len(match(database, one)) for one in modules)
    second = clock()
    many = [modules[number % len(modules)] for number in range(repositories)]
    for one in many:
        match(database, one)
    last = clock()
    assert findings == again
    return {
        "open": opened - started,
        "first": first - opened,
        "again": second - first,
        "repositories": last - second,
        "cpu": cpu,
        "findings": findings,
        "requirements": sum(map(len, modules)),
        "many": sum(map(len, many)),
        "memory": _peak(),
    }


def _peak() -> float:
    """Most resident memory of this program in MB. getrusage would also count the bench that started it: Linux keeps the
    peak over exec."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
        if found is not None:
            return int(found[1]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _split(text: str) -> tuple[str, str, str]:
    return text.partition("@")


if __name__ == "__main__":
    requirements = [json.loads(line)["require"] for line in Path(sys.argv[1]).read_text().splitlines()]
    how_many, repositories = (
        (int(word) for word in sys.argv[2:]) if len(sys.argv) > 2 else (len(requirements), 0)
    )
    print(json.dumps(measure(requirements[:how_many], repositories)))
