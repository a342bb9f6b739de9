"""Every setting in one table, and the one place that reads them.

The fields of `Settings` are the table: name, type, default, unit, help, section and the commands that take
the flag stand in one row. Flags, environment variables, the TOML file, the documentation and `goferry config`
are made from it, so none of them can disagree. A value comes from the first of: the flag `--NAME`, the
variable `GOFERRY_NAME`, the TOML file, the default.

Durations are seconds (float) and sizes are bytes (int) once they are read.
"""

# ruff: noqa: RUF009 - the defaults are rows of the table, all of them immutable

import ipaddress
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, NamedTuple

from goferry.errors import ConfigError
from goferry.i18n import LANGUAGES, N_, _
from goferry.places import DEFAULT_FILE, ENV_PREFIX, data_folder, default_store, parse_store

# ---- kinds of values: text ⇄ value -------------------------------------------------------------------------


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class HostOverride(NamedTuple):
    """An answer given instead of asking DNS."""

    name: str
    ip: str

    def __str__(self) -> str:
        return f"{self.name}={self.ip}"


_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_BYTES: Final = {
    "": 1, "B": 1,
    "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40,
}  # fmt: skip
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})


def parse_duration(text: str) -> float:
    """Seconds of `30s`, `1h30m`, `250ms`, `7d` or `0`. ValueError for anything else.

    >>> parse_duration("1h30m")
    5400.0
    """
    text = text.strip()
    if text == "0":
        return 0.0
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(text)
    return float(sum(float(number) * _SECONDS[unit] for number, unit in parts))


def format_duration(seconds: float) -> str:
    """The shortest text that `parse_duration` reads back.

    >>> format_duration(90.0), format_duration(0.25), format_duration(2592000)
    ('1m30s', '250ms', '30d')
    """
    rest = round(seconds * 1000)
    if rest == 0:
        return "0"
    out = ""
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, round(_SECONDS[unit] * 1000))
        out += f"{count}{unit}" if count else ""
    return out


