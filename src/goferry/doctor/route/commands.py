"""Commands that mend a setting, for a POSIX shell, at the place where the setting is made."""

import shlex

from goferry.doctor.evidence import GitSetting, SettingsSeen
from goferry.doctor.settings.hiding import HIDDEN

_SCOPES = {"system": "--system", "global": "--global"}


def set_go(seen: SettingsSeen, name: str, value: str) -> tuple[str, ...]:
    """Sets a Go variable so that the value counts: `go env -w` cannot win against the environment.

    Nothing for a value with credentials: they are not known here, and a command without them would lose them.
    """
    setting = seen.setting(name)
    if "@" in value:
        return ()
    if setting is not None and setting.origin == "environment":
        return (f"export {name}={shlex.quote(value)}",)
    return (f"go env -w {shlex.quote(f'{name}={value}')}",)


def unset_go(seen: SettingsSeen, name: str) -> tuple[str, ...]:
    """Takes a Go variable away, so that it has its default or inherited value again."""
    setting = seen.setting(name)
    if setting is None:
        return ()
    in_file = setting.origin == "go env file" or any(
        item.origin == "go env file" for item in setting.shadowed
    )
    in_environment = setting.origin == "environment"
    return (*((f"unset {name}",) if in_environment else ()), *((f"go env -u {name}",) if in_file else ()))


def move_instead_of(rule: GitSetting, base: str, prefix: str) -> tuple[str, ...]:
    """Replaces one insteadOf rule by another. Nothing when the rule holds a secret, which is not known here."""
    old = rule.key.removesuffix(".insteadof")
    if HIDDEN in rule.key or rule.scope not in _SCOPES:
        return ()
    scope = _SCOPES[rule.scope]
    pattern = shlex.quote(f"^{_escaped(rule.value)}$")
    return (
        f"git config {scope} --unset {shlex.quote(f'{old}.insteadOf')} {pattern}",
        f"git config {scope} {shlex.quote(f'url.{base}.insteadOf')} {shlex.quote(prefix)}",
    )


def drop_instead_of(rule: GitSetting) -> tuple[str, ...]:
    """Takes one insteadOf rule away."""
    return move_instead_of(rule, "", "")[:1]


def _escaped(text: str) -> str:
    """The value as an extended regular expression, which is what git compares with."""
    return "".join("\\" + char if char in r".[]{}()*+?^$|\\" else char for char in text)
