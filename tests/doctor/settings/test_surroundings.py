"""Folders, context, roots and values that stand elsewhere, read from made-up machines."""

import errno
import os
from pathlib import Path

import pytest

from goferry.doctor.settings import folders
from goferry.doctor.settings.context import has_default_route4, has_default_route6, read_context
from goferry.doctor.settings.elsewhere import read_elsewhere
from goferry.doctor.settings.folders import look, read_folders
from goferry.doctor.settings.gitconfig import parse_list
from goferry.doctor.settings.roots import NOT_VERIFIED, read_roots
from settingsworld import Machine

# ---- folders -----------------------------------------------------------------------------------------------


def test_a_folder_that_is_there_can_be_written(tmp_path: Path) -> None:
    seen = look("GOMODCACHE", tmp_path)
    assert (seen.exists, seen.writable, seen.failure) == (True, True, "")
    assert seen.free_bytes > 0
    assert seen.owner == tmp_path.owner()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_to_come_is_tried_where_it_would_be_made(tmp_path: Path) -> None:
    seen = look("GOCACHE", tmp_path / "a" / "b")
    assert (seen.exists, seen.writable) == (False, True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert look("GOMODCACHE", tmp_path / "file").failure == "not_a_folder"
    assert look("GOMODCACHE", tmp_path / "file" / "mod").failure == "not_a_folder"


@pytest.mark.parametrize(
    ("number", "want"),
    [
        (errno.EACCES, "not_permitted"),
        (errno.EROFS, "read_only"),
        (errno.ENOSPC, "no_space"),
        (errno.EIO, "io"),
    ],
)
def test_each_refusal_has_its_name(
    number: int, want: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(folders.tempfile, "TemporaryFile", refuse)
    seen = look("GOMODCACHE", tmp_path)
    assert (seen.writable, seen.failure, seen.text) == (False, want, os.strerror(number))


def test_what_blocks_the_inside_of_the_module_cache_counts(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    seen = {folder.name: folder for folder in read_folders({"GOMODCACHE": str(tmp_path)}, {})}
    assert (seen["GOMODCACHE"].path, seen["GOMODCACHE"].failure) == (str(tmp_path / "cache"), "not_a_folder")
    (tmp_path / "cache").unlink()
    (tmp_path / "cache" / "download").mkdir(parents=True)
    well = {folder.name: folder for folder in read_folders({"GOMODCACHE": str(tmp_path)}, {})}
    assert (well["GOMODCACHE"].path, well["GOMODCACHE"].writable) == (str(tmp_path), True)


def test_unset_and_switched_off_folders_are_left_out() -> None:
    names = [seen.name for seen in read_folders({"GOCACHE": "off", "GOMODCACHE": ""}, {"TMPDIR": "/tmp"})]
    assert names == ["GOTMPDIR"]


# ---- context -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "files", "want"),
    [
        ({}, {}, ""),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {".dockerenv": ""}, "kubernetes"),
        ({}, {".dockerenv": ""}, "docker"),
        ({}, {"run/.containerenv": ""}, "podman"),
        ({}, {"run/systemd/container": "systemd-nspawn\n"}, "systemd-nspawn"),
        ({"container": "lxc"}, {}, "lxc"),
        ({}, {"proc/1/cgroup": "0::/kubepods.slice/pod1\n"}, "kubernetes"),
        ({}, {"proc/1/cgroup": "12:cpu:/docker/0123\n"}, "docker"),
        ({}, {"proc/1/cgroup": "0::/init.scope\n"}, ""),
    ],
)
def test_containers_are_known_by_their_marks(
    environ: dict[str, str], files: dict[str, str], want: str, machine: Machine
) -> None:
    for name, text in files.items():
        machine.write(machine.root / name, text)
    assert read_context(machine.world(environ)).container == want


def test_a_linux_on_windows_and_a_guest_are_known(machine: Machine) -> None:
    machine.write(machine.root / "proc/sys/kernel/osrelease", "5.15.90.1-microsoft-standard-WSL2\n")
    machine.write(machine.root / "sys/class/dmi/id/sys_vendor", "QEMU\n")
    seen = read_context(machine.world())
    assert (seen.is_wsl, seen.vm) == (True, "kvm")


@pytest.mark.parametrize(
    ("environ", "want"),
    [
        ({"GITHUB_ACTIONS": "true", "CI": "true"}, "github"),
        ({"GITLAB_CI": "true", "CI": "true"}, "gitlab"),
        ({"JENKINS_URL": "https://ci.example.org"}, "jenkins"),
        ({"CI": "1"}, "other"),
        ({"CI": "false"}, ""),
        ({}, ""),
    ],
)
def test_ci_systems_are_known_by_their_variables(
    environ: dict[str, str], want: str, machine: Machine
) -> None:
    assert read_context(machine.world(environ)).ci == want


def test_who_runs_it_is_told(machine: Machine) -> None:
    seen = read_context(machine.world({"SUDO_USER": "me"}))
    assert (seen.sudo_user, seen.home, seen.uid) == ("me", str(machine.home), os.getuid())
    assert {interface.name: interface.mtu for interface in seen.interfaces}.get("lo", 1) > 0


ROUTES4 = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
LINE4 = "eth0\t00000000\t0100000A\t{flags}\t0\t0\t0\t{mask}\t0\t0\t0\n"
LINE6 = "{zero} {bits} {zero} 00 {zero} 00000400 00000001 00000000 {flags} {name}\n"
ZERO = "0" * 32


@pytest.mark.parametrize(
    ("table", "want"),
    [
        (ROUTES4 + LINE4.format(flags="0003", mask="00000000"), True),
        (ROUTES4 + LINE4.format(flags="0002", mask="00000000"), False),
        (ROUTES4 + LINE4.format(flags="0001", mask="00FFFFFF"), False),
        (ROUTES4, False),
        ("", False),
    ],
)
def test_a_default_route_of_ipv4(table: str, want: bool) -> None:
    assert has_default_route4(table) is want


@pytest.mark.parametrize(
    ("line", "want"),
    [
        (LINE6.format(zero=ZERO, bits="00", flags="00000003", name="eth0"), True),
        (LINE6.format(zero=ZERO, bits="00", flags="00200200", name="lo"), False),
        (LINE6.format(zero=ZERO, bits="00", flags="00000001", name="lo"), False),
        (LINE6.format(zero=ZERO, bits="40", flags="00000001", name="eth0"), False),
        ("", False),
    ],
)
def test_a_default_route_of_ipv6(line: str, want: bool) -> None:
    assert has_default_route6(line) is want


def test_where_the_kernel_shows_no_table_nothing_is_claimed(machine: Machine) -> None:
    assert read_context(machine.world()).has_default_route is None
    machine.write(machine.root / "proc/net/route", ROUTES4)
    assert read_context(machine.world()).has_default_route is False


# ---- elsewhere ---------------------------------------------------------------------------------------------

# (file below home, disk or project; its text; name, value, origin, line)
ELSEWHERE: list[tuple[str, str, tuple[str, str, str, int] | None]] = [
    (
        "home/.bashrc",
        "# x\nexport GOPROXY=https://a.example.org\n",
        ("GOPROXY", "https://a.example.org", "shell", 2),
    ),
    ("home/.zshrc", 'export HTTPS_PROXY="http://p:1" # office\n', ("HTTPS_PROXY", "http://p:1", "shell", 1)),
    ("home/.profile", "  https_proxy=http://p:1\n", ("https_proxy", "http://p:1", "shell", 1)),
    ("home/.config/fish/config.fish", "set -gx GOPRIVATE '*.corp'\n", ("GOPRIVATE", "*.corp", "shell", 1)),
    ("home/.config/fish/conf.d/go.fish", "set -Ux GOPROXY direct;\n", ("GOPROXY", "direct", "shell", 1)),
    ("disk/etc/environment", 'NO_PROXY="a,b"\n', ("NO_PROXY", "a,b", "system", 1)),
    (
        "disk/etc/profile.d/proxy.sh",
        "export HTTP_PROXY=http://p:1\n",
        ("HTTP_PROXY", "http://p:1", "system", 1),
    ),
    (
        "project/Dockerfile",
        "FROM x\nENV GOPROXY=https://a.example.org \\\n",
        ("GOPROXY", "https://a.example.org", "docker", 2),
    ),
    ("project/Dockerfile", "ARG HTTPS_PROXY http://p:1\n", ("HTTPS_PROXY", "http://p:1", "docker", 1)),
    (
        "project/compose.yaml",
        "    - GOPROXY=https://a.example.org\n",
        ("GOPROXY", "https://a.example.org", "compose", 1),
    ),
    ("project/docker-compose.yml", '  GOSUMDB: "off"\n', ("GOSUMDB", "off", "compose", 1)),
    ("project/.gitlab-ci.yml", "variables:\n  GOPROXY: direct\n", ("GOPROXY", "direct", "gitlab", 2)),
    ("project/.github/workflows/ci.yml", "env:\n  GOFLAGS: -mod=mod\n", ("GOFLAGS", "-mod=mod", "github", 2)),
    ("project/.gitlab-ci.yml", "  - go env -w GOPRIVATE=*.corp\n", ("GOPRIVATE", "*.corp", "gitlab", 1)),
    ("home/.bashrc", "# export GOPROXY=x\necho GOPROXY=y\nMYGOPROXY=z\nGOPROXY=\n", None),
]


@pytest.mark.parametrize(("name", "text", "want"), ELSEWHERE)
def test_values_of_other_places_are_found(
    name: str, text: str, want: tuple[str, str, str, int] | None, machine: Machine
) -> None:
    path = machine.write(machine.root.parent / name, text)
    found = read_elsewhere(machine.world(), "", "")
    assert [(item.name, item.value, item.origin, item.place) for item in found] == (
        [] if want is None else [(*want[:3], f"{path}:{want[3]}")]
    )


def test_one_command_can_set_several(machine: Machine) -> None:
    line = "RUN apk add git && go env -w GO111MODULE=on 'GOPROXY=https://a.example.org|direct' && go env GOFLAGS=x\n"
    machine.write(machine.cwd / "Dockerfile", line)
    found = read_elsewhere(machine.world(), "", "")
    assert [(item.name, item.value) for item in found] == [
        ("GO111MODULE", "on"),
        ("GOPROXY", "https://a.example.org|direct"),
    ]


def test_the_settings_of_the_user_before_sudo_are_found(machine: Machine) -> None:
    other = machine.root.parent / "other"
    machine.write(machine.root / "etc/passwd", f"root:x:0:0::/:/bin/sh\nme:x:1000:1000::{other}:/bin/sh\n")
    path = machine.write(other / ".config/go/env", "GOFLAGS=-v\nGOPROXY=https://a.example.org\n")
    found = read_elsewhere(machine.world({"SUDO_USER": "me"}), "", "")
    assert [(item.name, item.origin, item.place) for item in found] == [
        ("GOFLAGS", "sudo", f"{path}:1"),
        ("GOPROXY", "sudo", f"{path}:2"),
    ]
    assert read_elsewhere(machine.world({"SUDO_USER": "nobody-here"}), "", "") == ()


def test_a_proxy_in_gos_own_file_is_read_by_nobody(machine: Machine) -> None:
    found = read_elsewhere(machine.world(), "/c/go/env", "GOPROXY=direct\nHTTPS_PROXY=http://me:pw@p:1\n")
    assert [(item.name, item.value, item.place) for item in found] == [
        ("HTTPS_PROXY", "http://xxxxx@p:1", "/c/go/env:2")
    ]


def test_huge_and_binary_files_are_no_trouble(machine: Machine) -> None:
    (machine.home / ".bashrc").write_bytes(b"\xff\x00\n" * 400_000 + b"GOPROXY=late\n")
    (machine.home / ".zshrc").mkdir()
    assert read_elsewhere(machine.world(), "", "") == ()


# ---- roots -------------------------------------------------------------------------------------------------

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def roots(machine: Machine, environ: dict[str, str], git: bytes = b"") -> list[tuple[str, str, int, str]]:
    base = str(machine.root.parent)
    found = read_roots(machine.world(environ), parse_list(git))
    return [(file.stack, file.path.replace(base, ""), file.count, file.origin) for file in found]


def test_both_stacks_take_the_systems_file(machine: Machine) -> None:
    machine.write(machine.root / "etc/pki/tls/certs/ca-bundle.crt", PEM * 3)
    bundle = "/disk/etc/pki/tls/certs/ca-bundle.crt"
    assert roots(machine, {}) == [
        ("go", bundle, 3, ""),
        ("go", "/disk/etc/pki/tls/certs", 3, ""),
        ("git", bundle, 3, ""),
    ]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_go_reads_no_file_where_it_asks_the_system(machine: Machine, platform: str) -> None:
    machine.write(machine.root / "etc/ssl/cert.pem", PEM)
    found = read_roots(machine.world({"SSL_CERT_FILE": "/none.pem"}), (), platform)
    assert [(file.stack, file.count) for file in found] == [("git", 1)]


def test_variables_name_other_files_for_one_stack_each(machine: Machine) -> None:
    mine = machine.write(machine.home / "mine.pem", PEM)
    machine.write(machine.home / "dir/a.pem", PEM * 2)
    environ = {"SSL_CERT_FILE": str(mine), "SSL_CERT_DIR": f"{machine.home}/dir:{machine.home}/none"}
    assert roots(machine, environ)[:3] == [
        ("go", "/home/mine.pem", 1, "SSL_CERT_FILE"),
        ("go", "/home/dir", 2, "SSL_CERT_DIR"),
        ("go", "/home/none", 0, "SSL_CERT_DIR"),
    ]
    assert roots(machine, {"GIT_SSL_CAINFO": str(mine)})[1:] == [
        ("git", "/home/mine.pem", 1, "GIT_SSL_CAINFO")
    ]


def test_gits_own_settings_count_unless_the_variable_stands_in_for_them(machine: Machine) -> None:
    mine = machine.write(machine.home / "mine.pem", PEM)
    git = (
        b"global\0file:/c\0http.sslcainfo\n~/mine.pem\0"
        b"global\0file:/c\0http.https://code.example.org/.sslcainfo\n/none.pem\0"
        b"global\0file:/c\0http.https://x.example.org/.sslverify\nfalse\0"
    )
    seen = [item for item in roots(machine, {}, git) if item[0] == "git"]
    assert seen == [
        ("git", NOT_VERIFIED, 0, "http.https://x.example.org/.sslverify"),
        ("git", "/home/mine.pem", 1, "http.sslcainfo"),
        ("git", "/none.pem", 0, "http.https://code.example.org/.sslcainfo"),
    ]
    seen = [item for item in roots(machine, {"GIT_SSL_CAINFO": str(mine)}, git) if item[0] == "git"]
    assert [item[3] for item in seen] == [
        "http.https://x.example.org/.sslverify",
        "GIT_SSL_CAINFO",  # the variable beats the setting for one URL too
    ]


def test_a_machine_without_roots_says_so(machine: Machine) -> None:
    found = read_roots(machine.world({"GIT_SSL_NO_VERIFY": "1"}), ())
    assert [(file.stack, file.exists, file.origin) for file in found] == [
        ("go", False, ""),
        ("git", False, "GIT_SSL_NO_VERIFY"),
        ("git", False, ""),
    ]