def parse_size(text: str) -> int:
    """Bytes of `10GB` (powers of 1000), `500MiB` (powers of 1024) or a bare number. ValueError otherwise."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or match[2].upper() not in _BYTES:
        raise ValueError(text)
    return round(float(match[1]) * _BYTES[match[2].upper()])


def format_size(size: int) -> str:
    """The shortest exact text that `parse_size` reads back.

    >>> format_size(524288000), format_size(10**10), format_size(1001)
    ('500MiB', '10GB', '1001B')
    """
    for unit in ("TiB", "TB", "GiB", "GB", "MiB", "MB", "KiB", "KB"):
        if size and size % _BYTES[unit.upper()] == 0:
            return f"{size // _BYTES[unit.upper()]}{unit}"
    return f"{size}B"


def parse_address(text: str) -> Address:
    """`HOST:PORT`, `:PORT` (every interface) or `[IPV6]:PORT`. ValueError for anything else."""
    host, colon, port = text.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = str(ipaddress.IPv6Address(host[1:-1]))
    elif ":" in host or not re.fullmatch(r"[A-Za-z0-9._-]*", host):
        raise ValueError(text)
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise ValueError(text)
    return Address(host or "0.0.0.0", int(port))  # noqa: S104 - an empty host means every interface, as in Go


def _parse_host(text: str) -> HostOverride:
    name, equals, ip = text.strip().partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z0-9._-]+", name):
        raise ValueError(text)
    return HostOverride(name.lower().rstrip("."), str(ipaddress.ip_address(ip)))


def _parse_nameserver(text: str) -> str:
    """An address, with a port when it is not 53: `10.0.0.1`, `10.0.0.1:5353`, `[::1]:53`."""
    text = text.strip()
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        host, port = parse_address(text)
        ipaddress.ip_address(host)
        return str(Address(host, port))


def _parse_bool(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(text)
    return word in _TRUE


def _parse_count(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"\s*[0-9]+\s*", text) or int(text) < least:
            raise ValueError(text)
        return int(text)

    return parse


def _parse_list(item: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    return lambda text: tuple(item(part) for part in text.split(",") if part.strip())


def _parse_choice(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.strip().lower() not in words:
            raise ValueError(text)
        return text.strip().lower()

    return parse


def _parse_language(text: str) -> str:
    known = {"": "", "zh": "zh_CN", **{language.lower(): language for language in LANGUAGES}}
    if text.strip().lower() not in known:
        raise ValueError(text)
    return known[text.strip().lower()]


def _parse_interval(text: str) -> float:
    seconds = parse_duration(text)
    if seconds < 60.0:
        raise ValueError(text)
    return seconds


def _optional(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: parse(text) if text.strip() else None


def _show_optional(show: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: "" if value is None else show(value)


class Kind(NamedTuple):
    """How one kind of value is written: `parse` raises ValueError, `show` is its inverse."""

    name: str
    """A stable word for documentation and JSON."""
    allowed: str
    """What is allowed, for people; a translatable key."""
    parse: Callable[[str], Any]
    show: Callable[[Any], str] = str
    toml: tuple[type, ...] = (str,)
    """What the TOML file may hold for it."""


TEXT = Kind("text", N_("any text"), str.strip)
PATH = Kind("path", N_("a path"), _optional(lambda text: Path(text).expanduser()), _show_optional(str))
STORE_PLACE = Kind("store", N_("a folder, or a URL such as file:///var/lib/goferry"), parse_store)
BOOL = Kind("bool", N_("true or false"), _parse_bool, lambda value: "true" if value else "false", (bool,))
COUNT = Kind("count", N_("a whole number, 1 or more"), _parse_count(1), str, (int,))
COUNT0 = Kind("count0", N_("a whole number, 0 or more"), _parse_count(0), str, (int,))
DURATION = Kind(
    "duration", N_("a duration such as 250ms, 30s, 5m, 1h or 7d"), parse_duration, format_duration
)
INTERVAL = Kind(
    "interval", N_("a duration of 1m or more, such as 6h, 1d or 1w"), _parse_interval, format_duration
)
DURATION_OR_NONE = Kind(
    "duration?",
    N_("a duration such as 12h or 30d, or nothing for no limit"),
    _optional(parse_duration),
    _show_optional(format_duration),
)
SIZE = Kind("size", N_("a size such as 64KiB, 500MiB or 10GB"), parse_size, format_size, (str, int))
SIZE_OR_NONE = Kind(
    "size?",
    N_("a size such as 500MiB or 10GB, or nothing for no limit"),
    _optional(parse_size),
    _show_optional(format_size),
    (str, int),
)
ADDRESS = Kind("address", N_("HOST:PORT, such as 127.0.0.1:8080, [::1]:8080 or :8080"), parse_address)
NAMESERVERS = Kind(
    "nameservers",
    N_("IP addresses, each with an optional port, such as 10.0.0.1 or 10.0.0.1:5353"),
    _parse_list(_parse_nameserver),
    ",".join,
    (list, str),
)
HOSTS = Kind(
    "hosts",
    N_("NAME=IP pairs, such as goproxy.cn=10.0.0.7"),
    _parse_list(_parse_host),
    lambda value: ",".join(map(str, value)),
    (list, str),
)
LOG_FORMAT = Kind("log format", N_("text, json or off"), _parse_choice("text", "json", "off"))
LOG_LEVEL = Kind(
    "log level", N_("debug, info, warning or error"), _parse_choice("debug", "info", "warning", "error")
)
LANGUAGE = Kind("language", ", ".join(LANGUAGES), _parse_language)


# ---- the table ---------------------------------------------------------------------------------------------

SERVING: Final = N_("Serving")
STORE: Final = N_("Store")
UPSTREAM: Final = N_("Upstream")
FRESHNESS: Final = N_("Freshness of lists and of answers that say no")
NETWORK: Final = N_("Network")
AUDIT: Final = N_("Audit")
LOGS: Final = N_("Logs and language")
SECTIONS: Final = (SERVING, STORE, UPSTREAM, FRESHNESS, NETWORK, AUDIT, LOGS)

_SERVE: Final = ("serve",)
_FETCH: Final = ("serve", "warm", "deps")


class Setting(NamedTuple):
    """One row of the table."""

    name: str
    kind: Kind
    default: Any
    help: str
    """One sentence for people; a translatable key."""
    section: str
    commands: tuple[str, ...]
    """The commands that take it as a flag. The variable and the file work for every command."""
    unit: str

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return ENV_PREFIX + self.name.upper()

    @property
    def is_list(self) -> bool:
        """True when a flag may be given several times."""
        return isinstance(self.default, tuple) and not isinstance(self.default, Address)


def _row(default: Any, kind: Kind, section: str, commands: tuple[str, ...], help: str, unit: str = "") -> Any:
    return field(
        default=default,
        metadata={"kind": kind, "section": section, "commands": commands, "help": help, "unit": unit},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings with their values, durations in seconds, sizes in bytes. Each field is one row."""

    addr: Address = _row(
        Address("127.0.0.1", 8080),
        ADDRESS,
        SERVING,
        ("serve", "env"),
        N_("Where to listen. Port 0 takes a free port; no host means every interface."),
    )
    workers: int = _row(1, COUNT, SERVING, _SERVE, N_("Worker processes."), "processes")
    offline: bool = _row(
        False,
        BOOL,
        SERVING,
        ("serve", "deps"),
        N_("Answer from the store alone; never touch the network."),
    )
    tls_cert: Path | None = _row(
        None,
        PATH,
        SERVING,
        _SERVE,
        N_("Certificate chain in PEM; with it, goferry serves HTTPS (HTTP/1.1 and HTTP/2)."),
    )
    tls_key: Path | None = _row(None, PATH, SERVING, _SERVE, N_("Private key in PEM for the certificate."))
    drain_timeout: float = _row(
        30.0,
        DURATION,
        SERVING,
        _SERVE,
        N_("How long open requests may take to finish after SIGTERM."),
        "seconds",
    )
    metrics: bool = _row(True, BOOL, SERVING, _SERVE, N_("Serve Prometheus metrics under /metrics."))

    store: str = _row(
        "",
        STORE_PLACE,
        STORE,
        ("serve", "warm", "env", "cache", "deps"),
        N_("Where modules are kept. Default: the folder goferry/store in the user's data folder."),
    )
    fsync: bool = _row(
        True,
        BOOL,
        STORE,
        _FETCH,
        N_("Wait until the disk has each object before it counts as kept."),
    )
    memory_cache: int = _row(
        32 * 2**20,
        SIZE,
        STORE,
        _SERVE,
        N_("Memory for small objects that are asked often, per worker."),
        "bytes",
    )
    max_size: int | None = _row(
        None,
        SIZE_OR_NONE,
        STORE,
        ("gc",),
        N_("What `cache gc` keeps at most: the least recently used objects go first. Default: no limit."),
        "bytes",
    )
    max_age: float | None = _row(
        None,
        DURATION_OR_NONE,
        STORE,
        ("gc",),
        N_("`cache gc` removes what nobody has asked for this long. Default: no limit."),
        "seconds",
    )

    upstream: str = _row(
        "",
        TEXT,
        UPSTREAM,
        _FETCH,
        N_("Where modules come from, as a GOPROXY list. Default: what the go command would use here."),
    )
    sumdb: str = _row(
        "",
        TEXT,
        UPSTREAM,
        ("serve", "warm", "env", "deps"),
        N_(
            "Checksum database as in GOSUMDB: NAME, NAME+KEY, NAME+KEY URL, or off. Of several, with commas "
            "between them, all are served and the first one proves. Default: what the go command would use here."
        ),
    )
    private: str = _row(
        "",
        TEXT,
        UPSTREAM,
        ("serve", "warm", "env", "deps"),
        N_(
            "Comma-separated patterns of modules that the checksum database must not hear of. "
            "Default: Go's GONOSUMDB, then GOPRIVATE."
        ),
    )
    own_log: str = _row(
        "",
        TEXT,
        UPSTREAM,
        ("serve", "warm", "env", "deps", "cache log"),
        N_(
            "A transparency log of your own, also for private modules: the NAME of one that goferry keeps in the "
            "store, or NAME+KEY or NAME+KEY URL of one that is asked. Default: none."
        ),
    )
    own_log_key: Path | None = _row(
        None,
        PATH,
        UPSTREAM,
        ("serve", "warm", "deps", "cache log"),
        N_("File with the private key of the own log. Default: one in the store, made at the first use."),
    )
    attempts: int = _row(
        12, COUNT, UPSTREAM, _FETCH, N_("How often one upstream is tried for one object."), "attempts"
    )
    retry_wait_max: float = _row(
        5.0,
        DURATION,
        UPSTREAM,
        _FETCH,
        N_("The longest pause between two attempts (they double, with jitter)."),
        "seconds",
    )
    per_host: int = _row(
        32, COUNT, UPSTREAM, _FETCH, N_("Requests at once to one upstream host."), "requests"
    )
    breaker_failures: int = _row(
        5,
        COUNT,
        UPSTREAM,
        _FETCH,
        N_("Failures in a row after which an upstream host is left alone for a while."),
        "failures",
    )
    breaker_reset: float = _row(
        30.0,
        DURATION,
        UPSTREAM,
        _FETCH,
        N_("How long a failing upstream host is left alone before one request may try it again."),
        "seconds",
    )
    vulndb: str = _row(
        "https://vuln.go.dev",
        TEXT,
        UPSTREAM,
        ("deps",),
        N_("Where `deps db update` gets the vulnerability database: a URL, a folder, or a vulndb.zip."),
    )
    read_ahead: bool = _row(
        True,
        BOOL,
        UPSTREAM,
        _SERVE,
        N_(
            "Fetch what a client is about to ask for: the go.mod files of a graph, and the files of a download."
        ),
    )
    max_zip: int = _row(
        500 * 2**20,
        SIZE,
        UPSTREAM,
        _FETCH,
        N_("The largest zip that is accepted; the go command itself accepts 500MiB."),
        "bytes",
    )

    list_fresh: float = _row(
        60.0,
        DURATION,
        FRESHNESS,
        _SERVE,
        N_("How long a version list, @latest or branch answer counts as fresh."),
        "seconds",
    )
    stale_for: float = _row(
        30 * 86400.0,
        DURATION,
        FRESHNESS,
        _SERVE,
        N_("How long an answer that is no longer fresh may still be given while the upstream fails."),
        "seconds",
    )
    negative_fresh: float = _row(
        60.0,
        DURATION,
        FRESHNESS,
        _SERVE,
        N_('How long "not found" is remembered.'),
        "seconds",
    )
    negative_bypass: int = _row(
        6,
        COUNT0,
        FRESHNESS,
        _SERVE,
        N_(
            'How many requests for exact versions may look past a remembered "not found", per module '
            "and minute."
        ),
        "requests per minute",
    )

    resolve_timeout: float = _row(
        5.0, DURATION, NETWORK, _FETCH, N_("Time limit for one DNS lookup."), "seconds"
    )
    connect_timeout: float = _row(
        10.0, DURATION, NETWORK, _FETCH, N_("Time limit for one TCP connection."), "seconds"
    )
    tls_timeout: float = _row(
        10.0, DURATION, NETWORK, _FETCH, N_("Time limit for one TLS handshake."), "seconds"
    )
    first_byte_timeout: float = _row(
        60.0,
        DURATION,
        NETWORK,
        _FETCH,
        N_("Time limit from the request to the first byte of its answer."),
        "seconds",
    )
    idle_timeout: float = _row(
        30.0,
        DURATION,
        NETWORK,
        _FETCH,
        N_("Longest silence inside an answer."),
        "seconds",
    )
    download_timeout: float = _row(
        900.0,
        DURATION,
        NETWORK,
        _FETCH,
        N_("Time limit for one whole download."),
        "seconds",
    )
    nameservers: tuple[str, ...] = _row(
        (),
        NAMESERVERS,
        NETWORK,
        _FETCH,
        N_("DNS servers to ask instead of the system's, in this order."),
    )
    hosts: tuple[HostOverride, ...] = _row(
        (),
        HOSTS,
        NETWORK,
        _FETCH,
        N_("Addresses to use for names instead of asking DNS."),
    )
    ca_file: Path | None = _row(
        None,
        PATH,
        NETWORK,
        _FETCH,
        N_(
            "Certificate authorities in PEM to trust in addition to those that Go trusts: the system's, or "
            "what SSL_CERT_FILE and SSL_CERT_DIR name."
        ),
    )

    audit_repos: Path | None = _row(
        None,
        PATH,
        AUDIT,
        _SERVE,
        N_(
            "What to audit on a schedule while serving: a file that lists repositories, or a folder of "
            "checkouts. Default: nothing."
        ),
    )
    audit_every: float = _row(
        86400.0,
        INTERVAL,
        AUDIT,
        _SERVE,
        N_("How long from one audit to the next."),
        "seconds",
    )
    audit_history: Path | None = _row(
        None,
        PATH,
        AUDIT,
        ("serve", "deps audit", "deps notify", "deps trend"),
        N_(
            "File that keeps audits, and what was told of them. Default: goferry/audits.sqlite in the user's "
            "data folder."
        ),
    )

    access_log: str = _row("text", LOG_FORMAT, LOGS, _SERVE, N_("Form of the access log."))
    access_log_file: Path | None = _row(
        None,
        PATH,
        LOGS,
        _SERVE,
        N_("File for the access log. Default: standard output."),
    )
    log_level: str = _row("info", LOG_LEVEL, LOGS, _FETCH, N_("The least important message that is logged."))
    stale_after: float = _row(
        365 * 86400.0,
        DURATION,
        AUDIT,
        ("deps audit",),
        N_("How long a module may be without a release before an audit calls it stale."),
        "seconds",
    )
    allow_licences: str = _row(
        "",
        TEXT,
        AUDIT,
        ("deps audit",),
        N_("SPDX names of allowed licences, with commas between them; with any, all others are errors."),
    )
    deny_licences: str = _row(
        "",
        TEXT,
        AUDIT,
        ("deps audit",),
        N_("SPDX names of licences that are errors, with commas between them."),
    )
    ask_forges: bool = _row(
        False,
        BOOL,
        AUDIT,
        ("deps audit",),
        N_(
            "Ask the modules' code hosts whether a repository is archived; tokens from GITHUB_TOKEN and the like."
        ),
    )
    forges: str = _row(
        "",
        TEXT,
        AUDIT,
        ("deps audit",),
        N_(
            "More code hosts to ask, with commas between them. KIND is github, gitlab or gitea, URL that of the API."
        ),
    )
    forge_max_age: float = _row(
        7 * 86400.0,
        DURATION,
        AUDIT,
        ("deps audit",),
        N_("How long the answer of a code host counts before it is asked again."),
        "seconds",
    )
    lang: str = _row(
        "",
        LANGUAGE,
        LOGS,
        (),
        N_("Language of the text for people. Default: the environment's."),
    )


