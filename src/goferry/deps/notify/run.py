"""Telling an audit with what the settings say: the receivers of the settings file, over one client."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from goferry.config import Settings
from goferry.deps.audit.records import Audit
from goferry.deps.kept import Kept
from goferry.deps.notify.base import Receiver
from goferry.deps.notify.send import Outcome, Wire, notify
from goferry.deps.notify.settings import read_receivers
from goferry.errors import ConfigError
from goferry.i18n import N_
from goferry.net.client import Client, ClientOptions
from goferry.net.trust import Trust


def chosen(file: Path | None, names: Collection[str] = ()) -> tuple[Receiver, ...]:
    """The receivers of a settings file that have one of these names; all of them without names.

    Raises ConfigError for a name that none has, and for mistakes in the file.
    """
    receivers = () if file is None else read_receivers(file)
    known = {receiver.name for receiver in receivers}
    for name in names:
        if name not in known:
            raise ConfigError(
                "no receiver is called {name}",
                hint=N_("known are {known}")
                if known
                else N_("there is no [[notify]] table in the settings file"),
                name=name,
                known=", ".join(sorted(known)),
            )
    return tuple(receiver for receiver in receivers if not names or receiver.name in names)


async def tell(
    audit: Audit,
    receivers: Sequence[Receiver],
    *,
    kept: Kept,
    settings: Settings,
    environ: Mapping[str, str],
    everything: bool = False,
) -> tuple[Outcome, ...]:
    """Tells the receivers what is new for each of them; see `send.notify`."""
    client = Client(ClientOptions.of(settings, environ))
    trust = Trust(environ, str(settings.ca_file) if settings.ca_file else None)
    try:
        return await notify(
            audit,
            receivers,
            kept=kept,
            environ=environ,
            wire=Wire(client, trust.context),
            everything=everything,
        )
    finally:
        await client.close()
