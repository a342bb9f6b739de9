"""All settings in one reading. Each part has a small file of its own; here they meet and their secrets end."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.evidence import Context, ResolvConf, Setting, SettingsSeen, Skipped, Subject
from goferry.doctor.settings import govars, names
from goferry.doctor.settings.context import read_context
from goferry.doctor.settings.credentials import read_netrc
from goferry.doctor.settings.elsewhere import read_elsewhere
from goferry.doctor.settings.folders import read_folders
from goferry.doctor.settings.gitconfig import read_git, without_secrets
from goferry.doctor.settings.hiding import hide
from goferry.doctor.settings.proxies import decide, read_proxies
from goferry.doctor.settings.reading import find_program
from goferry.doctor.settings.roots import read_roots
from goferry.doctor.settings.targets import plan_targets
from goferry.doctor.settings.workspace import Workspace, read_workspace
from goferry.findings import Text
from goferry.gocommand import GoCommand
from goferry.i18n import N_
from goferry.smallfiles import is_file, read_text

_PROGRAMS: Final = ("go", "git", "hg", "svn", "bzr", "fossil", "ssh", "curl")
_MOST_HOSTS: Final = 16 << 20
"""Bytes of the hosts file: lists against advertisements have some hundred thousand lines."""

_OTHERS: Final = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "NETRC",
    "HOME",
    "XDG_CONFIG_HOME",
    "SSH_AUTH_SOCK",
    "LOCALDOMAIN",
    "RES_OPTIONS",
    "HOSTALIASES",
    "REQUEST_METHOD",
    "GCM_INTERACTIVE",
)


def read_settings(world: World) -> tuple[SettingsSeen, Context, tuple[Skipped, ...]]:
    """Everything that is set here, without secrets, and what could not be looked at.

    Nothing raises: a file that is missing or unreadable is a fact like any other. The `proxying` of the result is that
    of the environment's own targets; `proxies.decide` makes it for others.
    """
    go = govars.find_go(world)
    places = govars.go_places(world, go)
    values = places.values()
    git = read_git(world, values.get("GOMODCACHE", ""))
    workspace = read_workspace(world.cwd)
    seen = SettingsSeen(
        go_version=go.version,
        go_path=go.path,
        git_version=git.version,
        go=govars.hidden(places.settings()),
        proxies=read_proxies(world.environ),
        git=without_secrets(git.settings),
        netrc=read_netrc(world),
        hosts=names.parse_hosts(read_text(world.places.hosts, _MOST_HOSTS)),
        nsswitch=names.parse_nsswitch(read_text(world.places.nsswitch)),
        resolv=_resolv(world.places.resolv_conf),
        roots=read_roots(world, git.settings),
        folders=read_folders(values, world.environ),
        go_line=workspace.go_line,
        toolchain_line=workspace.toolchain_line,
        main_module=workspace.main_module,
        elsewhere=(*read_elsewhere(world, places.user_file, places.user_text), *git.conditional),
        tools={name: find_program(world, name) for name in _PROGRAMS},
        environ=tuple(_others(world)),
        requires=workspace.requires,
        imports=workspace.imports,
    )
    seen = replace(seen, proxying=decide(seen, plan_targets(seen, Subject())))
    skipped = (*_no_go(go), *git.skipped, *_bad_go_mod(workspace))
    return seen, read_context(world), skipped


def _resolv(path: Path) -> ResolvConf:
    return names.parse_resolv_conf(read_text(path) if is_file(path) else None)


def _others(world: World) -> Iterator[Setting]:
    for name, value in sorted(world.environ.items()):
        if name in _OTHERS or name.startswith(("GIT_", "SSL_CERT_")):
            yield Setting(name, _hidden(name, value), "environment")


def _hidden(name: str, value: str) -> str:
    """GIT_CONFIG_VALUE_n may hold a header with a token; what it does is seen among git's settings."""
    return "xxxxx" if name.startswith(("GIT_CONFIG_VALUE_", "GIT_CONFIG_PARAMETERS")) else hide(value)


def _no_go(go: GoCommand) -> Iterator[Skipped]:
    if not go.path:
        yield Skipped(
            "go", Text(N_("there is no go on PATH, so nothing could be run and its own defaults are unknown"))
        )


def _bad_go_mod(workspace: Workspace) -> Iterator[Skipped]:
    if workspace.trouble:
        yield Skipped("go.mod", workspace.trouble)
