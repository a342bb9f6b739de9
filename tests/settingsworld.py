"""Worlds for tests that read settings: a made-up machine below a temporary folder."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from goferry.doctor.base import Places, World

GO_ENV = "GOPROXY=https://mirror.example.org,direct\nGOSUMDB=sum.golang.org\nGOTOOLCHAIN=auto\n"


class Machine:
    """Files of a machine. `root` is its /, `home` the user's folder, `cwd` where the command runs."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "disk"
        self.home = folder / "home"
        self.cwd = folder / "project"
        self.goroot = folder / "go"
        for place in (self.root / "etc", self.home, self.cwd):
            place.mkdir(parents=True)
        self.programs: dict[str, str] = {}

    def write(self, path: Path, text: str) -> Path:
        """A file with its folders."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def install_go(self, go_env: str = GO_ENV, version: str = "go1.99.1") -> None:
        """A distribution of go that nobody can run."""
        self.write(self.goroot / "go.env", go_env)
        self.write(self.goroot / "VERSION", f"{version}\ntime 2026-01-01T00:00:00Z\n")
        (self.goroot / "pkg" / "tool").mkdir(parents=True)
        self.programs["go"] = str(self.write(self.goroot / "bin" / "go", ""))

    def install_git(self) -> None:
        """The real git of this machine."""
        self.programs["git"] = shutil.which("git") or ""

    def world(self, environ: Mapping[str, str] | None = None) -> World:
        """The world with HOME and the variables given; no program but those installed."""
        quiet = {"HOME": str(self.home), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
        return World(
            environ={**quiet, **(environ or {})},
            cwd=self.cwd,
            home=self.home,
            places=Places(
                self.root / "etc/resolv.conf",
                self.root / "etc/hosts",
                self.root / "etc/nsswitch.conf",
                self.root,
            ),
            which=lambda name: self.programs.get(name),
        )
