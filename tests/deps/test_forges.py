"""Code hosts are asked whether a repository is archived: what, how politely, and what stays unknown."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from goferry.deps.base import Module
from goferry.deps.forgelist import Asker, Book
from goferry.deps.forges import (
    PUBLIC,
    State,
    forges,
    origin_of,
    read,
    reasons,
    repository_of,
    request,
    token_of,
)
from goferry.errors import ConfigError, GoferryError, NotFound, UpstreamError
from goferry.gomod.modgraph import Local
from goferry.gomod.module import Version
from goferry.net.client import Client, ClientOptions
from net.web import Request, Web, answer

DAY = 86400.0
NOW = 1_800_000_000.0
TOKEN = "ghp_plantedForgeToken"


@pytest.mark.parametrize(
    ("path", "origin", "expected"),
    [
        ("github.com/a/b", "", "github.com/a/b"),
        ("github.com/a/b/v2", "", "github.com/a/b"),
        ("github.com/a/b/sub/v3", "", "github.com/a/b"),
        ("github.com/a", "", None),
        ("gopkg.in/yaml.v3", "https://gopkg.in/yaml.v3", "github.com/go-yaml/yaml"),
        ("gopkg.in/user/pkg.v1", "", "github.com/user/pkg"),
        ("gopkg.in/pkg.v2-unstable", "", "github.com/go-pkg/pkg"),
        ("example.com/x", "https://github.com/a/b.git", "github.com/a/b"),
        ("example.com/x", "https://github.com:443/a/b", None),
        ("example.com/x", "", None),
        ("gitlab.com/g/p", "", "gitlab.com/g/p"),
        ("gitlab.com/g/sub/p", "https://gitlab.com/g/sub/p", "gitlab.com/g/sub/p"),
        ("golang.org/x/net", "https://go.googlesource.com/net", None),
        ("example.com/x", "https://[::1", None),
        ("example.com/x", "https://github.com:many/a/b", None),
    ],
)
def test_the_repository_of_a_module(path: str, origin: str, expected: str | None) -> None:
    found = repository_of(path, origin, PUBLIC)
    assert (None if found is None else str(found)) == expected


def test_each_host_is_asked_in_its_own_form() -> None:
    hub, lab, berg = (repository_of(f"{forge.host}/a/b", "", PUBLIC) for forge in PUBLIC)
    assert hub
    assert lab
    assert berg
    assert request(hub, TOKEN, '"x"') == (
        "https://api.github.com/repos/a/b",
        {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "Authorization": f"Bearer {TOKEN}",
            "If-None-Match": '"x"',
        },
    )
    assert request(lab, "", "") == (
        "https://gitlab.com/api/v4/projects/a%2Fb",
        {"Accept": "application/json"},
    )
    assert request(berg, "t", "")[1]["Authorization"] == "token t"


def test_a_token_goes_to_its_own_host_and_not_in_the_open() -> None:
    hosts = forges(
        "git.example.com=gitea:https://git.example.com/api/v1, old.example.com=gitlab:http://old.example.com"
    )
    environ = {
        "GITHUB_TOKEN": "hub",
        "FORGE_TOKEN_GIT_EXAMPLE_COM": "own",
        "FORGE_TOKEN_OLD_EXAMPLE_COM": "open",
    }
    assert {forge.host: token_of(forge, environ) for forge in hosts} == {
        "github.com": "hub",
        "gitlab.com": "",
        "codeberg.org": "",
        "git.example.com": "own",
        "old.example.com": "",
    }


@pytest.mark.parametrize("text", ["x", "h=svn:https://h", "h=github:h", "h=gitea:https://me:secret@h/api"])
def test_a_host_that_is_none_is_named_without_what_is_secret(text: str) -> None:
    with pytest.raises(ConfigError, match="is no code host") as caught:
        forges(text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"archived": 1}', b"\xff", b"[" * 100_000])
def test_an_answer_that_says_nothing_is_none(body: bytes) -> None:
    with pytest.raises(UpstreamError, match="does not say"):
        read(body)
    assert origin_of(body) == ""


# ---- asking ---------------------------------------------------------------------------------------------------


class Host:
    """GitHub, as far as it is asked. `script`: answers that are given first."""

    def __init__(self, *script: bytes, repositories: dict[str, bool] | None = None) -> None:
        self.script = list(script)
        self.repositories = repositories or {}
        self.tag = '"1"'

    def __call__(self, asked: Request) -> bytes:
        if self.script:
            return self.script.pop(0)
        assert asked.headers["accept"] == "application/vnd.github+json"
        if asked.headers.get("if-none-match") == self.tag:
            return answer("304 Not Modified")
        name = asked.target.removeprefix("/repos/")
        if name not in self.repositories:
            return answer("404 Not Found", b'{"message": "Not Found"}')
        body = json.dumps({"full_name": name, "archived": self.repositories[name]}).encode()
        return answer("200 OK", body, ETag=self.tag, X_RateLimit_Remaining="58")


class Infos:
    """A supply that has nothing but .info."""

    def __init__(self, **origins: str) -> None:
        self.origins = origins
        self.asked: list[str] = []

    async def info(self, version: Version) -> bytes:
        self.asked.append(version.path)
        if version.path not in self.origins:
            raise NotFound("no")
        return json.dumps(
            {"Version": version.version, "Origin": {"URL": self.origins[version.path]}}
        ).encode()


@asynccontextmanager
async def asking(host: Host, place: Path | None = None, **more: Any) -> AsyncIterator[tuple[Asker, Web]]:
    async with Web(host) as web:
        client = Client(ClientOptions())
        try:
            known = forges(f"github.com=github:{web.url}")
            given = {"max_age": DAY, "tokens": {}, "clock": lambda: NOW, **more}
            yield Asker(client, Book(place), known, **given), web
        finally:
            await client.close()


def mod(path: str, *, indirect: bool = False, replace: Any = None) -> Module:
    return Module(path, "v1.0.0", indirect=indirect, replace=replace)


MODULES = [mod("github.com/a/closed/v2"), mod("github.com/a/open"), mod("github.com/a/gone")]
WORLD = {"a/closed": True, "a/open": False}


async def test_what_is_archived_and_what_is_gone_is_found_and_each_repository_asked_once() -> None:
    async with asking(Host(repositories=WORLD)) as (asker, web):
        looked = await asker.look([*MODULES, mod("github.com/a/open/sub")], Infos())  # type: ignore[arg-type]
        assert {path: one.state for path, one in looked.closed.items()} == {
            "github.com/a/closed/v2": State.ARCHIVED,
            "github.com/a/gone": State.GONE,
        }
        assert looked.unasked == {}
        assert sorted(one.target for one in web.requests) == [
            f"/repos/a/{name}" for name in ("closed", "gone", "open")
        ]
        assert not any("authorization" in one.headers for one in web.requests)


async def test_answers_are_kept_and_asked_for_anew_by_their_mark(tmp_path: Path) -> None:
    place = tmp_path / "data/forges.json"
    host = Host(repositories={"a/closed": True})
    for clock, requests, statuses in ((NOW, 1, None), (NOW + DAY, 0, None), (NOW + 2 * DAY, 1, '"1"')):
        async with asking(host, place, clock=lambda clock=clock: clock) as (asker, web):
            looked = await asker.look(MODULES[:1], Infos())  # type: ignore[arg-type]
            assert [one.state for one in looked.closed.values()] == [State.ARCHIVED]
            assert [one.headers.get("if-none-match") for one in web.requests] == [statuses] * requests
    place.write_bytes(b"{torn")
    async with asking(host, place) as (asker, web):
        assert (await asker.look(MODULES[:1], Infos())).closed  # type: ignore[arg-type]
        assert len(web.requests) == 1


LIMITED = answer("403 Forbidden", b"{}", X_RateLimit_Remaining="0", X_RateLimit_Reset=str(int(NOW) + 60))
LAST = answer(
    "200 OK", b'{"archived": false}', X_RateLimit_Remaining="0", X_RateLimit_Reset=str(int(NOW) + 60)
)


@pytest.mark.parametrize(
    ("first", "asked", "unknown", "why"),
    [
        (
            LIMITED,
            1,
            3,
            "127.0.0.1 wants no more|github.com wants no more questions until 2027-01-15T08:01:00",
        ),
        (LAST, 1, 2, "github.com wants no more questions"),
        (answer("429 Too Many Requests", b"", Retry_After="30"), 1, 3, "until 2027-01-15T08:00:30"),
        (answer("401 Unauthorized", b"{}"), 1, 3, "answers HTTP 401"),
        (answer("503 Service Unavailable", b""), 1, 3, "answers HTTP 503"),
        (answer("200 OK", b"<html>"), 1, 3, "does not say whether"),
        (answer("403 Forbidden", b"{}"), 3, 1, "answers HTTP 403"),
    ],
)
async def test_a_host_that_has_had_enough_is_left_alone_and_what_stays_unknown_is_named(
    first: bytes, asked: int, unknown: int, why: str
) -> None:
    async with asking(Host(first, repositories=WORLD)) as (asker, web):
        looked = await asker.look(MODULES, Infos())  # type: ignore[arg-type]
        assert len(web.requests) == asked
        assert len(looked.unasked) == unknown
        (only,) = reasons(looked.unasked)
        with pytest.raises(GoferryError, match=why):
            raise only


async def test_what_was_known_counts_while_a_host_cannot_be_asked(tmp_path: Path) -> None:
    place = tmp_path / "forges.json"
    async with asking(Host(repositories=WORLD), place) as (asker, _web):
        await asker.look(MODULES, Infos())  # type: ignore[arg-type]
    for days, unknown in ((3, 0), (6, 3)):
        async with asking(Host(*[LIMITED] * 3), place, clock=lambda days=days: NOW + days * DAY) as (
            asker,
            _web,
        ):
            looked = await asker.look(MODULES, Infos())  # type: ignore[arg-type]
            assert len(looked.unasked) == unknown
    async with asking(Host(), place, offline=True) as (asker, web):
        assert len((await asker.look(MODULES, Infos())).closed) == 2  # type: ignore[arg-type]
        assert web.requests == []


async def test_private_modules_and_folders_are_nobodys_business_without_a_token() -> None:
    modules = [mod("github.com/acme/secret"), mod("example.com/x", replace=Local("../x"))]
    async with asking(Host(), private="github.com/acme/*") as (asker, web):
        looked = await asker.look(modules, Infos())  # type: ignore[arg-type]
        assert (looked.closed, looked.unasked, web.requests) == ({}, {}, [])
    async with asking(Host(), private="github.com/acme/*", tokens={"github.com": TOKEN}) as (asker, web):
        await asker.look(modules, Infos())  # type: ignore[arg-type]
        assert [one.headers["authorization"] for one in web.requests] == [f"Bearer {TOKEN}"]


async def test_the_origin_of_an_info_leads_to_the_repository_and_what_replaces_is_looked_at() -> None:
    infos = Infos(**{"example.com/vanity": "https://github.com/a/closed"})
    modules = [
        mod("example.com/vanity"),
        mod("example.com/y", replace=Version("github.com/a/open", "v1.0.0")),
    ]
    async with asking(Host(repositories=WORLD)) as (asker, web):
        looked = await asker.look(modules, infos)  # type: ignore[arg-type]
        assert list(looked.closed) == ["example.com/vanity"]
        assert sorted(one.target for one in web.requests) == ["/repos/a/closed", "/repos/a/open"]
