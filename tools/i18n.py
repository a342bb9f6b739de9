"""The message catalogues: find what is said to people in the sources, and keep the translations complete.

    tools/i18n.py update         add new messages to every catalogue, drop those that are gone
    tools/i18n.py check          fail when a catalogue is stale, incomplete, fuzzy, or has wrong placeholders
    tools/i18n.py compile        write goferry.mo beside each goferry.po
    tools/i18n.py missing        print the untranslated messages as JSON, {"message": ""}
    tools/i18n.py fill FILE      take translations from such a JSON file

The usual extractors look for function names only. Here a message is also the first text of every error that
is made (any subclass of GoferryError), its `hint=`, and the key of a findings.Text; hence the syntax tree.
"""

import ast
import json
import string
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from hatch_build import compile_catalogues

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src" / "goferry"
LOCALE = SOURCES / "locale"

MARKERS = frozenset({"_", "N_", "Text"})
PLURAL = "ngettext"
ERROR_ROOT = "GoferryError"


@dataclass(frozen=True, order=True)
class Found:
    """One message in the sources: `ids` is the text, or singular and plural."""

    file: str
    line: int
    ids: tuple[str, ...]


def error_classes(trees: Iterable[ast.Module]) -> frozenset[str]:
    """Names of all classes that descend from GoferryError, by name."""
    parents = {
        node.name: {name for base in node.bases if (name := _name(base))}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    known = {ERROR_ROOT}
    while grown := {name for name, bases in parents.items() if bases & known} - known:
        known |= grown
    return frozenset(known)


def extract(sources: Path) -> list[Found]:
    """Every message in the Python files below `sources`, in file order."""
    trees = {file: ast.parse(file.read_bytes(), str(file)) for file in sorted(sources.rglob("*.py"))}
    errors = error_classes(trees.values())
    return [
        found
        for file, tree in trees.items()
        for found in sorted(_messages(tree, file.relative_to(sources.parent).as_posix(), errors))
    ]


def _messages(tree: ast.Module, file: str, errors: frozenset[str]) -> Iterator[Found]:
    inside_error = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name in errors
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = _name(node.func)
        if name == PLURAL:
            texts = [text for argument in node.args[:2] for text in _texts(argument)]
            if len(texts) == 2:
                yield Found(file, node.lineno, tuple(texts))
            continue
        if name in MARKERS:
            arguments: list[ast.expr] = node.args[:1]
        elif name in errors or (name == "__init__" and id(node) in inside_error):
            arguments = _sentences(node)
        else:
            continue
        for text in (text for argument in arguments for text in _texts(argument)):
            yield Found(file, node.lineno, (text,))


def _sentences(call: ast.Call) -> list[ast.expr]:
    """The arguments of an error that people read: its text and its hint. Some errors take a stable word first
    (a failure kind, a path); a sentence is told from a word by its blank, unless it stands alone."""
    texts = [argument for argument in call.args if any(_texts(argument))]
    if len(texts) > 1:
        texts = [argument for argument in texts if any(" " in text for text in _texts(argument))]
    return texts + [keyword.value for keyword in call.keywords if keyword.arg == "hint"]


def _texts(node: ast.expr) -> Iterator[str]:
    """Constant texts that an expression can be: itself, or either branch of a choice."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def template(found: Iterable[Found]) -> Catalog:
    """An empty catalogue of these messages. Line numbers are left out: they would change with every edit."""
    catalogue = Catalog(domain="goferry", project="goferry", charset="utf-8")
    for item in found:
        ids = item.ids[0] if len(item.ids) == 1 else item.ids
        catalogue.add(ids, locations=[(item.file, None)])  # type: ignore[list-item]  # babel's stubs want a line
    return catalogue


def catalogue_files() -> list[Path]:
    return sorted(LOCALE.glob("*/LC_MESSAGES/goferry.po"))


def read(file: Path) -> Catalog:
    with file.open("rb") as source:
        return read_po(source, locale=file.parent.parent.name, domain="goferry")


def write(file: Path, catalogue: Catalog) -> None:
    # Fixed dates and no tool name: a run that changes no message changes no byte.
    with file.open("wb") as target:
        write_po(target, catalogue, width=110, omit_header=True, sort_output=True, ignore_obsolete=True)
    body = file.read_text("utf-8")
    file.write_text(_header(file.parent.parent.name) + body, "utf-8")


def _header(locale: str) -> str:
    plurals = Catalog(locale=locale).plural_forms
    lines = [
        "Project-Id-Version: goferry",
        f"Language: {locale}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        f"Plural-Forms: {plurals}",
    ]
    return 'msgid ""\nmsgstr ""\n' + "".join(f'"{line}\\n"\n' for line in lines) + "\n"


def update() -> None:
    """Brings every catalogue up to date; translations of messages that stayed are kept."""
    fresh = template(extract(SOURCES))
    for file in catalogue_files():
        catalogue = read(file)
        catalogue.update(fresh, no_fuzzy_matching=True)
        write(file, catalogue)
        missing = sum(1 for message in messages(catalogue) if not _translated(message))
        print(f"{file.relative_to(ROOT)}: {len(messages(catalogue))} messages, {missing} to translate")


def messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def faults(file: Path, found: Iterable[Found]) -> list[str]:
    """What is wrong with one catalogue, a line each; empty when all is well."""
    catalogue = read(file)
    wanted = {item.ids if len(item.ids) > 1 else item.ids[0] for item in found}
    have = {_id(message): message for message in messages(catalogue)}
    out = [f"not in the catalogue: {ids!r}" for ids in sorted(wanted - set(have), key=str)]
    out += [f"no longer in the sources: {ids!r}" for ids in sorted(set(have) - wanted, key=str)]
    for ids, message in have.items():
        if message.fuzzy:
            out.append(f"fuzzy: {ids!r}")
        if not _translated(message):
            out.append(f"not translated: {ids!r}")
        elif any(placeholders(text) not in _allowed(ids) for text in _strings(message)):
            out.append(f"placeholders differ: {ids!r} → {message.string!r}")
    return out


def placeholders(text: str) -> frozenset[str]:
    """The named parts of a message, with their conversions: `{why}`, `{value!r}`."""
    return frozenset(
        f"{name}!{conversion}" if conversion else name
        for _, name, _, conversion in string.Formatter().parse(text)
        if name is not None
    )


def _allowed(ids: str | tuple[str, ...]) -> list[frozenset[str]]:
    return [placeholders(text) for text in ([ids] if isinstance(ids, str) else ids)]


def _id(message: Message) -> str | tuple[str, ...]:
    return tuple(message.id) if isinstance(message.id, (list, tuple)) else message.id


def _strings(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, (list, tuple)) else (message.string or "",)


def _translated(message: Message) -> bool:
    return all(_strings(message))


def check() -> int:
    found = extract(SOURCES)
    bad = [
        f"{file.relative_to(ROOT)}: {fault}" for file in catalogue_files() for fault in faults(file, found)
    ]
    print("\n".join(bad) or f"{len(catalogue_files())} catalogue(s) complete")
    if bad:
        print("run `make i18n`, then translate what is new", file=sys.stderr)
    return 1 if bad else 0


def missing() -> None:
    for file in catalogue_files():
        lacking = {_key(m): "" for m in messages(read(file)) if not _translated(m)}
        print(json.dumps(lacking, ensure_ascii=False, indent=1))


def fill(source: Path) -> None:
    """Takes translations from {"message": "translation"}; the key of a plural message is its singular."""
    given: dict[str, str] = json.loads(source.read_text("utf-8"))
    for file in catalogue_files():
        catalogue = read(file)
        for message in messages(catalogue):
            if text := given.get(_key(message)):
                message.string = (
                    (text,) * catalogue.num_plurals if isinstance(message.id, (list, tuple)) else text
                )
        write(file, catalogue)


def _key(message: Message) -> str:
    return message.id[0] if isinstance(message.id, (list, tuple)) else message.id


def main(arguments: list[str]) -> int:
    match arguments:
        case ["update"]:
            update()
        case ["check"]:
            return check()
        case ["compile"]:
            compile_catalogues(LOCALE)
        case ["missing"]:
            missing()
        case ["fill", source]:
            fill(Path(source))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
