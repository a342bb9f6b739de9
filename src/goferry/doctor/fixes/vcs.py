"""Plans for git and its like: URLs, credentials, keys, programs. A credential is always a word to be filled in."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from goferry.doctor.causes import Whose
from goferry.doctor.evidence import GitSetting, Role
from goferry.doctor.fixes import goproxylist as lists
from goferry.doctor.fixes.configuration import private_pattern
from goferry.doctor.fixes.kit import Case, minor, plain_host, quoted
from goferry.doctor.fixes.mirrors import other_ways
from goferry.doctor.fixes.path import direct_blocked
from goferry.doctor.fixes.plan import Plan
from goferry.doctor.fixes.rewrites import AddGit, DropGit
from goferry.findings import Text
from goferry.gomod import goproxy
from goferry.gomod.metaimport import MOD
from goferry.i18n import N_

_GOAUTH_SINCE: Final = 24


def code_host(case: Case) -> str:
    """The host of the repository."""
    hosts = [target.host for target in case.targets(Role.CODE_HOST) if plain_host(target.host)]
    if case.host in hosts or (case.host and "." in case.host):
        return case.host
    return hosts[0] if hosts else plain_host(case.module.partition("/")[0])


# ---- URLs --------------------------------------------------------------------------------------------------


def _rules(case: Case, turns: Callable[[str], bool]) -> list[GitSetting]:
    """The insteadOf rules that turn https into a URL of that kind."""
    return [
        setting
        for setting in case.settings.git
        if setting.key.startswith("url.")
        and setting.key.endswith(".insteadof")
        and setting.value.startswith("http")
        and turns(setting.key.removeprefix("url.").removesuffix(".insteadof"))
    ]


def _turned_rules(case: Case) -> list[GitSetting]:
    """The insteadOf rules that turn https into ssh or git://, the ports of which may be closed."""
    return _rules(case, lambda base: base.startswith("git://")) + ssh_rules(case)


def _is_ssh(base: str) -> bool:
    """Whether a URL of git's leads through ssh; `host:path` without slashes does."""
    return base.startswith(("ssh://", "git+ssh://", "ssh+git://")) or (
        "://" not in base and ("@" in base or ":" in base)
    )


def ssh_rules(case: Case) -> list[GitSetting]:
    """The insteadOf rules that turn https into ssh."""
    return _rules(case, _is_ssh)


def insteadof_ssh(case: Case) -> Iterator[Plan]:
    """Without the rule; or with a key that ssh can use."""
    rules = ssh_rules(case)
    mine = [rule for rule in rules if code_host(case) in rule.value or code_host(case) in rule.key] or rules
    for rule in mine:
        base = rule.key.removeprefix("url.").removesuffix(".insteadof")
        yield case.write(
            "drop_insteadof",
            Text(
                N_("Take the rule that turns {https} into ssh out of {place}."),
                https=rule.value,
                place=rule.place,
            ),
            DropGit(rule.key, rule.value, rule.place),
            commands=(f"git config --{_scope(rule)} --unset-all {quoted(f'url.{base}.insteadOf')}",),
        )
    yield from other_ways(case, has_direct=False)
    yield from ssh_key(case)


def _scope(setting: GitSetting) -> str:
    return setting.scope if setting.scope in ("global", "system") else "global"


def protocol_blocked(case: Case) -> Iterator[Plan]:
    """https in place of what is filtered, for this host; a rule that does the reverse has to go first."""
    host = code_host(case)
    yield _over_https(case, host, _turned_rules(case), f"git://{host}/", f"ssh://git@{host}/", f"git@{host}:")
    yield from other_ways(case, has_direct=False)
    yield case.tell(
        Whose.NETWORK,
        "tell_network",
        Text(N_("Ask your network's people to let git through to {where}."), where=case.judgement.where),
        *(
            f"{dial.host} {dial.address}:{dial.port}: {dial.failure or 'connected'}"
            for dial in case.evidence.dials
            if dial.host == host
        ),
    )


