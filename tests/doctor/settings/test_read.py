"""Everything together: a machine full of secrets, a bare one, and one where nothing can be read."""

from pathlib import Path

from goferry import i18n
from goferry.doctor import codec
from goferry.doctor.base import Places, World
from goferry.doctor.evidence import Evidence
from goferry.doctor.probes.gosettings import read_go_settings
from goferry.doctor.settings import read_settings
from settingsworld import Machine

SECRET = "pl4nted-s3cret"


def full(machine: Machine) -> World:
    machine.install_go(f"GOPROXY=https://me:{SECRET}@mirror.example.org,direct\nGOSUMDB=sum.golang.org\n")
    machine.install_git()
    machine.write(
        machine.home / ".config/go/env", f"GOAUTH=helper --key {SECRET}\nHTTPS_PROXY=http://a:{SECRET}@p:1\n"
    )
    machine.write(machine.home / ".netrc", f"machine code.example.org login me password {SECRET}\n")
    machine.write(
        machine.home / ".gitconfig",
        f'[url "https://{SECRET}@code.example.org/"]\ninsteadOf = https://code.example.org/\n'
        f"[http]\nextraHeader = Authorization: Bearer {SECRET}\nproxy = http://me:{SECRET}@p:1\n"
        f'[credential]\nhelper = "!echo {SECRET}"\n'
        f'[includeIf "gitdir:/w/"]\npath = {machine.home}/inc\n',
    )
    machine.write(
        machine.home / "inc", f'[url "https://{SECRET}@b.example.org/"]\ninsteadOf = https://b.example.org/\n'
    )
    machine.write(machine.home / ".bashrc", f"export HTTPS_PROXY=http://me:{SECRET}@p:1\n")
    machine.write(machine.cwd / "Dockerfile", f"ENV GOPROXY=https://{SECRET}@mirror.example.org\n")
    machine.write(
        machine.cwd / "go.mod",
        "module corp.example/app\n\ngo 1.24\n\ntoolchain go1.24.3\n\nrequire rsc.io/quote v1.5.2\n",
    )
    machine.write(machine.root / "etc/resolv.conf", "nameserver 192.0.2.53\n")
    machine.write(machine.root / "etc/hosts", "192.0.2.7 mirror.example.org\n")
    machine.write(machine.root / "etc/nsswitch.conf", "hosts: files dns\n")
    return machine.world(
        {
            "HTTPS_PROXY": f"http://me:{SECRET}@p.corp:3128",
            "http_proxy": f"http://me:{SECRET}/x@p.corp:3128",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.https://e/.extraheader",
            "GIT_CONFIG_VALUE_0": f"X-Token: {SECRET}",
        }
    )


def test_a_whole_machine_is_read_and_no_secret_is_kept(machine: Machine) -> None:
    seen, context, skipped = read_settings(full(machine))
    saved = codec.to_bytes(Evidence(settings=seen, context=context, skipped=skipped))
    assert SECRET.encode() not in saved
    assert codec.from_bytes(saved, place="x").settings == seen
    assert seen.go_version == "go1.99.1"
    assert (seen.main_module, seen.go_line, seen.toolchain_line) == ("corp.example/app", "1.24", "go1.24.3")
    assert seen.requires == ("rsc.io/quote@v1.5.2",)
    assert seen.resolv.servers == ("192.0.2.53:53",)
    assert seen.hosts[0].names == ("mirror.example.org",)
    assert seen.value("GOPROXY") == "https://xxxxx@mirror.example.org,direct"
    assert {(item.stack, item.proxy) for item in seen.proxying} == {
        ("go", "http://p.corp:3128"),
        ("git", "http://p:1"),
    }
    assert "rsc.io" in {item.host for item in seen.proxying}
    assert {item.origin.split()[0] for item in seen.elsewhere} == {"go", "shell", "docker", "includeIf"}
    assert skipped == ()


def test_the_values_for_asking_a_mirror_have_their_secrets(machine: Machine) -> None:
    world = full(machine)
    seen, _context, _skipped = read_settings(world)
    assert SECRET in read_go_settings(world, seen).value("GOPROXY")


def test_a_bare_machine_is_no_error_and_says_what_is_missing(machine: Machine) -> None:
    seen, context, skipped = read_settings(machine.world())
    assert [item.what for item in skipped] == ["go", "git"]
    assert seen.value("GOSUMDB") == ""
    assert not seen.resolv.exists
    assert seen.tools["git"] == ""
    assert context.home == str(machine.home)


def test_folders_in_place_of_files_are_no_error(tmp_path: Path) -> None:
    for name in (
        "hosts",
        "resolv",
        "nss",
        "home/.gitconfig",
        "home/.netrc",
        "home/.config/go/env",
        "work/go.mod",
    ):
        (tmp_path / name).mkdir(parents=True)
    places = Places(tmp_path / "resolv", tmp_path / "hosts", tmp_path / "nss", tmp_path / "root")
    seen, _context, _skipped = read_settings(World({}, tmp_path / "work", tmp_path / "home", places))
    assert (seen.hosts, seen.netrc, seen.main_module) == ((), (), "")


def test_a_broken_go_mod_is_told_and_its_module_still_known(machine: Machine) -> None:
    machine.write(machine.cwd / "go.mod", "module corp.example/app\n\nrequire (\n")
    (machine.cwd / "sub").mkdir()
    seen, _context, skipped = read_settings(machine.world())
    assert seen.main_module == "corp.example/app"
    assert "go.mod" in [item.what for item in skipped]


def test_what_is_kept_of_a_broken_go_mod_is_english_in_every_language(machine: Machine) -> None:
    machine.write(machine.cwd / "go.mod", "module corp.example/app\n\nrequire (\n")
    i18n.activate("zh_CN")
    try:
        _seen, _context, skipped = read_settings(machine.world())
    finally:
        i18n.activate("en")
    (why,) = [item.why.english for item in skipped if item.what == "go.mod"]
    assert why.partition(": ")[2].startswith("syntax error (unterminated block started at ")


def test_places_that_cannot_even_be_named_are_no_error(tmp_path: Path) -> None:
    """An overlong name fails as a forbidden folder does, for every user: with an error instead of "no"."""
    nowhere = tmp_path / ("x" * 300)
    places = Places(nowhere / "resolv", nowhere / "hosts", nowhere / "nss", nowhere)
    environ = {
        "HOME": str(nowhere),
        "GOROOT": str(nowhere),
        "NETRC": str(nowhere),
        "SSL_CERT_FILE": str(nowhere),
    }
    seen, context, _skipped = read_settings(World(environ, nowhere, nowhere, places))
    assert not seen.resolv.exists
    assert context.has_default_route is None
    assert {folder.failure for folder in seen.folders if folder.name != "GOTMPDIR"} == {"io"}
