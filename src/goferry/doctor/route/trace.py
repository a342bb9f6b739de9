"""Go's decisions for one module, in the order in which the command makes them.

The rules are those of cmd/go: internal/modfetch (repo.go: who may be asked; proxy.go: the list; sumdb.go: the
database), internal/vcs (where the repository is, which programs may run) and internal/web (http, credentials).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from goferry.doctor.evidence import Context, SettingsSeen, Subject
from goferry.doctor.route import patterns, traps
from goferry.doctor.route.records import Hop, Route, Step, SumCheck, step
from goferry.doctor.route.way import complete
from goferry.doctor.settings.gitconfig import Rewritten, rewrite
from goferry.doctor.settings.repository import SECURE, Repository, repository_of
from goferry.errors import InvalidInput
from goferry.findings import Text
from goferry.gomod import goenv, goflags, goproxy, gourl, govcs, gover, module
from goferry.i18n import N_


@dataclass(frozen=True, slots=True)
class _Part:
    """What one question about the module gave: its result, the decisions, the hosts."""

    result: str = ""
    steps: tuple[Step, ...] = ()
    hops: tuple[Hop, ...] = ()


def trace(seen: SettingsSeen, context: Context, subject: Subject) -> Route:
    """The route of `subject.module`. InvalidPath when it is none that go would take."""
    # The two names of a go.mod's own lines stand for the module in which toolchains come.
    path = gover.TOOLCHAIN_MODULE if gover.is_toolchain(subject.module) else subject.module
    module.check_path(path)
    sums = sum_check(seen, path)
    mode = _mode(seen)
    where = _Part(mode.result) if mode.result == "error" else _where(seen, path, mode)
    hops = tuple(_completed(hop, seen, context) for hop in where.hops)
    steps = (*mode.steps, *where.steps, _sum_step(seen, path, sums))
    route = Route(path, subject.version, where.result, steps, hops, sums, ())
    return replace(route, traps=tuple(traps.find(seen, route)))


def _completed(hop: Hop, seen: SettingsSeen, context: Context) -> Hop:
    if hop.kind in ("off", "file"):
        return hop
    parsed = gourl.parse(hop.url) if "://" in hop.url else gourl.URL()
    has_user = parsed.user_info is not None and parsed.scheme in ("http", "https")
    return complete(hop, seen, context, has_user=has_user)


# ---- is anybody asked at all -------------------------------------------------------------------------------


_NO_MODULES: Final = N_("GOPATH mode: since Go 1.22 nothing is downloaded in it")
_GOPATH: Final = N_("GOPATH mode: GOPROXY, the checksum database and versions are not used")


def _has_no_gopath_get(seen: SettingsSeen) -> bool:
    """Whether this go (an unknown one is taken for a new one) has given up downloads in GOPATH mode."""
    version = gover.from_toolchain(seen.go_version)
    return not version or gover.compare(version, "1.22") >= 0


def _mode(seen: SettingsSeen) -> _Part:
    """GOFLAGS and GOPATH mode come before everything else. result: `module`, `gopath`, `error`."""
    try:
        flags = goflags.parse(seen.value("GOFLAGS"))
    except InvalidInput as why:
        text = Text(N_("go stops: {why}"), why=Text.of(why))
        return _Part("error", (step(seen, "mode", "GOFLAGS", "", "error", text),))
    if seen.value("GO111MODULE") == "off":
        result, key = ("error", _NO_MODULES) if _has_no_gopath_get(seen) else ("gopath", _GOPATH)
        return _Part(result, (step(seen, "mode", "GO111MODULE", "off", "gopath", Text(key)),))
    if goflags.value(flags, "mod") == "vendor":
        # Measured: `go mod download` does not heed it.
        text = Text(
            N_(
                "builds take modules from the vendor folder and download nothing; what follows is for the rest"
            )
        )
        return _Part("module", (step(seen, "mode", "GOFLAGS", "-mod=vendor", "vendor", text),))
    return _Part("module")


_UNKNOWN: Final = N_("not known: there is no go command here whose default would count")


def _where(seen: SettingsSeen, path: str, mode: _Part) -> _Part:
    if not seen.value("GOPROXY") and not seen.go_path:
        text = Text(_UNKNOWN)
        return _Part("error", (step(seen, "mirrors", "GOPROXY", "", "error", text),))
    if mode.result == "gopath":
        origin = _origin(seen, path)
        return replace(origin, result="direct" if origin.hops else "error")
    try:
        entries = goproxy.parse_list(seen.value("GOPROXY"))
    except InvalidInput as why:
        text = Text(N_("go stops: {why}"), why=Text.of(why))
        return _Part("error", (step(seen, "mirrors", "GOPROXY", "", "error", text),))
    private = _private(seen, path)
    if private.result == "direct":
        origin = _origin(seen, path)
        return _Part("direct" if origin.hops else "error", (*private.steps, *origin.steps), origin.hops)
    return _listed(seen, path, entries, private)


def _private(seen: SettingsSeen, path: str) -> _Part:
    """GONOPROXY, which is GOPRIVATE unless it is set."""
    rule = patterns.matching(seen.value("GONOPROXY"), path)
    if rule:
        text = Text(N_("{path} matches {rule}: no mirror is asked, its origin is"), path=path, rule=rule)
    else:
        text = Text(N_("{path} matches no pattern, so it is not private for go"), path=path)
    result = "direct" if rule else "mirrors"
    return _Part(result, (step(seen, "private", "GONOPROXY", rule, result, text),))


def _listed(seen: SettingsSeen, path: str, entries: tuple[goproxy.Entry, ...], private: _Part) -> _Part:
    """Down the list: what its entries are, and the origin where it ends with `direct`."""
    hops: list[Hop] = []
    steps = list(private.steps)
    steps.append(step(seen, "mirrors", "GOPROXY", "", _kind(entries[0]), _list_text(entries)))
    for place, entry in enumerate(entries):
        if entry.url == goproxy.DIRECT:
            origin = _origin(seen, path)
            steps += origin.steps
            hops += origin.hops
        else:
            hops.append(_list_hop(place, entry, is_last=place == len(entries) - 1))
    result = "off" if _kind(entries[0]) == "off" else _result(hops)
    return _Part(result, tuple(steps), tuple(hops))


def _result(hops: list[Hop]) -> str:
    if not hops:
        return "error"
    return "mirror" if hops[0].kind in ("mirror", "file") else "direct"


def _kind(entry: goproxy.Entry) -> str:
    if not entry.is_proxy:
        return entry.url
    return "file" if entry.url.startswith("file:") else "mirror"


def _list_text(entries: tuple[goproxy.Entry, ...]) -> Text:
    if entries[0].url == goproxy.DIRECT:
        return Text(N_("no mirror: every module comes from its origin"))
    if entries[0].url == goproxy.OFF:
        return Text(N_("downloads are forbidden"))
    return Text(N_("mirrors in this order: {names}"), names=" → ".join(entry.name for entry in entries))


def _list_hop(place: int, entry: goproxy.Entry, *, is_last: bool) -> Hop:
    moves_on = "" if is_last else ("any_error" if entry.falls_through_on_any else "not_found")
    return Hop(_kind(entry), entry.url, entry=place, moves_on=moves_on)


# ---- the origin --------------------------------------------------------------------------------------------


def _origin(seen: SettingsSeen, path: str) -> _Part:
    """Where the code is, whether a program may fetch it, and under which address it does."""
    insecure = patterns.matching(seen.value("GOINSECURE"), path)
    repository = repository_of(path)
    steps = list(_insecure_step(seen, path, insecure))
    if repository is None:
        return _asked_origin(seen, path, steps, insecure)
    steps.append(
        Step("repository", "", repository.url, "", "", repository.root, repository.vcs,
             Text(N_("{root} is a {vcs} repository by its name; no page is asked"),
                  root=repository.root, vcs=repository.vcs))
    )  # fmt: skip
    allowed = _govcs_step(seen, repository)
    steps.append(allowed)
    if allowed.result != "allowed":
        return _Part("error", tuple(steps))
    hops: list[Hop] = []
    for scheme in _tried(seen, repository, is_insecure=bool(insecure)):
        url = f"{scheme}{repository.url.removeprefix('https')}"
        rewritten = rewrite(url, seen.git) if repository.vcs == "git" else Rewritten(url)
        if rewritten.rule is not None:
            steps.append(_rewrite_step(url, rewritten.url, rewritten.rule.key, rewritten.rule.place))
        stack = "git" if repository.vcs == "git" else repository.vcs
        hops.append(Hop("code", rewritten.url, stack=stack, moves_on="any_error"))
    if hops:
        hops[-1] = replace(hops[-1], moves_on="")
    return _Part("direct" if hops else "error", tuple(steps), tuple(hops))


def _tried(seen: SettingsSeen, repository: Repository, *, is_insecure: bool) -> tuple[str, ...]:
    """The schemes that go tries for it, in order; those without encryption only with GOINSECURE."""
    if len(repository.schemes) == 1 or is_insecure:
        return repository.schemes
    allowed = next((item.value for item in seen.environ if item.name == "GIT_ALLOW_PROTOCOL"), "")
    secure = set(allowed.split(":")) if allowed and repository.vcs == "git" else SECURE
    return tuple(scheme for scheme in repository.schemes if scheme in secure)


def _asked_origin(seen: SettingsSeen, path: str, steps: list[Step], insecure: str) -> _Part:
    """The import host says where the code is, so no more than that host is known beforehand."""
    host = path.partition("/")[0]
    known = repository_error(path)
    if known is not None:
        steps.append(Step("repository", "", path, "", "", "", "error", known))
        return _Part("error", tuple(steps))
    text = Text(
        N_("{host} is asked where the code of {path} lies; git goes there next"), host=host, path=path
    )
    steps.append(Step("repository", "", f"https://{path}?go-get=1", "", "", "", "asked", text))
    steps.append(_govcs_step(seen, Repository(path, "", "git")))
    hop = Hop(
        "import", f"https://{path}?go-get=1", verified=not insecure, moves_on="any_error" if insecure else ""
    )
    plain = (replace(hop, url=f"http://{path}?go-get=1", moves_on=""),) if insecure else ()
    return _Part("direct", tuple(steps), (hop, *plain))


def repository_error(path: str) -> Text | None:
    """Why go refuses to look for the origin of a path: no host, or too little of a well-known one."""
    host = path.partition("/")[0]
    if "." not in host:
        return Text(N_("{path} does not begin with a host name, so it has no origin"), path=path)
    if goproxy.never_a_module(path):
        return Text(N_("{path} is too short to be a repository at {host}"), path=path, host=host)
    return None


def _insecure_step(seen: SettingsSeen, path: str, rule: str) -> Iterator[Step]:
    if rule:
        text = Text(
            N_("{path} matches {rule}: certificates are not checked, and plain http is tried"),
            path=path,
            rule=rule,
        )
        yield step(seen, "insecure", "GOINSECURE", rule, "insecure", text)


def _govcs_step(seen: SettingsSeen, repository: Repository) -> Step:
    private = bool(patterns.matching(seen.value("GOPRIVATE"), repository.root))
    try:
        rules = (*govcs.parse(seen.value("GOVCS")), *govcs.DEFAULT)
    except InvalidInput as why:
        return step(seen, "govcs", "GOVCS", "", "error", Text(N_("go stops: {why}"), why=Text.of(why)))
    rule = govcs.rule_for(rules, repository.root, private=private)
    allowed = rule is not None and rule.allows(repository.vcs)
    key = N_("{vcs} may be started for {root}") if allowed else N_("{vcs} may not be started for {root}")
    text = Text(key, vcs=repository.vcs, root=repository.root)
    return step(
        seen, "govcs", "GOVCS", "" if rule is None else str(rule), "allowed" if allowed else "refused", text
    )


def _rewrite_step(before: str, after: str, key: str, place: str) -> Step:
    text = Text(N_("git turns {before} into {after}"), before=before, after=after)
    return Step("rewrite", key, after, "git", place, before, "rewritten", text)


# ---- the checksum database ---------------------------------------------------------------------------------


def sum_check(seen: SettingsSeen, path: str) -> SumCheck:
    """Whether the database is asked about this module, and by which way."""
    gosumdb = seen.value("GOSUMDB")
    is_gopath = seen.value("GO111MODULE") == "off"
    used = goenv.use_sumdb(
        path, gosumdb=gosumdb, gonosumdb=seen.value("GONOSUMDB"), goproxy=seen.value("GOPROXY")
    )
    if is_gopath or not used:
        return SumCheck(used=False)
    try:
        database = goenv.parse_sumdb(gosumdb)
    except InvalidInput:
        return SumCheck(used=True)
    if database is None:
        return SumCheck(used=True, name="off")
    if database.url is not None:
        return SumCheck(used=True, name=database.name, url=database.url)
    return SumCheck(used=True, name=database.name, url=database.base_url, mirrors=_mirrors(seen))


def _mirrors(seen: SettingsSeen) -> tuple[str, ...]:
    try:
        entries = goproxy.parse_list(seen.value("GOPROXY"))
    except InvalidInput:
        return ()
    return tuple(entry.name for entry in entries if entry.is_proxy)


def _sum_step(seen: SettingsSeen, path: str, sums: SumCheck) -> Step:
    if sums.used:
        variable, rule, result, text = _checked(seen, sums)
    elif seen.value("GO111MODULE") == "off":
        variable, rule, result = "GO111MODULE", "off", "unchecked"
        text = Text(N_("there are no sums in GOPATH mode"))
    elif seen.value("GOSUMDB") == "off":
        variable, rule, result = "GOSUMDB", "off", "unchecked"
        text = Text(N_("no database: sums are compared with go.sum alone"))
    else:
        variable, result = "GONOSUMDB", "unchecked"
        rule = patterns.matching(seen.value("GONOSUMDB"), path)
        text = Text(N_("{path} matches {rule}: the database does not hear of it"), path=path, rule=rule)
    return step(seen, "sumdb", variable, rule, result, text)


def _checked(seen: SettingsSeen, sums: SumCheck) -> tuple[str, str, str, Text]:
    if not seen.value("GOSUMDB") and not seen.go_path:
        return "GOSUMDB", "", "error", Text(_UNKNOWN)
    try:
        goenv.parse_sumdb(seen.value("GOSUMDB"))
    except InvalidInput as why:
        return "GOSUMDB", "", "error", Text(N_("go stops: {why}"), why=Text.of(why))
    if sums.name == "off":
        text = Text(N_("toolchains are checked even so, and with GOSUMDB=off that fails"))
        return "GOSUMDB", "off", "error", text
    if sums.mirrors:
        text = Text(
            N_("a new sum is checked with {name}, through {mirror} if it stands in for it, else at {url}"),
            name=sums.name,
            mirror=sums.mirrors[0],
            url=sums.url,
        )
    else:
        text = Text(N_("a new sum is checked with {name} at {url}"), name=sums.name, url=sums.url)
    return "GOSUMDB", "", "checked", text
