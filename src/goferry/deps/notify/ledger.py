"""What each receiver has heard already, so that it hears of everything once and of nothing twice."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from goferry.deps.audit.records import Audit, AuditFinding, rank
from goferry.deps.history import gone
from goferry.deps.kept import Kept
from goferry.deps.notify.base import Notice, Receiver, Service
from goferry.findings import Severity

_KEEP_DELIVERIES: Final = 180 * 86400.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be told to one receiver, and why not if there is nothing."""

    notice: Notice
    state: str
    """`due`; `resumed`: begun by an earlier run; `already_sent`; `nothing_new`."""

    @property
    def is_due(self) -> bool:
        return self.state in ("due", "resumed")


def standing(audit: Audit, receiver: Receiver) -> tuple[AuditFinding, ...]:
    """The findings that a receiver cares for, worst first."""
    least = Severity(receiver.severity).rank
    return tuple(
        sorted(
            (
                finding
                for finding in audit.findings
                if finding.severity.rank <= least
                and (not receiver.owners or finding.owner in receiver.owners)
                and (not receiver.kinds or finding.kind in receiver.kinds)
            ),
            key=rank,
        )
    )


class Ledger:
    """The part of the kept file that is about notices."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def plan(
        self, audit: Audit, mark: str, receiver: Receiver, service: Service, *, everything: bool = False
    ) -> Plan:
        """What is to be told. Changes nothing. `mark` is the audit's fingerprint.

        everything: what it has heard before is told again, but the same audit only once.
        """
        delivery = _delivery(mark, receiver, everything)
        found = standing(audit, receiver)
        heard = self._heard(receiver)
        over = tuple(sorted(gone(audit, heard)))
        row = self._kept.row("SELECT keys, finished FROM deliveries WHERE id = ?", (delivery,))
        if row is not None:
            keys = set(json.loads(row[0]))
            news = tuple(finding for finding in found if finding.key in keys)
            state = "resumed" if row[1] is None else "already_sent"
            return Plan(Notice(delivery, audit, news, found, over), state)
        news = found if everything else tuple(finding for finding in found if finding.key not in heard)
        notice = Notice(delivery, audit, news, found, over)
        wanted = news or service.wants_all or (service.wants_closed and over)
        return Plan(notice, "due" if wanted else "nothing_new")

    def _heard(self, receiver: Receiver) -> dict[str, tuple[str, str]]:
        return {
            key: (project, module)
            for key, project, module in self._kept.rows(
                "SELECT key, project, module FROM told WHERE receiver = ?", (receiver.name,)
            )
        }

    def begin(self, notice: Notice, receiver: Receiver, now: float) -> None:
        """Notes that a delivery is under way, and forgets those of long ago."""
        with self._kept.writing():
            old = "SELECT id FROM deliveries WHERE finished < ?"
            self._kept.do(f"DELETE FROM answers WHERE delivery IN ({old})", (now - _KEEP_DELIVERIES,))  # noqa: S608
            self._kept.do("DELETE FROM deliveries WHERE finished < ?", (now - _KEEP_DELIVERIES,))
            self._kept.do(
                "INSERT OR IGNORE INTO deliveries (id, receiver, keys, begun) VALUES (?, ?, ?, ?)",
                (notice.delivery, receiver.name, json.dumps([f.key for f in notice.news]), now),
            )

    def answers(self, notice: Notice) -> dict[str, Any]:
        """The steps that are through, with what was answered."""
        rows = self._kept.rows("SELECT step, answer FROM answers WHERE delivery = ?", (notice.delivery,))
        return {step: json.loads(answer) for step, answer in rows}

    def answered(self, notice: Notice, receiver: Receiver, step: str, answer: Any, *, told: bool) -> None:
        """A step is through; with `told`, the receiver has now heard the news."""
        with self._kept.writing():
            self._kept.do(
                "INSERT OR REPLACE INTO answers (delivery, step, answer) VALUES (?, ?, ?)",
                (notice.delivery, step, json.dumps(answer)),
            )
            if told:
                self._note(notice, receiver)

    def finish(self, notice: Notice, receiver: Receiver, now: float) -> None:
        """All is said."""
        with self._kept.writing():
            self._kept.do("UPDATE deliveries SET finished = ? WHERE id = ?", (now, notice.delivery))
            self._note(notice, receiver)

    def settle(self, notice: Notice, receiver: Receiver) -> None:
        """There was nothing to say; what is gone is news again when it comes back."""
        with self._kept.writing():
            self._forget(notice.closed, receiver)

    def _note(self, notice: Notice, receiver: Receiver) -> None:
        self._forget(notice.closed, receiver)
        self._kept.do_all(
            "INSERT OR IGNORE INTO told (receiver, key, project, module) VALUES (?, ?, ?, ?)",
            [(receiver.name, f.key, f.project, f.module) for f in notice.news],
        )

    def _forget(self, keys: Collection[str], receiver: Receiver) -> None:
        self._kept.do_all(
            "DELETE FROM told WHERE receiver = ? AND key = ?", [(receiver.name, key) for key in keys]
        )


def _delivery(mark: str, receiver: Receiver, everything: bool) -> str:
    words = "\0".join((mark, receiver.name, "all" if everything else "news"))
    return hashlib.sha256(words.encode()).hexdigest()[:40]
