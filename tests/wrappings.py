"""What a text goes through before somebody pastes it: terminals, mails, build systems, log formats, issue forms.

Each wrapping is a function of the lines as the program wrote them. None of them changes what happened, so none may
change what `explain` makes of it.
"""

import html
import json
import re
import textwrap
from collections.abc import Callable
from typing import Final

Wrapping = Callable[[list[str]], bytes]


def _lines(change: Callable[[int, str], str], end: str = "\n") -> Wrapping:
    """Every line by itself."""
    return lambda lines: "".join(change(number, line) + end for number, line in enumerate(lines, 1)).encode()


def _text(change: Callable[[str], str], encoding: str = "utf-8") -> Wrapping:
    """The text as a whole."""
    return lambda lines: change("\n".join(lines) + "\n").encode(encoding, "replace")


def _prefix(prefix: str) -> Wrapping:
    return _lines(lambda number, line: prefix.replace("NN", f"{number:02}") + line)


def _cut(width: int, before: str = "") -> Wrapping:
    """As a terminal breaks lines at its edge, and a copy takes the breaks along."""
    return _lines(lambda _, line: "\n".join(before + part for part in _pieces(line, width)))


def _pieces(line: str, width: int) -> list[str]:
    return [line[at : at + width] for at in range(0, len(line), width)] or [""]


def _mail(width: int, before: str = "") -> Wrapping:
    """As a mail program fills lines: at blanks, and words that are too long stay whole."""

    def fill(line: str) -> str:
        if len(line) <= width:
            return before + line
        parts = textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)
        return "\n".join(before + part for part in parts)

    return _lines(lambda _, line: fill(line))


def _powershell(lines: list[str]) -> bytes:
    """A native command's standard error, as Windows PowerShell shows it: red, cut, with remarks behind it."""
    first, *rest = lines
    shown = [part for line in (f"go.exe : {first}", *rest) for part in _pieces(line, 119)]
    remarks = [
        "At line:1 char:1",
        "+ go mod download",
        "+ ~~~~~~~~~~~~~~~",
        "    + CategoryInfo          : NotSpecified: (:String) [], RemoteException",
        "    + FullyQualifiedErrorId : NativeCommandError",
        "",
    ]
    return ("\ufeff" + "\r\n".join([*shown, *remarks])).encode("utf-16-le")


def _records(form: str) -> Wrapping:
    """One JSON object a line: `form` has TEXT where the line goes."""
    return _lines(
        lambda _, line: form.replace('"TEXT"', json.dumps(line)).replace(
            'TEXT\\n"', json.dumps(line)[1:-1] + '\\n"'
        )
    )


def _one_record(form: str) -> Wrapping:
    """The whole text inside one string."""
    return lambda lines: form.replace('"TEXT"', json.dumps("\n".join(lines))).encode()


_RED: Final = "\x1b[31;1m"

