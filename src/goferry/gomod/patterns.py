"""Regular expressions that are compiled when they are first asked something.

To compile one takes as long as to use it a few hundred times. The rules of modules have many, and most commands need
few of them: a build list, one in four.
"""

import re
from typing import Any, cast


def lazily(text: str, flags: int = 0) -> re.Pattern[str]:
    """What `re.compile` makes, later."""
    return cast("re.Pattern[str]", _Lazy(text, flags))


class _Lazy:
    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        """An attribute of the pattern, which is found at once from then on."""
        found = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, found)
        return found
