"""What the trace of a run that was ended says of the module it waited for."""

import pytest

from goferry.doctor.evidence import RunSeen
from goferry.doctor.gotrace import Command, commands_of, module_awaited

MIRROR = "https://proxy.example.org"

# trace, module and version that is waited for
WAITED = [
    (f"# get {MIRROR}/example.com/a/@v/v1.0.0.mod\n", ("example.com/a", "v1.0.0")),
    (f"# get {MIRROR}/example.com/a/@v/v1.0.0.mod\n# get {MIRROR}/example.com/a/@v/v1.0.0.mod: 200 OK (0.1s)\n"
     f"# get {MIRROR}/example.com/b/@v/v2.0.0.zip\n", ("example.com/b", "v2.0.0")),
    # The path of an entry may have parts of its own, and a module's is escaped.
    (f"# get {MIRROR}/api/go/github.com/!acme/a/@v/list\n", ("github.com/Acme/a", "")),
    ("# get https://sum.example.org/lookup/example.com/a@v1.0.0\n", ("example.com/a", "v1.0.0")),
    # Nothing is waited for, or nobody knows what.
    (f"# get {MIRROR}/example.com/a/@v/v1.0.0.mod\n# get {MIRROR}/example.com/a/@v/v1.0.0.mod: 404 Not Found (0.1s)\n",
     ("example.com/first", "v0.1.0")),
    ("# get https://sum.example.org/latest\n", ("example.com/first", "v0.1.0")),
    ("", ("example.com/first", "v0.1.0")),
]  # fmt: skip


@pytest.mark.parametrize(("trace", "awaited"), WAITED)
def test_the_module_is_the_one_whose_question_has_no_answer(trace: str, awaited: tuple[str, str]) -> None:
    found = module_awaited(trace, ("example.com/first@v0.1.0", "example.com/second@v0.2.0"))
    assert (found.module, found.version) == awaited


def test_nothing_is_named_where_nothing_is_known() -> None:
    assert module_awaited("").module == ""


URL = "https://git.example.org/lab/hello"
TRACE = f"""\
mkdir -p $GOMODCACHE/cache/vcs # git3 {URL}
# lock $GOMODCACHE/cache/vcs/1f.lock
mkdir -p $GOMODCACHE/cache/vcs/1f # git3 {URL}
cd $GOMODCACHE/cache/vcs/1f; git ls-remote -q --end-of-options {URL}
1.026s # cd $GOMODCACHE/cache/vcs/1f; git ls-remote -q --end-of-options {URL}
cd $GOMODCACHE/cache/vcs/2e; hg clone -U -- https://hg.example.org/x .
cd $GOMODCACHE/cache/vcs/1f; git -c protocol.version=2 fetch -f --depth=1 origin refs/tags/v1.2.0:refs/tags/v1.2.0
"""


def test_programs_are_known_by_what_they_do_and_for_which_repository() -> None:
    trace = RunSeen("go", (), -1, 12.0, trace=TRACE, times=(0.0, 0.0, 0.1, 0.2, 1.3, 1.4, 1.5))
    assert commands_of(trace) == (
        Command("git ls-remote", URL, 0.2, 1.026),
        Command("hg clone", "", 1.4),
        Command("git fetch", URL, 1.5),
    )
