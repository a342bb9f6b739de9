"""Draws docs/serve.svg, the terminal on the README's first screen, from a real run.

The store is filled first, so that the picture shows the same on every machine: `goferry serve` with its lines to
paste, a `go mod download` through it, and what is in the store afterwards.
"""

import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from smoke import GO_MOD, GOFERRY, ROOT, free_port, wait_until_ready

PICTURE: Final = ROOT / "docs" / "serve.svg"
UPSTREAM: Final = "https://goproxy.cn,https://goproxy.io,direct"
WIDTH: Final = 124


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="goferry-picture-") as folder:
        home = Path(folder)
        (home / "go.mod").write_text(GO_MOD)
        environ = {**os.environ, "HOME": folder, "XDG_DATA_HOME": f"{folder}/.local/share", "LANG": "C.UTF-8"}
        run([str(GOFERRY), "warm"], home, environ)
        screen = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
        draw(screen, home, environ)
        PICTURE.write_text(tidy(screen.export_svg(title="goferry", unique_id="goferry")), "utf-8")
    print(f"wrote {PICTURE.relative_to(ROOT)}")
    return 0


def draw(screen: Console, home: Path, environ: dict[str, str]) -> None:
    """One session: serve, download through it, look into the store."""
    port = free_port()
    output = home / "serve.txt"
    command = [str(GOFERRY), "serve", "--addr", f"127.0.0.1:{port}", "--upstream", UPSTREAM]
    with output.open("w") as sink:
        process = subprocess.Popen(command, cwd=home, env=environ, stdout=sink)
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz", process)
            client = {
                "GOPROXY": f"http://127.0.0.1:{port}",
                "GOMODCACHE": f"{home}/cache",
                "GOFLAGS": "-modcacherw -mod=mod",
            }
            run(["go", "mod", "download", "all"], home, environ | client)
        finally:
            process.terminate()
            process.wait(60)
    said = output.read_text()
    pasted, _blank, rest = said.partition("\n\n")
    facts = [line for line in rest.splitlines() if re.match(r"\w+: ", line)]
    log = [line for line in rest.splitlines() if " GET /" in line or '"GET /' in line]
    show(screen, "goferry serve", "\n".join([*pasted.splitlines(), "", *facts, "", *log[-3:]]), home, port)
    show(screen, "go mod download", "", home, port)
    for words in (["cache", "list"], ["cache", "verify"]):
        show(screen, shlex.join(["goferry", *words]), run([str(GOFERRY), *words], home, environ), home, port)


def show(screen: Console, command: str, output: str, home: Path, port: int) -> None:
    """A prompt, a command and its output, with this machine's folder and port taken out."""
    screen.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
    text = output.rstrip().replace(str(home), "/home/you").replace(str(port), "8080")
    if text:
        screen.print(Text(text))


def run(command: list[str], cwd: Path, environ: dict[str, str]) -> str:
    return subprocess.run(command, cwd=cwd, env=environ, check=True, capture_output=True, text=True).stdout


def tidy(svg: str) -> str:
    """Without the fonts that rich would fetch from the web."""
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    sys.exit(main())