def _over_https(case: Case, host: str, rules: Sequence[GitSetting], *olds: str) -> Plan:
    """https in place of these forms. rules: those that do the reverse, which have to go."""
    pairs = tuple((f"url.https://{host}/.insteadOf", old) for old in olds)
    return case.write(
        "https_insteadof",
        Text(N_("Let git use https for {host}."), host=host),
        *(DropGit(rule.key, rule.value, rule.place) for rule in rules),
        AddGit(pairs),
        commands=(
            *(f"git config --{_scope(rule)} --unset-all {quoted(_plain_key(rule))}" for rule in rules),
            *(f"git config --global --add {quoted(key)} {quoted(old)}" for key, old in pairs),
        ),
        dockerfile=tuple(f"RUN git config --system --add {quoted(key)} {quoted(old)}" for key, old in pairs),
        environment=_as_environment(pairs),
    )


def _plain_key(rule: GitSetting) -> str:
    return f"{rule.key.removesuffix('.insteadof')}.insteadOf"


def _as_environment(pairs: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """The same without any file, for CI and containers (git 2.31 or later)."""
    lines = [f"export GIT_CONFIG_COUNT={len(pairs)}"]
    for place, (key, value) in enumerate(pairs):
        lines.append(f"export GIT_CONFIG_KEY_{place}={quoted(key)} GIT_CONFIG_VALUE_{place}={quoted(value)}")
    return tuple(lines)


# ---- credentials -------------------------------------------------------------------------------------------


def credentials(case: Case) -> Iterator[Plan]:
    """netrc serves go and git alike, so it comes first."""
    host = code_host(case) or "<host>"
    yield from _wrong_netrc(case, host)
    yield case.run(
        "netrc",
        Text(
            N_("Give go and git your login for {host} in ~/.netrc, with a token for a password."), host=host
        ),
        f"printf 'machine {host} login <user> password <token>\\n' >> ~/.netrc && chmod 600 ~/.netrc",
        github=(
            f'run: git config --global url."https://x-access-token:${{{{ secrets.TOKEN }}}}@{host}/".insteadOf "https://{host}/"',
        ),
        gitlab=(f'- printf "machine {host} login gitlab-ci-token password ${{CI_JOB_TOKEN}}\\n" > ~/.netrc',),
        dockerfile=("RUN --mount=type=secret,id=netrc NETRC=/run/secrets/netrc go mod download",),
    )
    if minor(case) >= _GOAUTH_SINCE:
        yield case.run(
            "goauth",
            Text(N_("Or let go ask git's own credential helper.")),
            "git config --global credential.helper store",
            'go env -w "GOAUTH=git $HOME"',
        )
    yield case.run(
        "ssh_insteadof",
        Text(N_("Or, if you have an ssh key there, let git use ssh for {host}."), host=host),
        f"git config --global url.ssh://git@{host}/.insteadOf https://{host}/",
        f"ssh -T git@{host}",
    )
    if case.module and not case.settings.value("GOPRIVATE"):
        pattern = private_pattern(case.module)
        yield case.set(
            "set_goprivate",
            Text(N_("A private module also has to be named in GOPRIVATE: {pattern}"), pattern=pattern),
            {"GOPRIVATE": pattern},
        )
    yield case.tell(
        Whose.AUTHOR,
        "tell_owner",
        Text(N_("Without a login: ask those who run {host} to let you read the repository."), host=host),
        *(
            run.facts.get("url", "")
            for run in case.evidence.runs
            if run.label == "git ls-remote" and run.exit
        ),
    )


def _wrong_netrc(case: Case, host: str) -> Iterator[Plan]:
    """An entry that git may use and go does not."""
    for entry in case.settings.netrc:
        if entry.machine == host and not entry.used_by_go:
            yield case.run(
                "complete_netrc",
                Text(
                    N_("Complete the entry for {host} in {place}: go needs machine, login and password."),
                    host=host,
                    place=entry.place,
                ),
                f"${{EDITOR:-vi}} {quoted(entry.place.rpartition(':')[0])}",
            )
            return


def ssh_key(case: Case) -> Iterator[Plan]:
    """A key that is loaded and known there; and the host's own key, which ssh has to know too."""
    host = code_host(case) or "<host>"
    yield case.run(
        "ssh_key",
        Text(N_("Load a key that {host} knows into the agent."), host=host),
        "ssh-add -l || ssh-add",
        f"ssh -T git@{host}",
        github=(
            "- uses: webfactory/ssh-agent@v0.9.0",
            "  with:",
            "    ssh-private-key: ${{ secrets.SSH_KEY }}",
        ),
        dockerfile=("RUN --mount=type=ssh go mod download   # docker build --ssh default",),
    )
    if "HOST IDENTIFICATION HAS CHANGED" in case.output:
        # To take whatever key is there now is what an attacker would hope for.
        yield case.run(
            "forget_host_key",
            Text(
                N_(
                    "{host} shows another key than before: only when its owner has published the new fingerprint, "
                    "forget the old key and take the new one."
                ),
                host=host,
            ),
            f"ssh-keyscan {host} | ssh-keygen -lf -",
            f"ssh-keygen -R {host}",
        )
        return
    yield case.run(
        "known_hosts",
        Text(
            N_(
                "Let ssh know the key of {host}, after you have compared its fingerprint with the published one."
            ),
            host=host,
        ),
        f"ssh-keyscan {host} | tee -a ~/.ssh/known_hosts | ssh-keygen -lf -",
    )


def ssh_refused(case: Case) -> Iterator[Plan]:
    """https does not need a key."""
    yield from ssh_key(case)
    host = code_host(case)
    if host:
        yield _over_https(case, host, ssh_rules(case), f"ssh://git@{host}/", f"git@{host}:")


# ---- programs and hosts ------------------------------------------------------------------------------------

_PACKAGES: Final = {
    "git": "git",
    "hg": "mercurial",
    "svn": "subversion",
    "fossil": "fossil",
    "bzr": "brz",
    "ssh": "openssh-client",
}


def binary_missing(case: Case) -> Iterator[Plan]:
    """The program; or a mirror, with which nobody needs it."""
    missing = [name for name, path in case.settings.tools.items() if not path and name in _PACKAGES]
    named = [name for name in _PACKAGES if name in case.judgement.where.split() or f'"{name}"' in case.output]
    program = next(iter([*named, *missing]), "git")
    package = _PACKAGES[program]
    alpine = "openssh-client-default" if program == "ssh" else package
    entries = [word for word in lists.words(case.settings.value("GOPROXY")) if word not in ("direct", "off")]
    default = lists.default_of(case.settings)
    if not entries and default != goproxy.DIRECT:
        yield case.set(
            "use_mirror",
            Text(
                N_("Ask a mirror, with which no {program} is needed: {value}"), program=program, value=default
            ),
            {"GOPROXY": default},
        )
    yield case.run(
        "install_program",
        Text(N_("Install {program} where go runs."), program=program),
        f"{case.sudo}apt-get install --yes {package}   # Debian, Ubuntu",
        f"{case.sudo}apk add {alpine}   # Alpine",
        f"{case.sudo}dnf install --assumeyes {package}   # Fedora, RHEL",
        f"brew install {package}   # macOS",
        "winget install --exact --id Git.Git   # Windows"
        if program == "git"
        else f"choco install {package}   # Windows",
        dockerfile=(
            f"RUN apt-get update && apt-get install --yes {package}",
            f"# alpine: RUN apk add --no-cache {alpine}",
        ),
    )


def vanity_down(case: Case) -> Iterator[Plan]:
    """A mirror that has the module already; or the code host, named in go.mod."""
    yield from direct_blocked_without_network(case)
    root = next(
        (
            answer.facts.get("root", "")
            for answer in case.answers("go_get")
            if answer.facts.get("root") and answer.facts.get("vcs") != MOD
        ),
        "",
    )
    module, version = case.module or "<module>", case.version or "<version>"
    target = root.partition("://")[2].removesuffix(".git") or "<host/path>"
    yield case.run(
        "replace_with_code_host",
        Text(N_("Name the repository itself in go.mod until the import host is back.")),
        f"go mod edit -replace={quoted(f'{module}={target}@{version}')}",
    )
    yield case.tell(
        Whose.AUTHOR,
        "tell_author",
        Text(N_("Tell the owner of {where} that its import page is down."), where=case.judgement.where),
        *(f"{answer.url}: {answer.failure or answer.status}" for answer in case.answers("go_get")),
    )


def direct_blocked_without_network(case: Case) -> Iterator[Plan]:
    """The ways around an origin, without a word to the network's people: it is not their fault."""
    yield from (plan for plan in direct_blocked(case) if not plan.by)
