"""Stands in for another system in a process of its own: what only Linux or Unix has is taken away before goferry loads.

`python tests/otherplatform.py darwin|win32 imports` imports every module and prints those that fail; with other words
it is the goferry command there. Libraries of others are loaded before, as they are not in question.
"""

import builtins
import importlib
import io
import os
import pkgutil
import shutil
import signal
import socket
import ssl
import sys
import tempfile
import types
from typing import Any, Final

GONE: Final = {
    "darwin": ("spwd", "nis"),
    "win32": (
        "resource",
        "fcntl",
        "termios",
        "tty",
        "pty",
        "pwd",
        "grp",
        "spwd",
        "syslog",
        "readline",
        "nis",
    ),
}
LINUX_SOCKETS: Final = (
    "IP_RECVERR", "IPV6_RECVERR", "TCP_INFO", "TCP_USER_TIMEOUT", "MSG_ERRQUEUE", "AF_NETLINK", "AF_PACKET",
    "TCP_QUICKACK", "TCP_DEFER_ACCEPT", "TCP_CORK", "SO_BINDTODEVICE", "IP_MTU_DISCOVER", "SO_PEERCRED",
    "SOCK_CLOEXEC", "SOCK_NONBLOCK", "TCP_KEEPIDLE", "TCP_FASTOPEN_CONNECT",
)  # fmt: skip
UNIX_SOCKETS: Final = ("TCP_MAXSEG", "SO_REUSEPORT", "MSG_DONTWAIT", "MSG_NOSIGNAL", "SCM_RIGHTS")
LINUX_OS: Final = (
    "sched_getaffinity", "posix_fadvise", "sendfile", "copy_file_range", "memfd_create", "O_TMPFILE", "O_DIRECT",
    "pidfd_open", "getrandom", "fdatasync", "O_PATH", "O_NOATIME",
)  # fmt: skip
UNIX_OS: Final = (
    "fork", "getuid", "geteuid", "getgid", "getegid", "killpg", "setsid", "statvfs", "fchmod", "chown", "lchown",
    "uname", "mkfifo", "pread", "pwrite", "O_NOFOLLOW", "O_DIRECTORY", "O_CLOEXEC", "O_NONBLOCK", "getloadavg", "nice",
)  # fmt: skip
UNIX_SIGNALS: Final = (
    "SIGKILL",
    "SIGHUP",
    "SIGUSR1",
    "SIGUSR2",
    "SIGCHLD",
    "SIGPIPE",
    "SIGALRM",
    "setitimer",
)
HIDDEN: Final = ("/proc/", "/sys/", "/etc/resolv.conf", "/etc/nsswitch.conf")


def become(platform: str) -> None:
    for library in (
        "asyncio",
        "aiohttp.web",
        "psutil",
        "click",
        "msgspec",
        "cryptography.x509",
        "certifi",
        "granian",
    ):
        importlib.import_module(library)
    windows = platform == "win32"
    for name in GONE[platform]:
        sys.modules[name] = None  # type: ignore[assignment]
    take(socket, *LINUX_SOCKETS, *(UNIX_SOCKETS if windows else ()))
    take(os, *LINUX_OS, *(UNIX_OS if windows else ()))
    take(signal, *(UNIX_SIGNALS if windows else ()))
    tempfile._O_TMPFILE_WORKS = False  # type: ignore[attr-defined]
    shutil._USE_CP_SENDFILE = False  # type: ignore[attr-defined]
    shutil._use_fd_functions = not windows  # type: ignore[attr-defined]
    if windows:
        lend_windows()
    if hasattr(os, "process_cpu_count"):  # counts what it is given of Linux' CPUs
        os.process_cpu_count = os.cpu_count
    builtins.open = io.open = without_linux_files(open)  # type: ignore[assignment]
    sys.platform = platform


def take(module: types.ModuleType, *names: str) -> None:
    for name in names:
        if hasattr(module, name):
            delattr(module, name)


def lend_windows() -> None:
    """The little of Windows that is loaded by name."""
    msvcrt = types.ModuleType("msvcrt")
    vars(msvcrt).update(LK_NBLCK=2, LK_UNLCK=0, LK_LOCK=1, locking=lambda *_words: None)
    sys.modules["msvcrt"] = msvcrt
    asks = types.SimpleNamespace(NeedCurrentDirectoryForExePath=lambda _name: True)
    shutil._winapi = asks  # type: ignore[attr-defined]  # shutil.which asks Windows itself from Python 3.12 on
    ssl.enum_certificates = lambda _store: []  # type: ignore[attr-defined]
    import psutil  # type: ignore[import-untyped]

    psutil.disk_usage = lambda _path: types.SimpleNamespace(free=1 << 40)
    home = os.environ["HOME"]
    os.environ.update(USERPROFILE=home, LOCALAPPDATA=f"{home}/Local", APPDATA=f"{home}/Roaming")


def without_linux_files(real: Any) -> Any:
    def opened(file: Any, *words: Any, **more: Any) -> Any:
        if isinstance(file, str | os.PathLike) and os.fspath(file).startswith(HIDDEN):
            raise FileNotFoundError(2, "No such file or directory", os.fspath(file))
        return real(file, *words, **more)

    return opened


def import_everything() -> int:
    import goferry

    failed = 0
    for found in pkgutil.walk_packages(goferry.__path__, "goferry."):
        if not found.name.endswith("__main__"):
            try:
                importlib.import_module(found.name)
            except Exception as error:  # noqa: BLE001  whatever it is, it is listed
                failed += 1
                print(found.name, type(error).__name__, error)
    return failed


if __name__ == "__main__":
    system, *words = sys.argv[1:]
    become(system)
    if words == ["imports"]:
        sys.exit(import_everything())
    from goferry.cli.main import main

    sys.argv = ["goferry", *words]
    sys.exit(main())
