"""The `[[notify]]` tables of goferry.toml. Every mistake is said with its file, line and key, and without its value
where that may be a secret."""

import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from goferry.config import nearest
from goferry.deps.audit.records import Kind
from goferry.deps.notify.base import Field, Receiver, Service, Source, Target
from goferry.deps.notify.services import SERVICES
from goferry.errors import ConfigError
from goferry.findings import Severity
from goferry.i18n import LANGUAGES, N_

KEY: Final = "notify"
_LEVELS: Final = tuple(severity.value for severity in Severity if severity is not Severity.OK)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_COMMON: Final = (
    Field("name", str, required=True),
    Field("kind", str, required=True, choices=tuple(SERVICES)),
    Field("lang", str, default="", choices=LANGUAGES),
    Field("severity", str, default="info", choices=_LEVELS),
    Field("kinds", list, default=(), choices=tuple(Kind)),
    Field("owners", list, default=()),
    Field("mentions", dict, default={}),
    Field("link", str, default=""),
)
_SUFFIXES: Final = {"_env": "env", "_file": "file"}
_TYPES: Final[Mapping[type, str]] = {
    str: N_("a text"),
    int: N_("a whole number"),
    list: N_("a list of texts"),
    dict: N_("a table of texts"),
}


def read_receivers(file: Path) -> tuple[Receiver, ...]:
    """The receivers in a settings file; none if it has no such table. Raises ConfigError."""
    try:
        text = file.read_text("utf-8")
        tables = tomllib.loads(text).get(KEY, [])
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("cannot read the settings file {file}: {why}", file=file, why=error) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("{file} is not valid TOML: {why}", file=file, why=error) from error
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        place = _Table(file, text, 0).line(None)
        raise ConfigError("{place}: each receiver is a table of its own, [[notify]]", place=place)
    receivers: list[Receiver] = []
    for number, table in enumerate(tables):
        where = _Table(file, text, number)
        receiver = _receiver(table, where)
        if receiver.name in [other.name for other in receivers]:
            where.fault(
                "name", N_("{place}: {key}: another receiver is called {name} too"), name=receiver.name
            )
        receivers.append(receiver)
    return tuple(receivers)


class _Table:
    """Where one of the tables stands."""

    def __init__(self, file: Path, text: str, number: int) -> None:
        self._file = file
        self._lines = text.splitlines()
        heads = [i for i, line in enumerate(self._lines) if re.match(r"\s*\[\[\s*notify\s*\]\]", line)]
        self._start = heads[number] if number < len(heads) else self._first()
        self._end = heads[number + 1] if number + 1 < len(heads) else len(self._lines)

    def _first(self) -> int:
        """Of a table that is written in another way: where the word stands first."""
        return next((i for i, line in enumerate(self._lines) if KEY in line), 0)

    def line(self, key: str | None) -> str:
        """FILE:LINE of a key, or of the head if the key is missing or written in some unusual way."""
        pattern = re.compile(rf"\s*\[?(notify\s*\.\s*)?[\"']?{re.escape(key or '')}[\"']?\s*[\].=]")
        for number in range(self._start, self._end):
            if key and pattern.match(self._lines[number]):
                return f"{self._file}:{number + 1}"
        return f"{self._file}:{self._start + 1}"

    def fault(self, key: str, message: str, hint: str | None = None, **parts: Any) -> NoReturn:
        raise ConfigError(message, hint=hint, place=self.line(key), key=f"{KEY}.{key}", **parts)


def _receiver(table: Mapping[str, Any], where: _Table) -> Receiver:
    common = {each.name: _value(each, table, where) for each in _COMMON}
    if not _NAME.fullmatch(common["name"]):
        where.fault("name", N_("{place}: {key}: letters, digits, dots and dashes make a name"))
    service = SERVICES[common["kind"]]
    _refuse_unknown(table, service, where)
    sources = _sources(table, service, where)
    options = {
        each.name: _value(each, table, where, sources)
        for each in service.fields
        if not each.secret and each.name not in sources
    }
    for each in service.fields:
        if each.secret and each.required and each.name not in sources:
            _missing(each, where)
    if wrong := service.check(options, sources):
        where.fault("kind", N_("{place}: {why}"), why=_Later(wrong))
    return Receiver(
        place=where.line(None),
        options={name: value for name, value in options.items() if value is not None},
        sources=sources,
        **{**common, "owners": tuple(common["owners"]), "kinds": tuple(common["kinds"])},
    )


