"""GOVCS: which version control programs may be started for which modules.

A clone runs a foreign program on foreign input, so Go starts git and hg only for modules that are not private. The
grammar and the order of rules are those of cmd/go internal/vcs/vcs.go.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from goferry.errors import InvalidInput
from goferry.gomod import module


class InvalidGOVCS(InvalidInput):
    """A GOVCS value that the go command refuses too."""

    code = "invalid_govcs"


@dataclass(frozen=True, slots=True)
class Rule:
    """`PATTERN:VCS|VCS`. pattern: `private`, `public` or a glob; allowed: programs, or `all`, or `none`."""

    pattern: str
    allowed: tuple[str, ...]

    def matches(self, root: str, *, private: bool) -> bool:
        """Whether the rule is about the repository with this import path."""
        if self.pattern in ("private", "public"):
            return private == (self.pattern == "private")
        return module.match_prefix_patterns(self.pattern, root)

    def allows(self, vcs: str) -> bool:
        """Whether the program may be started."""
        return vcs in self.allowed or "all" in self.allowed

    def __str__(self) -> str:
        return f"{self.pattern}:{'|'.join(self.allowed)}"


DEFAULT: Final = (Rule("private", ("all",)), Rule("public", ("git", "hg")))
"""These follow whatever GOVCS says."""


def parse(text: str) -> tuple[Rule, ...]:
    """The rules of a GOVCS value, without DEFAULT. Raises InvalidGOVCS.

    >>> [str(rule) for rule in parse("github.com:git, evil.example:off|none")]
    ['github.com:git', 'evil.example:off|none']
    """
    if not text.strip():
        return ()
    rules: list[Rule] = []
    seen: dict[str, str] = {}
    for item in (part.strip() for part in text.split(",")):
        rule = _rule(item)
        if rule.pattern in seen:
            raise InvalidGOVCS(
                'unreachable pattern in GOVCS: "{item}" after "{old}"', item=item, old=seen[rule.pattern]
            )
        seen[rule.pattern] = item
        rules.append(rule)
    return tuple(rules)


def _rule(item: str) -> Rule:
    if not item:
        raise InvalidGOVCS("empty entry in GOVCS")
    pattern, colon, names = (part.strip() for part in item.partition(":"))
    if not colon:
        raise InvalidGOVCS('malformed entry in GOVCS (missing colon): "{item}"', item=item)
    if not pattern:
        raise InvalidGOVCS('empty pattern in GOVCS: "{item}"', item=item)
    if not names:
        raise InvalidGOVCS('empty VCS list in GOVCS: "{item}"', item=item)
    if pattern in (".", "..") or pattern.startswith(("./", "../")):
        raise InvalidGOVCS('relative pattern not allowed in GOVCS: "{pattern}"', pattern=pattern)
    allowed = tuple(name.strip() for name in names.split("|"))
    if not all(allowed):
        raise InvalidGOVCS('empty VCS name in GOVCS: "{item}"', item=item)
    return Rule(pattern, allowed)


def rule_for(rules: Sequence[Rule], root: str, *, private: bool) -> Rule | None:
    """The first rule about a repository: it decides, whatever follows. None: nothing is allowed."""
    return next((rule for rule in rules if rule.matches(root, private=private)), None)


def allows(rules: Iterable[Rule], root: str, vcs: str, *, private: bool) -> bool:
    """Whether the program may be started for the repository; add DEFAULT to the rules for what Go really does."""
    rule = rule_for(tuple(rules), root, private=private)
    return rule is not None and rule.allows(vcs)
