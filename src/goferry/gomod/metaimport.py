"""The go-import meta tags of a page: from an import path to its repository.

The go command reads pages with a lenient XML parser, up to the end of the head. A page that a browser shows well can
break that parser before the tag comes, so the same rules are kept here and not those of HTML. Sources: cmd/go
internal/vcs/discovery.go and vcs.go (matchGoImport), encoding/xml (RawToken with Strict off).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from goferry.errors import InvalidInput

MOD = "mod"
"""The `vcs` of an import whose root is a module proxy and no repository."""


class MalformedPage(InvalidInput):
    """A page that the go command's parser gives up on before it has seen any tag."""

    code = "malformed_page"


class NoImport(InvalidInput):
    """The page's tags are for other paths, or more than one is for this path."""

    code = "no_go_import"


@dataclass(frozen=True, slots=True)
class MetaImport:
    """`<meta name="go-import" content="prefix vcs root subdir">`; the folder below the repository may be missing."""

    prefix: str
    vcs: str
    root: str
    subdir: str = ""


def parse_meta_imports(page: bytes, *, prefer_mod: bool = False) -> tuple[MetaImport, ...]:
    """The tags of a page in their order. Raises MalformedPage.

    Tags for module proxies are left out; with `prefer_mod` they come first and hide the others of the same prefix.
    """
    found: list[MetaImport] = []
    try:
        found.extend(MetaImport(*fields) for fields in _tags(page) if len(fields) in (3, 4))
    except MalformedPage:
        if not found:
            raise
    proxies = [tag for tag in found if tag.vcs == MOD] if prefer_mod else []
    hidden = {tag.prefix for tag in proxies}
    return (*proxies, *(tag for tag in found if tag.vcs != MOD and tag.prefix not in hidden))


def match_import(imports: Iterable[MetaImport], path: str) -> MetaImport:
    """The tag for this import path. Raises NoImport when there is none, or more than one."""
    matching = [tag for tag in imports if has_path_prefix(path, tag.prefix)]
    if not matching:
        raise NoImport("no go-import tag is for {path}", path=path)
    first, *others = matching
    # All tags for proxies come before the others, so a first one of them decides alone.
    rivals = [tag for tag in others if first.vcs != MOD or tag.vcs == MOD]
    if rivals:
        raise NoImport('multiple meta tags match import path "{path}"', path=path)
    return first


def has_path_prefix(path: str, prefix: str) -> bool:
    """Whether `prefix` is the path or its leading elements."""
    return path == prefix or path.startswith(prefix.removesuffix("/") + "/")


def _tags(page: bytes) -> Iterator[list[str]]:
    """The words of each go-import tag's content, up to the end of the head."""
    for kind, name, attributes in _elements(page):
        if (kind, name) in (("start", "body"), ("end", "head")):
            return
        if (kind, name) == ("start", "meta") and attributes.get("name") == "go-import":
            yield attributes.get("content", "").split()


# ---- the lenient XML parser --------------------------------------------------------------------------------

_NAME = r"[A-Za-z_:\x80-\U0010ffff][A-Za-z0-9_.:\x80-\U0010ffff-]*"
_ATTRIBUTE = re.compile(rf"\s*({_NAME})\s*(=\s*(?:\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_:-]*)))?")
_START = re.compile(rf"<({_NAME})")
_START_END = re.compile(r"\s*/?>")
_END = re.compile(rf"</\s*({_NAME})\s*>")
_ENCODING = re.compile(r"""encoding\s*=\s*["']([^"']*)["']""")
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ENTITY = re.compile(r"&(#x[0-9A-Fa-f]{1,8}|#[0-9]{1,9}|lt|gt|amp|apos|quot);")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "apos": "'", "quot": '"'}

_Element = tuple[str, str, Mapping[str, str]]


def _elements(page: bytes) -> Iterator[_Element]:
    """Start and end tags (`start` or `end`, local name in lower case, attributes) up to the first thing that is none.

    Raises MalformedPage there.
    """
    text, whole = _decoded(page)
    at = 0
    while (at := text.find("<", at)) >= 0:
        if (after := _skipped(text, at)) is not None:
            at = after
        elif text.startswith("</", at):
            end = _found(_END.match(text, at), "an end tag")
            yield "end", _local(end[1]), {}
            at = end.end()
        else:
            name, attributes, at = _start(text, at)
            yield "start", name, attributes
    if not whole:
        raise MalformedPage("invalid UTF-8 or an illegal character in the page")


def _decoded(page: bytes) -> tuple[str, bool]:
    """The text up to the first byte that cannot be in it, and whether that is all of the page."""
    try:
        text, whole = page.decode("utf-8"), True
    except UnicodeDecodeError as stop:
        text, whole = page[: stop.start].decode("utf-8"), False
    text = text.removeprefix("\ufeff")
    illegal = _ILLEGAL.search(text)
    return (text, whole) if illegal is None else (text[: illegal.start()], False)


def _skipped(text: str, at: int) -> int | None:
    """Where a comment, CDATA section, instruction or directive ends that begins here; None for a tag."""
    for opening, closing in (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")):
        if text.startswith(opening, at):
            end = text.find(closing, at + len(opening))
            if end < 0:
                raise MalformedPage("the page ends inside {what}", what=opening)
            _check_encoding(text[at:end])
            return end + len(closing)
    return _directive_end(text, at) if text.startswith("<!", at) else None


def _check_encoding(instruction: str) -> None:
    named = _ENCODING.search(instruction) if instruction.startswith("<?xml") else None
    if named is not None and named[1].lower() not in ("utf-8", "ascii"):
        raise MalformedPage('cannot decode a page in "{charset}"', charset=named[1])


def _directive_end(text: str, at: int) -> int:
    """The end of `<!…>`, which may hold quoted text and further angle brackets."""
    depth, quote = 0, ""
    for position in range(at, len(text)):
        char = text[position]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "<>":
            depth += 1 if char == "<" else -1
            if not depth:
                return position + 1
    raise MalformedPage("the page ends inside {what}", what="<!")


def _start(text: str, at: int) -> tuple[str, Mapping[str, str], int]:
    start = _found(_START.match(text, at), "an element name after <")
    at = start.end()
    attributes: dict[str, str] = {}
    while (end := _START_END.match(text, at)) is None:
        found = _found(_ATTRIBUTE.match(text, at), "an attribute name in an element")
        value = next((part for part in found.groups()[2:] if part is not None), found[1])
        attributes.setdefault(_local(found[1]), _ENTITY.sub(_entity, value))
        at = found.end()
    return _local(start[1]), attributes, end.end()


def _found(match: re.Match[str] | None, what: str) -> re.Match[str]:
    if match is None:
        raise MalformedPage("expected {what}", what=what)
    return match


def _local(name: str) -> str:
    """The name without its name space, in lower case, for that is how names are compared."""
    space, _, local = name.partition(":")
    return (local if space and local else name).lower()


def _entity(match: re.Match[str]) -> str:
    name = match[1]
    if not name.startswith("#"):
        return _NAMED[name]
    number = int(f"0{name[1:]}", 0) if name[1] == "x" else int(name[1:])
    return chr(number) if number <= 0x10FFFF else match[0]