FEATURE_TABLES: Final = frozenset(("gate", "notify"))
"""Tables of the settings file that are no settings: a feature reads its own."""

SETTINGS: Final = tuple(Setting(name=f.name, default=f.default, **f.metadata) for f in fields(Settings))
BY_NAME: Final = {setting.name: setting for setting in SETTINGS}


# ---- reading -----------------------------------------------------------------------------------------------


class Origin(NamedTuple):
    """Where a value came from. `kind`: flag, env, file, go (the go command's own settings) or default.

    `detail`: the flag, the variable, FILE:LINE, a variable of go with its place, or why there is but a default.
    """

    kind: str
    detail: str = ""

    def __str__(self) -> str:
        return self.detail or _("default")


DEFAULT: Final = Origin("default")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, where each value came from, the file that was read, and what looks like a mistake."""

    settings: Settings
    origins: Mapping[str, Origin]
    file: Path | None = None
    warnings: tuple[str, ...] = ()


def load(
    *,
    environ: Mapping[str, str],
    flags: Mapping[str, object] | None = None,
    config: Path | None = None,
    cwd: Path | None = None,
    platform: str = sys.platform,
) -> Loaded:
    """Reads every setting from its first source.

    `flags` holds what the command line gave (text, bool or a list of texts); what was not given is left out.
    `config` is the `--config` flag; GOFERRY_CONFIG and ./goferry.toml come after it. An empty variable counts
    as unset.
    Raises ConfigError that names the setting, the value, its origin and what is allowed.
    """
    file = _config_file(config, environ, cwd or Path.cwd())
    sources = (
        _from_flags(flags or {}),
        _from_environ(environ),
        {} if file is None else _from_file(file),
    )
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for setting in SETTINGS:
        raw, origin = next(
            (source[setting.name] for source in sources if setting.name in source), (None, DEFAULT)
        )
        values[setting.name] = setting.default if origin is DEFAULT else _value(setting, raw, origin)
        origins[setting.name] = origin
    values["store"] = values["store"] or str(default_store(environ, platform))
    settings = Settings(**values)
    _check_together(settings, origins)
    return Loaded(settings, origins, file, tuple(_misspelled(environ)))


def feature_table(file: Path | None, name: str) -> Mapping[str, Any]:
    """A feature's own table in a settings file that was read without a complaint; empty when there is none."""
    if file is None:
        return {}
    import tomllib  # most machines have no such file

    found = tomllib.loads(file.read_text("utf-8")).get(name, {})
    if not isinstance(found, Mapping):
        raise ConfigError("{file}: {name} must be a table", file=file, name=name)
    return found


