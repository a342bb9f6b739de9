"""`goferry deps gate` at a terminal, for programs, and with signed statements."""

import asyncio
import base64
import datetime
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from google.protobuf.json_format import ParseDict
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementProto
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError as DSSEVerificationError
from securesystemslib.signer import SSlibKey

from goferry.deps.advisories.database import shipped
from goferry.deps.gate.attest import private_key, public_key, sign, verify
from goferry.deps.gate.rules import RULES, Class, Policy
from goferry.deps.gate.run import Options, gate
from goferry.deps.supply import ProxySupply
from goferry.errors import InvalidInput, VerifyError
from goferry.gomod.dirhash import hash_go_mod
from modtree import module
from proxyworld import world, zip_hash
from sarifschema import uploadable
from terminal import Said, goferry

FILES = module("example.org/a", "v1.0.0")
TODAY = datetime.date(2026, 11, 29)


@dataclass(frozen=True)
class Place:
    """A module, and a store that has all that it takes."""

    folder: Path
    store: Path
    key: str

    def gate(self, *words: str, **environ: str) -> Said:
        arguments = ("--store", str(self.store), "--offline", "--sumdb", self.key, *words)
        return goferry(
            "deps", "gate", *arguments, cwd=self.folder, environ={"PATH": "/usr/bin:/bin", **environ}
        )

    def go_sum(self, change: Callable[[str], str]) -> None:
        file = self.folder / "go.sum"
        file.write_text(change(file.read_text()))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.net/m\n\ngo 1.22\n\nrequire example.org/a v1.0.0\n")
    (folder / "m.go").write_text('package m\n\nimport _ "example.org/a"\n')
    h1 = zip_hash(FILES["example.org/a/@v/v1.0.0.zip"])
    mod = hash_go_mod(FILES["example.org/a/@v/v1.0.0.mod"])
    (folder / "go.sum").write_text(f"example.org/a v1.0.0 {h1}\nexample.org/a v1.0.0/go.mod {mod}\n")

    async def fill() -> str:
        async with world(tmp_path / "store", FILES) as made:
            policy = Policy(Class.LIBRARY)
            wanted = Options(policy, lambda _: False, "sum.example.org", TODAY, shipped)
            assert (await gate(folder, ProxySupply(made.proxy), wanted)).verdict == "passed"
            return made.tree.log.verifier_key

    return Place(folder, tmp_path / "store", asyncio.run(fill()))


def test_a_gate_that_passes_says_so_in_one_line(place: Place) -> None:
    said = place.gate()
    assert (said.code, said.err) == (0, said.err)
    assert said.out.splitlines()[0] == "gate: example.net/m passed"
    assert "lines 2, log 2" in said.out


def test_a_failure_names_file_line_module_and_rule(place: Place) -> None:
    place.go_sum(lambda text: text.replace("h1:", "h1:AAAA", 1))
    said = place.gate()
    assert said.code == 1
    (line,) = [one for one in said.out.splitlines() if "[sum_mismatch]" in one]
    assert "go.sum:1: example.org/a@v1.0.0 has the hash h1:AAAA" in line


def test_one_run_prints_the_table_and_writes_every_form(place: Place) -> None:
    place.go_sum(lambda text: text.splitlines(keepends=True)[0])
    names = ("gate.json", "gate.sarif", "gate.xml")
    said = place.gate(*(word for name in names for word in ("-o", name)))
    assert (said.code, "[sum_missing]" in said.out) == (1, True)
    written = {name: (place.folder / name).read_text() for name in names}
    assert json.loads(written["gate.json"])["verdict"] == "failed"
    assert written["gate.sarif"] == place.gate("--sarif").out
    assert written["gate.xml"] == place.gate("--junit").out


def test_a_file_whose_ending_says_no_form_is_wrong_use_before_anything_is_proven(place: Place) -> None:
    said = place.gate("--output", "gate.html")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("goferry: --output gate.html: its ending says no form")
    assert said.err.splitlines()[1] == "  end it with one of .sarif.json .sarif .json .xml"


def test_what_was_proven_is_printed_even_if_it_cannot_be_written(place: Place) -> None:
    said = place.gate("-o", "missing/gate.json")
    assert (said.code, said.out.splitlines()[0]) == (2, "gate: example.net/m passed")
    assert "missing/gate.json" in said.err


def test_the_go_of_the_pipelines_counts_as_it_does_for_an_audit(place: Place) -> None:
    """The go command of 1.25.0 had flaws; the go line alone would not say that it is used."""
    (place.folder / ".gitlab-ci.yml").write_text("image: golang:1.25.0\n")
    said = place.gate()
    assert (said.code, ".gitlab-ci.yml:1" in said.out) == (1, True), said.out
    (place.folder / ".gitlab-ci.yml").write_text(
        "image: golang:1.25\n"
    )  # the newest of them, whichever that is
    said = place.gate("--notes")
    assert (said.code, ".gitlab-ci.yml:1" in said.out) == (0, True), said.out


def test_every_form_says_the_same(place: Place) -> None:
    place.go_sum(lambda text: text.splitlines(keepends=True)[0])
    found = place.gate("--json").json
    assert (found["schema"], found["verdict"], found["class"]) == ("goferry.gate/1", "failed", "service")
    assert set(found["rules"]) == {rule.name for rule in RULES}
    (problem,) = [one for one in found["problems"] if one["level"] == "on"]
    assert (problem["rule"], problem["state"], problem["file"]) == ("sum_missing", "failed", "go.sum")
    assert problem["module"] == {"path": "example.org/a", "version": "v1.0.0"}
    sarif = uploadable(place.gate("--sarif").out)
    assert [one["ruleId"] for one in sarif["runs"][0]["results"] if one["level"] == "error"] == [
        "sum_missing"
    ]
    suite = ET.fromstring(place.gate("--junit").out)[0]
    assert suite.attrib["failures"] == "1"


def test_what_is_not_in_the_store_cannot_be_proven(place: Place) -> None:
    assert place.gate("--store", str(place.store.parent / "empty")).code == 3


def test_rules_are_switched_by_flag_class_and_file(place: Place) -> None:
    place.go_sum(lambda text: text.splitlines(keepends=True)[0])
    assert place.gate("--rule", "sum_missing=warn").code == 0
    (place.folder / "goferry.toml").write_text(
        '[gate]\nclass = "internal"\n[gate.internal]\nsum_missing = "off"\n'
    )
    assert place.gate().code == 0
    assert place.gate("--class", "library").code == 1
    assert place.gate("--rule", "sum_missing=on").code == 1


def test_one_case_is_allowed_until_a_day(place: Place) -> None:
    with (place.folder / "go.mod").open("a") as file:
        file.write("\nreplace example.org/unused => ./unused\n")
    assert place.gate().code == 1
    allow = '[[gate.allow]]\nrule = "replace"\nmodule = "example.org/unused"\nreason = "moves next week"\nuntil = {}\n'
    (place.folder / "goferry.toml").write_text(allow.format("2099-01-01"))
    found = place.gate("--json").json
    assert found["verdict"] == "passed"
    (problem,) = [one for one in found["problems"] if one["rule"] == "replace"]
    assert problem["allowed"] == {"reason": "moves next week", "until": "2099-01-01"}
    (place.folder / "goferry.toml").write_text(allow.format("2020-01-01"))
    said = place.gate()
    assert said.code == 1
    assert "ran out on 2020-01-01; its reason was: moves next week" in said.out


@pytest.mark.parametrize(
    ("words", "toml", "named"),
    [
        (["--rule", "sums=on"], "", "sum_missing"),
        (["--rule", "tidy=maybe"], "", "on, warn, off"),
        (["--class", "toy"], "", "library"),
        (["--json", "--sarif"], "", "--sarif"),
        (["--attest", "a"], "", "GOFERRY_ATTEST_KEY"),
        (["--verify", "a"], "", "--key"),
        ([], "[gate]\nrulez = 1\n", "rulez"),
        ([], '[[gate.allow]]\nrule = "tidy"\n', "reason"),
        ([], '[[gate.allow]]\nrule = "sum_mismatch"\nmodule = "a"\nreason = "b"\nuntil = 2099-01-01\n', "proof"),
        ([], '[[gate.allow]]\nrule = "tidy"\nmodule = "a"\nreason = "b"\nuntil = "soon"\n', "2027-01-31"),
        ([], 'gate = 1\n', "gate"),
        (["nowhere"], "", "nowhere"),
    ],
)  # fmt: skip
def test_wrong_use_is_one_line_that_says_what_is_allowed(
    words: list[str], toml: str, named: str, place: Place
) -> None:
    (place.folder / "goferry.toml").write_text(toml)
    said = place.gate(*words)
    assert said.code == 2
    assert named in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("file", "code", "named"),
    [
        ("go.mod", 2, "go.mod:6: this is a merge conflict"),
        ("go.sum", 1, "go.sum:3: this line has 2 words, and must have three [sum_malformed]"),
        ("vendor/modules.txt", 1, "vendor/modules.txt:1: go does not understand this line [vendor_manifest]"),
    ],
)
def test_a_merge_conflict_is_named_by_its_line(file: str, code: int, named: str, place: Place) -> None:
    (place.folder / "vendor").mkdir()
    with (place.folder / file).open("a") as text:
        text.write("<<<<<<< ours\n=======\n>>>>>>> theirs\n")
    said = place.gate()
    assert (said.code, named in said.out + said.err) == (code, True), said.out + said.err


def test_a_line_of_modules_txt_that_go_passes_over_is_named(place: Place) -> None:
    (place.folder / "vendor").mkdir()
    (place.folder / "vendor/modules.txt").write_text("# example.org/a\n# example.org/a v1.0.0\n## explicit\n")
    said = place.gate()
    assert said.code == 1
    assert "vendor/modules.txt:1: go does not understand this line [vendor_manifest]" in said.out


# ---- statements ----------------------------------------------------------------------------------------

KEYS = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
}


def pair(tmp_path: Path, kind: str, lock: KeySerializationEncryption | None = None) -> tuple[Path, Path]:
    key = KEYS[kind]()
    private, public = tmp_path / f"{kind}.pem", tmp_path / f"{kind}.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock or NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.mark.parametrize("kind", KEYS)
def test_a_statement_is_signed_and_is_about_these_files(kind: str, place: Place, tmp_path: Path) -> None:
    private, public = pair(tmp_path, kind)
    file = tmp_path / "gate.json"
    assert place.gate("--attest", str(file), "--key", str(private)).code == 0
    said = place.gate("--verify", str(file), "--key", str(public))
    assert (said.code, said.out.partition(":")[0]) == (0, "passed"), said.err
    body = place.gate("--verify", str(file), "--key", str(public), "--json").json
    assert body["_type"] == "https://in-toto.io/Statement/v1"
    assert {one["name"] for one in body["subject"]} == {"go.mod", "go.sum"}
    assert body["predicate"]["outcome"]["proven"]["equal"]["log"] == 2
    _, stranger = pair(tmp_path, next(name for name in KEYS if name != kind))
    assert place.gate("--verify", str(file), "--key", str(stranger)).code == 1
    place.go_sum(lambda text: text + "\n")
    changed = place.gate("--verify", str(file), "--key", str(public))
    assert changed.code == 1
    assert "go.sum is not the file" in changed.err


