"""A private machine on this one: user, network, mount, name and process namespaces of Linux.

`goferry.lab.inside` runs as the first process of the new namespaces, with the sites of the world in one network
namespace and the client in another; commands enter the client's with `nsenter`. When the process that opened the world
ends, however it ends, the pipe to that first process closes, it ends too, and the kernel removes all that was in there.
When that was no orderly end, the first process removes the folders of the world before.
"""

import asyncio
import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from goferry.errors import Unavailable

_UNSHARE: Final = (
    "unshare", "--user", "--map-root-user", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork",
    "--mount-proc", "--kill-child",
)  # fmt: skip
_PROGRAMS: Final = ("unshare", "nsenter", "ip", "mount")
_TRY: Final = "ip link set lo up && ip tuntap add dev lab0 mode tun && mount --bind /etc/hosts /etc/hosts"
_START: Final = 30.0

FAREWELL: Final = b"bye"
"""Said at an orderly end. Without it the folders of the world have nobody left who would remove them."""


@functools.cache
def why_not() -> str:
    """Why this machine cannot give us private namespaces; "" when it can. Tried once, for real."""
    if sys.platform != "linux":
        return "private network namespaces exist on Linux only"
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (util-linux and iproute2)"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun is missing or not for this user"
    if not Path("/proc/net/if_inet6").exists():
        return "this kernel has no IPv6, which the worlds of the lab have"
    tried = subprocess.run(
        [*_UNSHARE, "sh", "-c", _TRY], capture_output=True, text=True, check=False, timeout=_START
    )
    return "" if tried.returncode == 0 else f"the system refuses: {' '.join(tried.stderr.split())}"


@dataclass(frozen=True, slots=True)
class Namespace:
    """A running one. pid: of its first process, as seen from here; network: its descriptor of the client's network."""

    pid: int
    network: int

    def command(self, words: Sequence[str], folder: Path) -> list[str]:
        """The command line that runs these words in there, in this folder."""
        here = f"/proc/{self.pid}"
        return [
            # By its path: PATH of the world may lead nowhere on purpose.
            shutil.which("nsenter") or "nsenter",
            f"--user={here}/ns/user",
            f"--net={here}/fd/{self.network}",
            f"--mount={here}/ns/mnt",
            f"--uts={here}/ns/uts",
            f"--ipc={here}/ns/ipc",
            f"--pid={here}/ns/pid",
            "--preserve-credentials",
            "--",
            # The folder is entered by its path: a descriptor from before would lie in the other mount namespace.
            "/bin/sh",
            "-c",
            'cd "$0" && exec "$@"',
            str(folder),
            *words,
        ]


@asynccontextmanager
async def entered(scenario: str, root: Path) -> AsyncIterator[tuple[Namespace, dict[str, Any]]]:
    """Makes the namespaces with the servers of a scenario in them, by its name; with what they say of themselves.

    Raises Unavailable when this machine does not allow it, or lacks something that the scenario needs.
    """
    if why := why_not():
        raise Unavailable("private namespaces are not possible here: {why}", why=why)
    process = await asyncio.create_subprocess_exec(
        *_UNSHARE,
        sys.executable,
        "-m",
        "goferry.lab.inside",
        json.dumps({"scenario": scenario, "root": str(root)}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # A Ctrl-C in the terminal is for the command that runs in the world, not for the world.
        start_new_session=True,
    )
    try:
        said = await _first_words(process)
        yield Namespace(_child(process.pid), said["network"]), said
    finally:
        assert process.stdin is not None
        process.stdin.write(FAREWELL)
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _first_words(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _START)
    except TimeoutError:
        raise Unavailable("the lab did not start within {seconds} seconds", seconds=_START) from None
    said: dict[str, Any] = json.loads(line) if line else {"error": "its first process ended at once"}
    if "error" in said:
        raise Unavailable("the lab could not be started: {why}", why=said["error"])
    return said


def _child(pid: int) -> int:
    """The only child of `unshare`, which is the first process in there."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