PLAIN: Final[dict[str, Wrapping]] = {
    "crlf": _lines(lambda _, line: line, "\r\n"),
    "colours": _lines(lambda _, line: f"{_RED}{line}\x1b[0m\x1b[K"),
    "progress before each line": _lines(lambda number, line: f"{number} %\r{number + 1} %\r{line}"),
    "blanks behind": _lines(lambda _, line: line + "   "),
    "blank lines between": _lines(lambda _, line: line, "\n\n"),
    "indented by four": _prefix("    "),
    "indented by a tab": _prefix("\t"),
    "tabs are blanks": _text(lambda text: text.expandtabs(8)),
    "hard blanks": _text(lambda text: text.replace(" ", "\xa0")),
    "typographic quotes": _text(lambda text: _typographic(text)),
    "bold": _lines(lambda _, line: f"**{line}**"),
    "fences": _text(lambda text: f"This happens:\n\n```console\n{text}```\n\nany ideas?\n"),
    "list": _prefix("- "),
    "read from a picture": _text(
        lambda text: re.sub(r"(://[\w.-]+\.)(?=com/|cn/|org/)", r"\1 ", text).replace("://", ": //")
    ),
    "links": _text(lambda text: re.sub(r"((?:[a-z]+\.)+(?:com|org|io)/[\w/-]+)", r"[\1](https://\1)", text)),
    "a column of a table": _prefix("  | "),
    "mail addresses hidden": _text(lambda text: re.sub(r"[\w.-]+@v\d[\w.+-]*\w", "[email\xa0protected]", text)),
    "quoted": _prefix("> "),
    "quoted twice": _prefix("> > "),
    "quoted without a blank": _prefix(">"),
    "line numbers": _prefix("NN: "),
    "line numbers of an editor": _prefix("   NN | "),
    "line numbers and a tab": _prefix("    NN\t"),
    "line numbers of nl": _prefix("    NN  "),
    "HTML": _text(lambda text: "<pre>" + html.escape(text) + "</pre>"),
    "HTML, escaped twice": _text(lambda text: html.escape(html.escape(text))),
    "HTML lines": _lines(lambda _, line: html.escape(line) + "<br>"),
    "UTF-16": _text(lambda text: text, "utf-16"),
    "GB18030": _text(lambda text: "※※※\n" + text, "gb18030"),
    "zeros": _text(lambda text: text.replace("\n", "\x00\n")),
    "syslog": _prefix("Jan  5 10:11:NN host build[4711]: "),
    "journal": _prefix("Jan 05 10:11:NN host go[4711]: "),
    "log package": _prefix("2024/01/05 10:11:NN "),
    "klog": _prefix("E0105 10:11:NN.123456       1 main.go:42] "),
    "bracketed time": _prefix("[2024-01-05 10:11:NN] "),
    "zone": _prefix("2024-01-05T10:11:NN.123+0000 "),
    "TeamCity": _prefix("[10:11:NN]W:\t [Step 1/2] "),
    "TeamCity without step": _prefix("[10:11:NN] :\t\t [go mod download] "),
    "Jenkins": _prefix("[2024-01-05T10:11:NN.123Z] "),
    "Jenkins, parallel": _prefix("[build] "),
    "Maven": _prefix("[ERROR] "),
    "Bazel": _prefix("(10:11:NN) ERROR: "),
    "kubectl with prefix": _prefix("[pod/build-x7k2p/main] "),
    "supervisor": _prefix("stderr: "),
    "Nix": _prefix("       > "),
    "Nix build": _prefix("tool> "),
    "ansible": _one_record('fatal: [host]: FAILED! => {"cmd": ["go"], "rc": 1, "stderr": "TEXT", "stdout": ""}'),
    "terraform": _prefix("│ "),
    "go -json": _one_record('{\n\t"Path": "x.example/y",\n\t"Version": "v1.0.0",\n\t"Error": "TEXT"\n}'),
    "go build -json": _records('{"ImportPath":"x.example/y","Action":"build-output","Output":"TEXT\\n"}'),
    "zap": _records('{"level":"error","ts":1704449472.1,"caller":"a/b.go:12","msg":"TEXT"}'),
    "zap, error": _one_record('{"level":"error","ts":1704449472.1,"error":"TEXT","stacktrace":"main.main"}'),
    "zap console": _one_record('2024-01-05T10:11:12.123Z\tERROR\ta/b.go:12\tbuild failed\t{"error": "TEXT"}'),
    "logrus text": _one_record('time="2024-01-05T10:11:12Z" level=error msg="TEXT" dir=/x'),
    "logfmt lines": _records('ts=2024-01-05T10:11:12Z level=error err="TEXT"'),
    "a list of strings": _text(lambda text: json.dumps({"output": text.splitlines()}, indent=2)),
    "Python's bytes": _text(lambda text: f"Command returned non-zero exit status 1: {text.encode()!r}\n"),
}  # fmt: skip
"""Those that say nothing of the place."""

CUT: Final[dict[str, Wrapping]] = {
    "cut at 80": _cut(80),
    "cut at 120": _cut(120),
    "cut at 72, quoted": _cut(72, "> "),
    "mail at 72": _mail(72),
    "mail at 76, quoted": _mail(76, "> "),
    "PowerShell": _powershell,
}
"""Those that break lines."""

IN_CONTAINERS: Final[dict[str, Wrapping]] = {
    "BuildKit": _prefix("#12 3.4NN "),
    "BuildKit summary": _prefix("3.4NN "),
    "BuildKit in a terminal": _prefix(" => => # "),
    "docker compose": _prefix("app-1  | "),
    "docker compose build": _prefix("#12 [app builder 4/6] 3.4NN "),
    "docker json-file": _records('{"log":"TEXT\\n","stream":"stderr","time":"2024-01-05T10:11:12.1Z"}'),
    "CRI": _prefix("2024-01-05T10:11:12.1234567Z stderr F "),
    "kaniko": _prefix("ERROR[0012] "),
}
ON_RUNNERS: Final[dict[str, Wrapping]] = {
    "GitHub": _prefix("2024-01-05T10:11:NN.1234567Z "),
    "GitHub errors": _prefix("2024-01-05T10:11:NN.1234567Z ##[error]"),
    "GitHub log file": _prefix("build\tRun go build\t2024-01-05T10:11:NN.1234567Z "),
    "GitHub annotation": _prefix("::error file=go.mod,line=1::"),
    "GitHub, the short form": _prefix("Error: "),
    "GitLab": _prefix("2024-01-05T10:11:NN.123456Z 01O "),
    "GitLab, continued": _prefix("2024-01-05T10:11:NN.123456Z 01E+"),
    "Azure": _prefix("##[error]"),
    "CircleCI": _prefix("[10:11:NN] "),
    "Drone": _prefix("[build:NN] "),
    "Buildkite": _lines(lambda _, line: f"\x1b_bk;t=1704449472123\x07{line}"),
}


def _typographic(text: str) -> str:
    """As word processors and blogs set quotes: those that open and those that close."""
    parts = text.split('"')
    return "".join(part + ("“" if at % 2 == 0 else "”") for at, part in enumerate(parts))[:-1]
