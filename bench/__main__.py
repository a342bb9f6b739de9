"""`python -m bench`: runs scenarios, prints the table, keeps the raw rounds as JSON.

python -m bench                          every row
python -m bench --only serve,cold        some groups
python -m bench --quick                  few rounds: for trying, not for quoting
python -m bench --save                   also merge the rows into bench/results/latest.json, which is committed
python -m bench --show FILE              print a kept run
python -m bench --docs                   write the committed rows into docs/*/performance.md
python -m bench --docs --check           fail when a page holds other rows
"""

import argparse
import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import pace, report, tools
from bench.demands import GROUPS
from bench.load import LoadError
from bench.plan import Bench, Results, now
from bench.words import BY_FOLDER

OUT = tools.ROOT / "bench" / "out"
LATEST = tools.ROOT / "bench" / "results" / "latest.json"


def main(argv: list[str] | None = None) -> int:
    """Exit status: 0 every measured row passes, 1 one fails or broke, 2 wrong arguments."""
    options = _arguments(argv)
    if options.show:
        kept = json.loads(options.show.read_text())
        print(report.render(kept["machine"], Results.from_json(kept)))
        return 0
    if options.docs:
        return _write_docs(check=options.check)
    return _run(options)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Figures of goferry beside its peers."
    )
    parser.add_argument("--only", default=",".join(GROUPS), help=f"groups to run: {','.join(GROUPS)}")
    parser.add_argument("--quick", action="store_true", help="few rounds")
    parser.add_argument("--athens", action="store_true", help="Athens as well (minutes per cold pass)")
    parser.add_argument(
        "--work", type=Path, help="where trees and stores live meanwhile (default: the temporary folder)"
    )
    parser.add_argument(
        "--save", action="store_true", help=f"merge the rows into {LATEST.relative_to(tools.ROOT)}"
    )
    parser.add_argument("--show", type=Path, metavar="FILE", help="print a kept run instead of running")
    parser.add_argument(
        "--docs", action="store_true", help="write the committed rows into docs/*/performance.md"
    )
    parser.add_argument(
        "--check", action="store_true", help="with --docs: write nothing, fail when a page holds other rows"
    )
    options = parser.parse_args(argv)
    options.only = options.only.split(",")
    unknown = set(options.only) - set(GROUPS)
    if unknown:
        parser.error(f"no such group: {', '.join(sorted(unknown))} (there are {', '.join(GROUPS)})")
    return options


def _run(options: argparse.Namespace) -> int:
    from bench.scenarios import SCENARIOS

    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.work) as name:
        bench = Bench(Path(name), quick=options.quick, athens=options.athens)
        about = asdict(tools.machine(bench.folder)) | {
            "commit": _commit(),
            "quick": options.quick,
            "when": now(),
        }
        paces = about["pace"] = {}
        for group in GROUPS:
            if group not in options.only:
                continue
            print(f"\n{group}", flush=True)
            tools.forget_files(names=True)
            before, started = pace.measure(), time.monotonic()
            try:
                SCENARIOS[group](bench)
            except (tools.Missing, LoadError, OSError, subprocess.SubprocessError, ImportError) as error:
                # One scenario that can't be run must not cost the figures of the others.
                bench.results.absent[group] = f"{type(error).__name__}: {error}"
                print(f"  not measured: {error}")
            seconds, after = time.monotonic() - started, pace.measure()
            paces[group] = [asdict(before), asdict(after)]
            print(f"  before: {before}\n  after:  {after}\n  ({seconds:.0f} s)", flush=True)
    kept = _anonymous({"machine": about} | bench.results.to_json(), bench.folder)
    target = _keep(kept)
    if options.save:
        _merge(kept, LATEST)
    print("\n" + report.render(about, bench.results, groups=options.only))
    print(f"\nraw rounds: {target.relative_to(tools.ROOT)}")
    missing = report.missing(bench.results, options.only)
    return 0 if not missing and all(one.passed for one in bench.results.measured.values()) else 1


def _anonymous(kept: dict[str, Any], scratch: Path) -> dict[str, Any]:
    """The same without the names of this machine's folders and of its upstream: the rows are published."""
    text = json.dumps(kept)
    secrets = {str(scratch): "SCRATCH", str(tools.ROOT): "."}
    with contextlib.suppress(tools.Missing, subprocess.SubprocessError):
        for entry in re.split("[,|]", tools.default_proxy()):
            if host := urlsplit(entry).netloc:
                secrets[host] = "upstream.example"
    for secret, shown in secrets.items():
        text = text.replace(json.dumps(secret)[1:-1], shown)
    clean: dict[str, Any] = json.loads(text)
    return clean


def _keep(kept: dict[str, Any]) -> Path:
    target = tools.ensure(OUT) / f"{kept['machine']['when'].replace(':', '').replace('+0000', 'Z')}.json"
    target.write_text(json.dumps(kept, indent=1) + "\n")
    return target


def _merge(kept: dict[str, Any], target: Path) -> None:
    """New rows over old ones of the same machine; a different machine starts anew."""
    same = ("cpu", "cores", "memory_gb", "system")
    old = json.loads(target.read_text()) if target.exists() else None
    if old is not None and all(old["machine"][name] == kept["machine"][name] for name in same):
        groups = {note["group"] for note in kept["notes"]} | {key.partition(":")[0] for key in kept["absent"]}
        paces = old["machine"].get("pace", {}) | kept["machine"]["pace"]
        kept = kept | {
            "machine": kept["machine"] | {"pace": paces},
            "measured": old["measured"] | kept["measured"],
            "notes": [note for note in old["notes"] if note["group"] not in groups] + kept["notes"],
            "absent": {k: v for k, v in old["absent"].items() if k.partition(":")[0] not in groups}
            | kept["absent"],
        }
    tools.ensure(target.parent)
    target.write_text(json.dumps(kept, indent=1) + "\n")


def _write_docs(*, check: bool) -> int:
    kept = json.loads(LATEST.read_text())
    status = 0
    for folder, words in BY_FOLDER.items():
        page = tools.ROOT / "docs" / folder / "performance.md"
        name, old = page.relative_to(tools.ROOT), page.read_text("utf-8")
        before, begin, rest = old.partition(report.BEGIN)
        _, end, after = rest.partition(report.END)
        if not begin or not end:
            print(f"{name} has no place for the tables")
            return 1
        text = report.render(kept["machine"], Results.from_json(kept), markdown=True, words=words)
        new = f"{before}{begin}\n\n{text}\n\n{end}{after}"
        if new == old:
            continue
        if check:
            print(f"{name} is not what {LATEST.relative_to(tools.ROOT)} says; run `python -m bench --docs`")
            status = 1
            continue
        page.write_text(new, "utf-8")
        print(f"{name} written")
    return status


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=tools.ROOT, capture_output=True, text=True
    )
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
