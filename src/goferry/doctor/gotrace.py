"""The trace of go (`-x`): one line when a question is asked, one when its answer begins. Of a run that was ended at its
limit it is all there is, as go tells its errors last.
"""

import re
from collections.abc import Sequence
from typing import Final

from goferry.doctor.evidence import Subject
from goferry.errors import GoferryError
from goferry.gomod.module import unescape_path, unescape_version

_PATH: Final = r"(?P<path>[^/\s@]+\.[^/\s@]+(?:/[^\s@]+?)?)"
_ASKED: Final = re.compile(
    r"^# get \S+?://[^/\s]+/(?:\S*/)??"
    rf"(?:{_PATH}/@(?:v/(?P<version>[^/\s]+)\.(?:info|mod|zip)|v/list|latest)"
    rf"|lookup/{_PATH.replace('path', 'summed')}@(?P<summed_version>[^/\s:]+))(?P<answered>: .*)?$",
    re.MULTILINE,
)


def module_awaited(trace: str, requires: Sequence[str] = ()) -> Subject:
    """The module that the run waits for, by what it has said so far; else the first that is required, if any.

    requires: PATH@VERSION, as in the evidence.
    """
    waiting: dict[tuple[str, str], bool] = {}
    for asked in _ASKED.finditer(trace):
        key = asked["path"] or asked["summed"], asked["version"] or asked["summed_version"] or ""
        waiting[key] = asked["answered"] is None
    for (path, version), is_waiting in waiting.items():
        if is_waiting and (subject := _unescaped(path, version)) is not None:
            return subject
    path, _at, version = next(iter(requires), "").partition("@")
    return Subject(module=path, version=version)


def module_asked_last(trace: str) -> Subject:
    """The module of the last file that was asked for; nothing when there was none."""
    files = [asked for asked in _ASKED.finditer(trace) if asked["path"] and asked["version"]]
    return (_unescaped(files[-1]["path"], files[-1]["version"]) if files else None) or Subject()


def _unescaped(path: str, version: str) -> Subject | None:
    try:
        return Subject(module=unescape_path(path), version=unescape_version(version) if version else "")
    except GoferryError:
        return None
