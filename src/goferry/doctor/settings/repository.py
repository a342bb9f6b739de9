"""Import paths whose repository Go knows without asking anybody, as in the table of cmd/go internal/vcs.

Any other path is looked up at its own host (`https://PATH?go-get=1`), which names the repository.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Repository:
    """root: the import path of the repository; url: where it is cloned from; vcs: the program that does it."""

    root: str
    url: str
    vcs: str
    schemes: tuple[str, ...] = ("https",)
    """What go tries one after the other, also what only GOINSECURE allows; https alone at the well-known hosts."""


# Facts of vcsPaths in vcs.go: which hosts, how many path elements, which program.
_KNOWN: Final = tuple(
    (prefix, re.compile(pattern), vcs)
    for prefix, pattern, vcs in (
        ("github.com", r"(github\.com/[\w.-]+/[\w.-]+)(?:/[\w.-]+)*", "git"),
        ("bitbucket.org", r"(bitbucket\.org/[\w.-]+/[\w.-]+)(?:/[\w.-]+)*", "git"),
        ("hub.jazz.net/git", r"(hub\.jazz\.net/git/[a-z0-9]+/[\w.-]+)(?:/[\w.-]+)*", "git"),
        ("git.apache.org", r"(git\.apache\.org/[a-z0-9_.-]+\.git)(?:/[\w.-]+)*", "git"),
        ("git.openstack.org", r"(git\.openstack\.org/[\w.-]+/[\w.-]+)(?:\.git)?(?:/[\w.-]+)*", "git"),
        ("chiselapp.com", r"(chiselapp\.com/user/[A-Za-z0-9]+/repository/[\w.-]+)", "fossil"),
    )
)
# The fields Scheme of the Cmds in vcs.go.
_SCHEMES: Final = {
    "git": ("git", "https", "http", "git+ssh", "ssh"),
    "hg": ("https", "http", "ssh"),
    "bzr": ("https", "http", "bzr", "bzr+ssh"),
    "svn": ("https", "http", "svn", "svn+ssh"),
    "fossil": ("https", "http"),
}
SECURE: Final = frozenset({"https", "git+ssh", "bzr+ssh", "svn+ssh", "ssh"})
_ANY_HOST: Final = re.compile(
    r"(?P<repo>(?:[a-z0-9.-]+\.)+[a-z0-9.-]+(?::[0-9]+)?(?:/~?[\w.-]+)+?)\.(?P<vcs>bzr|fossil|git|hg|svn)(?:/~?[\w.-]+)*"
)


def repository_of(path: str) -> Repository | None:
    """The repository of an import path; None when its host has to be asked (or when Go refuses the path)."""
    for prefix, pattern, vcs in _KNOWN:
        if path == prefix or path.startswith(prefix + "/"):
            match = pattern.fullmatch(path)
            return None if match is None else Repository(match[1], f"https://{match[1]}", vcs)
    match = _ANY_HOST.fullmatch(path)
    if match is None:
        return None
    root = f"{match['repo']}.{match['vcs']}"
    # Go itself leaves the suffix off.
    return Repository(root, f"https://{match['repo']}", match["vcs"], _SCHEMES[match["vcs"]])