def audit_history(settings: Settings, environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """The file that keeps audits. ConfigError when it is not set and there is no home."""
    if settings.audit_history is not None:
        return settings.audit_history
    base = data_folder(environ, platform)
    if base is None:
        raise ConfigError(
            "setting {name}: no home folder to keep audits in",
            name="audit_history",
            hint=N_("give --audit-history FILE or set GOFERRY_AUDIT_HISTORY"),
        )
    return base / "audits.sqlite"


def parse_value(name: str, text: str) -> Any:
    """The value of one setting from its text form. ConfigError for an unknown name or a bad value."""
    if name not in BY_NAME:
        raise _unknown(name, Origin("flag", name))
    return _value(BY_NAME[name], text, Origin("flag", BY_NAME[name].flag))


def _config_file(flag: Path | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    named = flag or (Path(text) if (text := environ.get(ENV_PREFIX + "CONFIG")) else None)
    if named is None:
        found = cwd / DEFAULT_FILE
        return found if found.is_file() else None
    return named


_Raw = dict[str, tuple[object, Origin]]


def _from_flags(flags: Mapping[str, object]) -> _Raw:
    for name in flags:
        if name not in BY_NAME:
            raise _unknown(name, Origin("flag", "--" + name.replace("_", "-")))
    return {name: (value, Origin("flag", BY_NAME[name].flag)) for name, value in flags.items()}


def _from_environ(environ: Mapping[str, str]) -> _Raw:
    return {
        setting.name: (text, Origin("env", setting.variable))
        for setting in SETTINGS
        if (text := environ.get(setting.variable))
    }


def _from_file(file: Path) -> _Raw:
    import tomllib  # most machines have no such file

    try:
        text = file.read_text("utf-8")
        table = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("cannot read the settings file {file}: {why}", file=file, why=error) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("{file} is not valid TOML: {why}", file=file, why=error) from error
    raw: _Raw = {}
    for name, value in table.items():
        if name in FEATURE_TABLES:
            continue
        origin = Origin("file", f"{file}:{_line_of(name, text)}")
        if name not in BY_NAME:
            raise _unknown(name, origin)
        raw[name] = (_text_from_toml(BY_NAME[name], value, origin), origin)
    return raw


def _line_of(name: str, text: str) -> int:
    """The line where a key (or a table of that name) stands; 1 when it is written in some unusual way."""
    match = re.search(rf"(?m)^\s*\[?\s*[\"']?{re.escape(name)}[\"']?\s*[\].=]", text)
    return (
        1
        if match is None
        else text.count("\n", 0, match.start(0) + len(match[0]) - len(match[0].lstrip())) + 1
    )


def _text_from_toml(setting: Setting, value: object, origin: Origin) -> object:
    """Checks the TOML type. `type() in` and not isinstance: true is an int to Python, but not to a reader."""
    if type(value) not in setting.kind.toml:
        raise _bad(setting, value, origin)
    if isinstance(value, list) and not all(isinstance(item, str) for item in value):
        raise _bad(setting, value, origin)
    return value


def _value(setting: Setting, raw: object, origin: Origin) -> Any:
    """From what a source holds to the value; every kind has a text form, so text is the common road."""
    if isinstance(raw, bool):
        text = "true" if raw else "false"
    elif isinstance(raw, Sequence) and not isinstance(raw, str):
        text = ",".join(map(str, raw))
    else:
        text = str(raw)
    try:
        return setting.kind.parse(text)
    except (ValueError, OverflowError, RuntimeError) as error:
        raise _bad(setting, raw, origin) from error


def _check_together(settings: Settings, origins: Mapping[str, Origin]) -> None:
    if (settings.tls_cert is None) != (settings.tls_key is None):
        given = "tls_cert" if settings.tls_cert else "tls_key"
        missing = "tls_key" if settings.tls_cert else "tls_cert"
        raise ConfigError(
            "setting {name} (from {origin}) needs {other} beside it",
            name=given,
            origin=origins[given],
            other=missing,
        )


def _bad(setting: Setting, value: object, origin: Origin) -> ConfigError:
    return ConfigError(
        "setting {name}: {value!r} (from {origin}) is not allowed; allowed is {allowed}",
        name=setting.name,
        value=value,
        origin=origin,
        allowed=_(setting.kind.allowed),
    )


def _unknown(name: str, origin: Origin) -> ConfigError:
    near = nearest(name, BY_NAME)
    hint = N_("did you mean {near}?") if near else N_("`goferry config` lists every setting")
    return ConfigError(
        "unknown setting {name} (from {origin})", hint=hint, name=name, origin=origin, near=near
    )


def _misspelled(environ: Mapping[str, str]) -> Iterable[str]:
    """Variables that are almost one of ours. Others are left in peace: orchestrators set GOFERRY_PORT and
    GOFERRY_SERVICE_HOST for a service called goferry."""
    known = {setting.variable for setting in SETTINGS} | {
        ENV_PREFIX + word for word in ("CONFIG", "DEBUG", "LANG")
    }
    for name in sorted(environ):
        if name.startswith(ENV_PREFIX) and name not in known and (near := nearest(name, known, 0.9)):
            yield _("{name} is not a setting; did you mean {near}?").format(name=name, near=near)


def nearest(word: str, known: Iterable[str], cutoff: float = 0.7) -> str | None:
    """The known word that is most like `word`, or None when none is near."""
    import difflib  # only for a word that is not known

    found = difflib.get_close_matches(word, list(known), 1, cutoff)
    return found[0] if found else None
