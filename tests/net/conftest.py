"""What the tests of the network share: clients that are closed at the end, and one authority for all."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from goferry.lab.tls import Authority
from goferry.net import Client
from net.clients import client_for

MakeClient = Callable[..., Client]


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def make_client(authority: Authority) -> AsyncIterator[MakeClient]:
    """Makes clients with `client_for`, and closes them at the end."""
    made: list[Client] = []

    def make(**given: Any) -> Client:
        made.append(client_for(authority, **given))
        return made[-1]

    yield make
    for client in made:
        await client.close()
