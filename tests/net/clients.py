"""Clients for the tests of the network."""

from dataclasses import replace
from typing import Any

from goferry.lab.tls import Authority
from goferry.net import Client, ClientOptions, Timeouts

# Long enough that only the limit under test can cut; a hanging test still ends.
PATIENT = Timeouts(resolve=20, connect=20, tls=20, first_byte=20, idle=20, whole=60)


def client_for(authority: Authority, **given: Any) -> Client:
    """A client that trusts the lab's authority and sees no proxy variables but those given as `environ`.

    Keyword arguments that Timeouts has are limits; `observers` and `resolver` go to the client, the rest are options.
    """
    limits = {name: given.pop(name) for name in list(given) if name in Timeouts.__dataclass_fields__}
    extra = {name: given.pop(name) for name in ("observers", "resolver") if name in given}
    options = ClientOptions(timeouts=replace(PATIENT, **limits), **{"environ": {}, **given})
    return Client(options, tls=authority.client_context, **extra)
