"""How long to wait before asking again: longer each time, never too long, never all at once, and never against the
server's own word (Retry-After). Plain arithmetic; waiting and the random source are the caller's.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits in seconds: `first`, then times `factor` up to `cap`, each shortened at random by up to half."""

    first: float = 0.2
    factor: float = 2.0
    cap: float = 10.0

    def delay(self, attempt: int, random: Callable[[], float]) -> float:
        """The wait after failed attempt number `attempt` (from 0); `random` gives numbers in [0, 1).

        Half of the wait is fixed so that a retry never follows at once; the other half is spread so that many clients
        that failed together do not come back together.
        """
        # 2.0 ** 1024 overflows; long before that the cap has been reached.
        whole = min(self.cap, self.first * self.factor ** min(attempt, 64))
        return whole * (0.5 + 0.5 * random())


_FAR = 365 * 24 * 3600.0


def retry_after(value: str, now: datetime.datetime) -> float | None:
    """Seconds to wait by a Retry-After header: whole seconds or an HTTP date (RFC 9110, 10.2.3); None if it is neither.

    now: the present moment, with its time zone. A moment in the past means 0; nothing is longer than a year.

    >>> retry_after("120", datetime.datetime.now(datetime.UTC))
    120.0
    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        return _FAR if len(text) > 8 else min(float(text), _FAR)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:  # "-0000" and the asctime form say no zone; HTTP dates are always in UTC
        moment = moment.replace(tzinfo=datetime.UTC)
    return min(max(0.0, (moment - now).total_seconds()), _FAR)
