"""A code host: real git repositories over HTTP by git's own `http-backend`, with logins like those of the great hosts.

The repositories are made from `goferry.lab.modules` with fixed dates and names, so every run has the same commits.
"""

import asyncio
import os
import shutil
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiohttp import web

from goferry.errors import Unavailable
from goferry.lab.modules import MODULES, TIME, LabModule
from goferry.lab.scenario import Repositories

LOGIN: Final = ("developer", "let-me-in")
"""Who may read private repositories."""

_WHO: Final = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Lab"), ("EMAIL", "lab@example.org"), ("DATE", TIME))
}


class Shelf:
    """A folder of bare repositories `TEAM/NAME.git`, each made when it is asked for first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._modules = {name_of(module): module for module in MODULES}
        self._lock = asyncio.Lock()

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    async def provide(self, name: str) -> None:
        """Makes the repository if it is not there yet. Raises Unavailable when git fails."""
        async with self._lock:
            if not (self.folder / f"{name}.git").exists():
                await _make(self.folder, self._modules[name])


def require_git() -> None:
    """Raises Unavailable where there is no git."""
    if shutil.which("git") is None:
        raise Unavailable("this scenario needs git, which is not on PATH")


def name_of(module: LabModule) -> str:
    """`team/secret` for a module whose path ends so."""
    return "/".join(module.path.split("/")[-2:])


async def _make(folder: Path, module: LabModule) -> None:
    bare = folder / f"{name_of(module)}.git"
    bare.mkdir(parents=True)
    await _git(bare, "init", "--quiet", "--bare", "--initial-branch=main")
    await _git(bare, "fast-import", "--quiet", standard_input=_history(module))


def _history(module: LabModule) -> bytes:
    """All versions as one `git fast-import` stream."""
    parts: list[bytes] = []
    for version in module.versions:
        parts.append(f"commit refs/heads/main\ncommitter Lab <lab@example.org> {_epoch()} +0000\n".encode())
        parts.append(_data(version.encode()) + b"deleteall\n")
        for name, body in sorted(module.files(version).items()):
            parts.append(f"M 644 inline {name}\n".encode() + _data(body))
        tag = version.removeprefix("v") if module.has_bare_tags else version
        parts.append(f"reset refs/tags/{tag}\nfrom refs/heads/main\n\n".encode())
    return b"".join(parts)


def _data(body: bytes) -> bytes:
    return f"data {len(body)}\n".encode() + body + b"\n"


def _epoch() -> int:
    from datetime import datetime

    return int(datetime.fromisoformat(TIME).timestamp())


async def _git(folder: Path, *words: str, standard_input: bytes = b"") -> None:
    done = await asyncio.create_subprocess_exec(
        "git", *words, cwd=folder, env={**os.environ, **_WHO}, stdin=asyncio.subprocess.PIPE
    )
    await done.communicate(standard_input)
    if done.returncode:
        raise Unavailable("git {words} failed in the lab", words=" ".join(words))


def application(shelf: Shelf, host_name: str, host: Repositories) -> web.Application:
    """Serves the repositories of a shelf."""

    async def handle(request: web.Request) -> web.StreamResponse:
        name = "/".join(request.path.strip("/").split("/")[:2]).removesuffix(".git")
        if "go-get" in request.query:
            # Shown to everybody, as the great code hosts do: what is private is not told apart from what is not there.
            prefix = f"{host_name}/{name}"
            page = import_page(prefix, {prefix: f"https://{host_name}/{name}.git"})
            return web.Response(text=page, content_type="text/html")
        hidden = name in host.private or name in host.gone or name not in shelf
        # A missing repository looks like a private one: a host that tells them apart tells who has what.
        if hidden and not (name in host.private and _logged_in(request)):
            return web.Response(
                status=401, headers={"WWW-Authenticate": 'Basic realm="git"'}, text="log in\n"
            )
        await shelf.provide(name)
        return await _backend(shelf.folder, name, request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    return app


def _logged_in(request: web.Request) -> bool:
    kind, _, word = request.headers.get("Authorization", "").partition(" ")
    return kind == "Basic" and b64decode(word).decode() == ":".join(LOGIN)


async def _backend(folder: Path, name: str, request: web.Request) -> web.Response:
    """One CGI request (RFC 3875) to git's http-backend."""
    rest = "/".join(request.path.strip("/").split("/")[2:])
    environ = {
        **os.environ,
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROJECT_ROOT": str(folder),
        "PATH_INFO": f"/{name}.git/{rest}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query_string,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "HTTP_CONTENT_ENCODING": "",  # aiohttp has decoded the body already
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_ADDR": request.remote or "",
    }
    body = await request.read()
    backend = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        env={**environ, "CONTENT_LENGTH": str(len(body))},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # what it complains about is in its answer too
    )
    output, _ = await backend.communicate(body)
    head, _, content = output.partition(b"\r\n\r\n")
    fields = _fields(head)
    status = int(fields.pop("Status", "200").split()[0])
    return web.Response(status=status, headers=fields, body=content)


def _fields(head: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in head.decode("latin-1").split("\r\n") if line)
    return {name: value.strip() for name, _, value in pairs}


def import_page(path: str, pages: Mapping[str, str]) -> str:
    """A page with the go-import tag for a path (without leading slash); empty when no prefix fits."""
    found = next(
        ((prefix, url) for prefix, url in pages.items() if f"{path}/".startswith(f"{prefix}/")), None
    )
    if found is None:
        return ""
    place = found[1] if " " in found[1] else f"git {found[1]}"
    return f'<html><head><meta name="go-import" content="{found[0]} {place}"></head></html>\n'