class _Later:
    """A key that is translated when the error is shown."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __str__(self) -> str:
        from goferry.i18n import _

        return _(self._key)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


def _refuse_unknown(table: Mapping[str, Any], service: Service, where: _Table) -> None:
    names = {each.name for each in _COMMON} | {each.name for each in service.fields if not each.secret}
    looked_up = {each.name + suffix for each in service.fields for suffix in _SUFFIXES if each.type is str}
    secrets = {each.name for each in service.fields if each.secret}
    for key in table:
        if key in secrets:
            where.fault(
                key,
                N_("{place}: {key} is a secret, and does not belong into a settings file"),
                hint=N_("name the variable that holds it with {name}_env, or the file with {name}_file"),
                name=key,
            )
        if key not in names | looked_up:
            near = nearest(key, names | looked_up)
            where.fault(
                key,
                N_("{place}: unknown key {key} of a receiver of kind {kind}"),
                hint=N_("did you mean {near}?") if near else N_("known are {known}"),
                kind=service.kind,
                near=near,
                known=", ".join(sorted(names | looked_up)),
            )


def _sources(table: Mapping[str, Any], service: Service, where: _Table) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for each in service.fields:
        for suffix, kind in _SUFFIXES.items():
            if (name := table.get(each.name + suffix)) is None:
                continue
            if not isinstance(name, str) or not name:
                where.fault(
                    each.name + suffix,
                    N_("{place}: {key} needs {allowed}"),
                    allowed=_Later(_TYPES[str]),
                )
            if each.name in found or each.name in table:
                where.fault(each.name + suffix, N_("{place}: {key}: {name} is given twice"), name=each.name)
            found[each.name] = Source(kind, name)
    return found


def _value(each: Field, table: Mapping[str, Any], where: _Table, sources: Collection[str] = ()) -> Any:
    value = table.get(each.name)
    if value is None:
        if each.required and each.name not in sources:
            _missing(each, where)
        return each.default
    if type(value) is not each.type or not all(isinstance(word, str) for word in _words(value)):
        where.fault(each.name, N_("{place}: {key} needs {allowed}"), allowed=_Later(_TYPES[each.type]))
    for word in _words(value) if each.choices else ():
        if word not in each.choices:
            where.fault(
                each.name,
                N_("{place}: {key}: {value!r} is not allowed; allowed is {allowed}"),
                value=word,
                allowed=", ".join(each.choices),
            )
    return value


def _words(value: object) -> tuple[object, ...]:
    """The texts that a value is made of."""
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, dict):
        return tuple(value.values())
    return (value,) if isinstance(value, str) else ()


def _missing(each: Field, where: _Table) -> NoReturn:
    name = f"{each.name}_env" if each.secret else each.name
    where.fault(name, N_("{place}: {key} is missing"))


# ---- secrets ---------------------------------------------------------------------------------------------------------

MASK: Final = "***"


def unlock(receiver: Receiver, environ: Mapping[str, str], *, pretend: bool = False) -> Target:
    """The receiver with what is looked up. Files are found from the folder of the settings file.

    pretend: what is not there is replaced by a mask (for a dry run). Raises ConfigError otherwise.
    """
    secrets: dict[str, str] = {}
    others: dict[str, str] = {}
    hidden = {each.name for each in SERVICES[receiver.kind].fields if each.secret}
    for name, source in receiver.sources.items():
        value = _look_up(receiver, name, source, environ, pretend=pretend)
        (secrets if name in hidden else others)[name] = value
    return Target(receiver, secrets, others)


def _look_up(
    receiver: Receiver, name: str, source: Source, environ: Mapping[str, str], *, pretend: bool
) -> str:
    if source.kind == "env":
        value, why = environ.get(source.name, ""), N_("the variable {source} is not set")
    else:
        value, why = _contents(receiver, source.name)
    if value.strip():
        return value.strip()
    if pretend:
        return f"https://{MASK}" if name == "url" else MASK
    raise ConfigError(
        "{place}: receiver {receiver}: {key}: {why}",
        place=receiver.place,
        receiver=receiver.name,
        key=f"{name}_{source.kind}",
        why=_Filled(why, source.name),
    )


def _contents(receiver: Receiver, name: str) -> tuple[str, str]:
    """What a file holds, or why that is nothing."""
    folder = Path(receiver.place.rpartition(":")[0]).parent
    try:
        return Path(folder, Path(name).expanduser()).read_text("utf-8"), N_("the file {source} is empty")
    except (OSError, UnicodeDecodeError, RuntimeError):
        return "", N_("the file {source} cannot be read")


class _Filled(_Later):
    """Such a key with its part."""

    def __init__(self, key: str, source: str) -> None:
        super().__init__(key)
        self._source = source

    def __str__(self) -> str:
        return super().__str__().format(source=self._source)
