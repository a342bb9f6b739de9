"""What a process tree uses, read from /proc (Linux). Elsewhere the rows that need it are skipped by name."""

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
MB = 1e6
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True, slots=True)
class Memory:
    """Of a whole tree, in MB. `rss` counts shared pages once per process, `pss` once; `anon` no file's pages."""

    rss: float
    pss: float
    anon: float


def available() -> bool:
    """True where process trees can be read."""
    return (PROC / "self" / "smaps_rollup").exists()


def tree(pid: int) -> list[int]:
    """The process and all its descendants that are alive."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue  # it ended meanwhile
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for one in found:
        found.extend(children.get(one, []))
    return found


def memory(pid: int) -> Memory:
    """Resident memory of the tree below a process."""
    total = {"Rss": 0, "Pss": 0, "Anonymous": 0}
    for one in tree(pid):
        try:
            rollup = (PROC / str(one) / "smaps_rollup").read_text()
        except OSError:
            continue
        for line in rollup.splitlines():
            name, _, value = line.partition(":")
            if name in total:
                total[name] += int(value.split()[0]) * 1024
    return Memory(*(round(value / MB, 1) for value in total.values()))


def cpu_seconds(pid: int) -> float:
    """User and system time that the tree has used."""
    ticks = 0
    for one in tree(pid):
        try:
            fields = (PROC / str(one) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS
