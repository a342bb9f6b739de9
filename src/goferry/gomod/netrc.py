"""netrc files as the go command reads them, which is not how git and curl do.

Only entries with a machine, a login and a password count; a `default` entry never does. The rules are those of
cmd/go internal/auth/netrc.go.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Login:
    """What is sent to a host over https."""

    machine: str
    user: str
    password: str = field(repr=False)


def parse(text: str) -> tuple[Login, ...]:
    """The usable entries, in their order. Nothing in the text is ever an error.

    >>> parse("machine git.example.org login me password secret")[0].user
    'me'
    """
    found: list[Login] = []
    fields: dict[str, str] = {}
    in_macro = False
    for line in text.split("\n"):
        if in_macro:
            in_macro = line != ""
            continue
        words = line.split()
        pairs = list(zip(words[::2], words[1::2], strict=False))
        for name, value in pairs:
            in_macro = in_macro or name == "macdef"
            fields = _with(fields, name, value)
            if len(fields) == len(_FIELDS) and all(fields.values()):
                found.append(Login(fields["machine"], fields["login"], fields["password"]))
                fields = {}
        # Only a `default` that stands alone at the end of its line ends the file, as Go has it.
        if len(words) % 2 and words[-1] == "default":
            break
    return tuple(found)


_FIELDS = ("machine", "login", "password")


def _with(fields: dict[str, str], name: str, value: str) -> dict[str, str]:
    """The fields of the entry so far with one more; a machine begins a new entry."""
    if name == "machine":
        return {name: value}
    return {**fields, name: value} if name in _FIELDS else fields


def login_for(entries: tuple[Login, ...], host: str) -> Login | None:
    """The first entry for a host, which is written with its port if the URL has one."""
    return next((entry for entry in entries if entry.machine == host), None)