@pytest.mark.parametrize("kind", KEYS)
def test_the_libraries_of_in_toto_and_dsse_verify_it_as_well(kind: str, place: Place, tmp_path: Path) -> None:
    private, public = pair(tmp_path, kind)
    file = tmp_path / "gate.json"
    assert place.gate("--attest", str(file), "--key", str(private)).code == 0
    envelope = Envelope.from_dict(json.loads(file.read_text()))
    (keyid,) = envelope.signatures
    key = SSlibKey.from_crypto(load_pem_public_key(public.read_bytes()), keyid)
    assert envelope.verify([key], 1) == {keyid: key}
    assert envelope.payload_type == "application/vnd.in-toto+json"
    statement = Statement.copy_from_pb(ParseDict(json.loads(envelope.payload), StatementProto()))
    statement.validate()
    envelope.payload = envelope.payload.replace(b"passed", b"failed")
    with pytest.raises(DSSEVerificationError):
        envelope.verify([key], 1)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_makes_the_keys_and_verifies_the_signature(place: Place, tmp_path: Path) -> None:
    """The commands of docs/*/deps-gate.md, and then the bytes that DSSE signs, put together by hand."""

    def openssl(*words: str) -> str:
        return subprocess.run(
            ["openssl", *words], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    openssl("genpkey", "-algorithm", "ed25519", "-out", "gate.pem")
    openssl("pkey", "-in", "gate.pem", "-pubout", "-out", "gate.pub")
    file = tmp_path / "gate.intoto.json"
    assert place.gate("--attest", str(file), "--key", str(tmp_path / "gate.pem")).code == 0
    envelope = json.loads(file.read_text())
    payload = base64.b64decode(envelope["payload"])
    signed = b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(payload), payload)
    (tmp_path / "signed").write_bytes(signed)
    (tmp_path / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    words = ("-pubin", "-inkey", "gate.pub", "-rawin", "-in", "signed", "-sigfile", "signature")
    assert "Signature Verified Successfully" in openssl("pkeyutl", "-verify", *words)


def test_the_key_may_come_from_the_environment_and_never_shows(place: Place, tmp_path: Path) -> None:
    private, public = pair(tmp_path, "ed25519", BestAvailableEncryption(b"hush"))
    text = private.read_text()
    file = tmp_path / "gate.json"
    environ = {"GOFERRY_ATTEST_KEY": text, "GOFERRY_ATTEST_PASSWORD": "hush"}
    assert place.gate("--attest", str(file), **environ).code == 0
    assert verify(file.read_bytes(), public_key(public.read_bytes()))["predicate"]["source"] is None
    wrong = place.gate("--attest", str(file), **environ | {"GOFERRY_ATTEST_PASSWORD": "loud"})
    assert wrong.code == 2
    secret = text.splitlines()[1]
    assert secret not in wrong.err + wrong.out + file.read_text()
    assert "loud" not in wrong.err


def test_nothing_is_signed_that_did_not_pass(place: Place, tmp_path: Path) -> None:
    private, _ = pair(tmp_path, "ed25519")
    place.go_sum(lambda text: text.splitlines(keepends=True)[0])
    said = place.gate("--attest", str(tmp_path / "gate.json"), "--key", str(private))
    assert said.code == 1
    assert not (tmp_path / "gate.json").exists()
    assert "no statement was written" in said.err


def test_a_statement_names_the_commit_only_when_nothing_is_changed(place: Place, tmp_path: Path) -> None:
    def git(*words: str) -> str:
        identity = ("-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false")
        return subprocess.run(
            ["git", *identity, *words], cwd=place.folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    head = git("rev-parse", "HEAD")
    private, public = pair(tmp_path, "ed25519")
    file = place.folder / "gate.json"
    options = ("--attest", str(file), "--key", str(private))
    assert place.gate(*options, "-o", "gate.sarif").code == 0
    (place.folder / "gate.sarif").unlink()
    body = verify(file.read_bytes(), public_key(public.read_bytes()))
    assert body["subject"][0] == {"name": "commit", "digest": {"gitCommit": head}}
    assert body["predicate"]["source"] == {"gitCommit": head, "dirty": False}
    checking = ("--verify", str(file), "--key", str(public))
    assert place.gate(*checking).code == 0
    (place.folder / "m.go").write_text("package m\n")
    said = place.gate(*checking)
    assert said.code == 1
    assert head in said.err
    git("checkout", "-q", "m.go")
    git("commit", "-q", "--allow-empty", "-m", "second")
    assert place.gate(*checking).code == 1
    (place.folder / "new.txt").write_text("x")
    assert place.gate(*options).code == 0
    body = verify(file.read_bytes(), public_key(public.read_bytes()))
    assert body["predicate"]["source"]["dirty"] is True
    assert body["subject"][0]["name"] != "commit"


def test_what_is_signed_is_the_encoding_of_the_dsse_protocol(tmp_path: Path) -> None:
    """The example of the protocol, with its key type: ECDSA over `DSSEv1 LENGTH TYPE LENGTH BODY`."""
    from goferry.deps.gate.attest import _encoded

    kind = b"application/vnd.in-toto+json"
    assert _encoded(b"hello world") == b"DSSEv1 28 " + kind + b" 11 hello world"


def test_what_is_no_statement_of_a_gate_is_refused(tmp_path: Path) -> None:
    private, public = pair(tmp_path, "ed25519")
    key, known = private_key(private.read_bytes()), public_key(public.read_bytes())
    with pytest.raises(InvalidInput):
        verify(b"{}", known)
    with pytest.raises(InvalidInput):
        verify(b"\x00", known)
    with pytest.raises(InvalidInput):
        verify(sign({"_type": "other", "predicateType": "x", "predicate": {}}, key).encode(), known)
    envelope = json.loads(sign({"a": 1}, key))
    envelope["payload"] = "e30="
    with pytest.raises(VerifyError):
        verify(json.dumps(envelope).encode(), known)


def test_keys_of_other_kinds_are_refused(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(InvalidInput, match="neither"):
        private_key(pem)
    with pytest.raises(InvalidInput, match="neither"):
        public_key(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(InvalidInput):
        private_key(b"secret words")
