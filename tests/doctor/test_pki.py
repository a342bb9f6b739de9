"""Chains are judged as the real crypto/x509 judges them, and what only lacks a link is told from the rest."""

import base64
import datetime
import json
import random
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import certifi
import pytest
from cryptography import x509

import oracle
from doctor.certmaker import ANY, CLIENT, NOW, SERVER, Made, Recipe, authority, make
from goferry.doctor import pki
from goferry.doctor.pki import Store, Wrong
from goferry.net.trust import pem_certificates
from sizes import size

HOST = "module.example"
ROOT = make(authority())
STRANGER = make(authority("Stranger"))
MIDDLE = make(authority("Middle"), ROOT)
LEAF = Recipe("leaf", names=(HOST,))

Case = tuple[Sequence[Made], Sequence[Made], str]
"""Chain, roots, host."""


def leaf(issuer: Made = ROOT, **changes: object) -> Made:
    return make(replace(LEAF, **changes), issuer)


def under(**changes: object) -> tuple[Made, Made]:
    """A leaf under an intermediate certificate with something odd."""
    middle = make(replace(authority("Odd"), **changes), ROOT)
    return leaf(middle), middle


def from_root(host: str = HOST, names: Sequence[str] = (HOST,), **changes: object) -> Case:
    return [leaf(names=names, **changes)], [ROOT], host


def below(host: str = HOST, **changes: object) -> Case:
    return under(**changes), [ROOT], host


OLD_ROOT = make(authority("Old root", ends=-2, starts=-9))
NEW_ROOT = make(authority("Old root"), key=OLD_ROOT.key)
CROSSED = make(authority("Stranger"), ROOT, key=STRANGER.key)
LIMITED_ROOT = make(authority("Limited", permitted=["example.net"]))
SELF_SIGNED = make(Recipe("self", names=(HOST,)))
BARE_ROOT = make(Recipe("Bare root"))
LOWEST = make(authority("None below", path_length=0), ROOT)
TOO_LOW = make(authority("Low"), LOWEST)


def kept(name: str) -> list[Made]:
    """Certificates of a file beside this test; their keys are not kept."""
    data = Path(__file__).with_name("testdata").joinpath(name).read_bytes()
    return [Made(certificate, ROOT.key) for certificate in pki.read(pem_certificates(data))]


WEAK_LEAF, WEAK_ROOT = kept("sha1.pem")

CASES: dict[str, tuple[Wrong, Case]] = {
    "from a root": (Wrong.NOTHING, from_root()),
    "through an intermediate": (Wrong.NOTHING, below()),
    "with the root presented too": (Wrong.NOTHING, ([leaf(MIDDLE), MIDDLE, ROOT], [ROOT], HOST)),
    "in the wrong order": (Wrong.NOTHING, ([leaf(MIDDLE), ROOT, MIDDLE], [ROOT], HOST)),
    "intermediate in the store": (Wrong.NOTHING, ([leaf(MIDDLE)], [MIDDLE], HOST)),
    "leaf in the store": (Wrong.NOTHING, ([SELF_SIGNED], [SELF_SIGNED], HOST)),
    "cross-signed root": (Wrong.NOTHING, ([leaf(STRANGER), CROSSED], [ROOT], HOST)),
    "cross-signed root, both known": (Wrong.NOTHING, ([leaf(STRANGER), CROSSED], [ROOT, STRANGER], HOST)),
    "old root beside its new form": (Wrong.NOTHING, ([leaf(OLD_ROOT)], [OLD_ROOT, NEW_ROOT], HOST)),
    "self-signed": (Wrong.UNKNOWN_AUTHORITY, ([SELF_SIGNED], [ROOT], HOST)),
    "stranger": (Wrong.UNKNOWN_AUTHORITY, ([leaf(STRANGER), STRANGER], [ROOT], HOST)),
    "no store": (Wrong.UNKNOWN_AUTHORITY, ([leaf()], [], HOST)),
    "intermediate missing": (Wrong.UNKNOWN_AUTHORITY, ([leaf(MIDDLE)], [ROOT], HOST)),
    "same name, other key": (
        Wrong.UNKNOWN_AUTHORITY,
        ([leaf(make(authority()))], [ROOT], HOST),
    ),
    "expired": (Wrong.EXPIRED, from_root(starts=-9, ends=-1)),
    "not yet valid": (Wrong.NOT_YET_VALID, from_root(starts=1)),
    "expired and stranger": (Wrong.EXPIRED, ([leaf(STRANGER, starts=-9, ends=-1)], [ROOT], HOST)),
    "expired and wrong host": (Wrong.EXPIRED, from_root("other.example", starts=-9, ends=-1)),
    "wrong host and stranger": (Wrong.WRONG_HOST, ([leaf(STRANGER)], [ROOT], "other.example")),
    "expired intermediate": (Wrong.EXPIRED, below(starts=-9, ends=-1)),
    "intermediate not yet valid": (Wrong.NOT_YET_VALID, below(starts=1)),
    "expired root": (Wrong.EXPIRED, ([leaf(OLD_ROOT)], [OLD_ROOT], HOST)),
    "no names at all": (Wrong.WRONG_HOST, from_root(names=(), name=HOST)),
    "common name does not count": (Wrong.WRONG_HOST, from_root(names=("a.example",), name=HOST)),
    "upper case": (Wrong.NOTHING, from_root("MODULE.Example")),
    "final dot": (Wrong.NOTHING, from_root("module.example.")),
    "wildcard": (Wrong.NOTHING, from_root(names=("*.example",))),
    "wildcard for one label only": (Wrong.WRONG_HOST, from_root("a.module.example", names=("*.example",))),
    "wildcard is not the domain itself": (Wrong.WRONG_HOST, from_root("example", names=("*.example",))),
    "wildcard within a label": (Wrong.WRONG_HOST, from_root(names=("mod*.example",))),
    "wildcard in the middle": (Wrong.WRONG_HOST, from_root("a.b.example", names=("a.*.example",))),
    "lone wildcard": (Wrong.WRONG_HOST, from_root("example", names=("*",))),
    "underscore": (Wrong.NOTHING, from_root("my_host.example", names=("my_host.example",))),
    "address": (Wrong.NOTHING, from_root("192.0.2.1", names=("192.0.2.1",))),
    "address in brackets": (Wrong.NOTHING, from_root("[2001:db8::1]", names=("2001:db8::1",))),
    "address as a DNS name": (Wrong.WRONG_HOST, from_root("192.0.2.1", names=("*.0.2.1", HOST))),
    "other address": (Wrong.WRONG_HOST, from_root("192.0.2.2", names=("192.0.2.1",))),
    "leaf for servers": (Wrong.NOTHING, from_root(uses=(SERVER,))),
    "leaf for anything": (Wrong.NOTHING, from_root(uses=(ANY,))),
    "leaf for clients": (Wrong.NOT_ALLOWED, from_root(uses=(CLIENT,))),
    "leaf that calls itself an authority": (Wrong.NOTHING, from_root(ca=True)),
    "leaf with an unknown critical extension": (Wrong.NOT_ALLOWED, from_root(critical=True)),
    "intermediate for clients": (Wrong.NOT_ALLOWED, below(uses=(CLIENT,))),
    "intermediate that is none": (Wrong.UNKNOWN_AUTHORITY, below(ca=False)),
    "intermediate without basic constraints": (Wrong.UNKNOWN_AUTHORITY, below(ca=None)),
    "intermediate that may not sign": (Wrong.UNKNOWN_AUTHORITY, below(key_usage=False)),
    "intermediate that says nothing of signing": (Wrong.NOTHING, below(key_usage=None)),
    "intermediate with an unknown critical extension": (Wrong.NOT_ALLOWED, below(critical=True)),
    "root without basic constraints": (Wrong.UNKNOWN_AUTHORITY, ([leaf(BARE_ROOT)], [BARE_ROOT], HOST)),
    "weak signature": (Wrong.UNKNOWN_AUTHORITY, ([WEAK_LEAF], [WEAK_ROOT], HOST)),
    "path length kept": (Wrong.NOTHING, below(path_length=0)),
    "path length exceeded": (Wrong.NOT_ALLOWED, ([leaf(TOO_LOW), TOO_LOW, LOWEST], [ROOT], HOST)),
    "permitted domain": (Wrong.NOTHING, below(permitted=["example"])),
    "other domain permitted": (Wrong.NOT_ALLOWED, below(permitted=["example.net"])),
    "excluded domain": (Wrong.NOT_ALLOWED, below(excluded=["module.example"])),
    "excluded subdomain": (Wrong.NOTHING, below(excluded=["a.module.example"])),
    "only addresses limited": (Wrong.NOTHING, below(permitted=["10.0.0.0/8"])),
    "root limited to other domains": (Wrong.NOT_ALLOWED, ([leaf(LIMITED_ROOT)], [LIMITED_ROOT], HOST)),
}  # fmt: skip


def ours(chain: Sequence[Made], roots: Sequence[Made], host: str, at: datetime.datetime = NOW) -> Wrong:
    store = Store.of(root.der for root in roots)
    return pki.verify(pki.read_chain([made.der for made in chain]), host, store, at)


@pytest.mark.parametrize("name", CASES)
def test_a_chain_is_refused_for_the_reason_that_go_gives(name: str) -> None:
    wrong, case = CASES[name]
    assert ours(*case) == wrong


# ---- the real crypto/x509 ----------------------------------------------------------------------------------

Ask = Callable[[Sequence[Case]], list[str]]


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    if oracle.go_command() is None:
        pytest.skip("needs the go command")
    program = tmp_path_factory.mktemp("x509") / "x509verify"
    source = Path(__file__).parent / "oracle/x509verify.go"
    subprocess.run(["go", "build", "-o", program, source], env=oracle.go_env(), check=True)

    def ask(cases: Sequence[Case]) -> list[str]:
        run = subprocess.run(
            [program], input="\n".join(map(_question, cases)), capture_output=True, text=True, check=True
        )
        return ["" if word == "trusted" else word for word in run.stdout.split()]

    return ask


def _question(case: Case) -> str:
    chain, roots, host = case
    return json.dumps(
        {
            "Chain": [base64.b64encode(made.der).decode() for made in chain],
            "Roots": [base64.b64encode(made.der).decode() for made in roots],
            "Host": host,
            "At": int(NOW.timestamp()),
        }
    )


@pytest.mark.go
def test_go_itself_gives_these_reasons(go: Ask) -> None:
    answers = go([case for _, case in CASES.values()])
    assert dict(zip(CASES, answers, strict=True)) == {name: str(wrong) for name, (wrong, _) in CASES.items()}


def _odd(dice: random.Random) -> dict[str, object]:
    """Up to two odd things for an authority."""
    oddities: list[dict[str, object]] = [
        {"ca": False}, {"ca": None}, {"key_usage": None}, {"key_usage": False},
        {"uses": (CLIENT,)}, {"uses": (SERVER,)}, {"uses": (ANY, CLIENT)},
        {"starts": 1, "ends": 9}, {"starts": -9, "ends": -1}, {"path_length": 0}, {"path_length": 1},
        {"critical": True},
        {"permitted": ["example"]}, {"permitted": ["other.example"]}, {"permitted": ["10.0.0.0/8"]},
        {"excluded": ["example"]},
    ]  # fmt: skip
    found: dict[str, object] = {}
    for oddity in dice.sample(oddities, dice.choice((0, 0, 0, 1, 1, 2))):
        found |= oddity
    return found


def _names(dice: random.Random) -> tuple[str, ...]:
    return dice.choice(((HOST,), ("*.example", "192.0.2.1"), ("x.example", HOST), (), ("other.example",)))


def _random_cases(count: int) -> Iterator[Case]:
    """Small worlds of authorities that sign each other at random; some of them known, some presented."""
    dice = random.Random(20260601)
    for _ in range(count):
        made = [make(authority(f"A{dice.randrange(3)}", **_odd(dice))) for _ in range(2)]
        for _ in range(dice.randrange(4)):
            key = dice.choice((None, None, dice.choice(made).key))
            made.append(make(authority(f"A{dice.randrange(5)}", **_odd(dice)), dice.choice(made), key))
        changes = {name: value for name, value in _odd(dice).items() if name not in ("permitted", "excluded")}
        end = make(replace(LEAF, names=_names(dice), **changes), dice.choice(made))
        roots = dice.sample(made, dice.randrange(1, 3))
        presented = dice.sample(made, dice.randrange(len(made) + 1))
        yield [end, *presented], roots, dice.choice((HOST, HOST, HOST, "192.0.2.1"))


@pytest.mark.go
def test_go_and_goferry_agree_on_chains_made_at_random(go: Ask) -> None:
    cases = list(_random_cases(size(400, 20_000)))
    answers = go(cases)
    differing = [
        (place, theirs, str(mine))
        for place, (case, theirs) in enumerate(zip(cases, answers, strict=True))
        if theirs != (mine := ours(*case))
    ]
    assert not differing
    assert {"", "unknown_authority", "expired", "wrong_host", "not_allowed"} <= set(answers)


# ---- odd input ---------------------------------------------------------------------------------------------


def test_what_is_no_certificate_is_left_out_and_a_leaf_like_that_is_not_allowed() -> None:
    assert len(Store.of([b"", b"\x30\x03abc", ROOT.der, ROOT.der])) == 1
    assert pki.read_chain([b"nonsense", ROOT.der]) == ()
    assert pki.verify((), HOST, Store.of([ROOT.der]), NOW) is Wrong.NOT_ALLOWED


def test_authorities_that_sign_each_other_in_a_circle_come_to_an_end() -> None:
    one, two = make(authority("One")), make(authority("Two"))
    circle = [make(authority("One"), two, one.key), make(authority("Two"), one, two.key)]
    assert ours([leaf(one), *circle], [ROOT], HOST) is Wrong.UNKNOWN_AUTHORITY


def test_the_shipped_public_roots_can_all_be_read() -> None:
    ders = list(pem_certificates(Path(certifi.where()).read_bytes()))
    assert len(Store.of(ders)) == len(ders) > 100


# ---- a link that is missing --------------------------------------------------------------------------------

LIVING = make(authority("Lab root", organization="Lab Trust"))
LIVING_MIDDLE = make(authority("Lab issuing", organization="Lab Trust"), LIVING)
FIREWALL = make(authority("Example Firewall CA", organization="Example Corp"))


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        pytest.param([leaf(LIVING_MIDDLE)], True, id="the missing issuer's organization has a root"),
        pytest.param([leaf(STRANGER, is_logged=True)], True, id="the leaf is in the public logs"),
        pytest.param([leaf(FIREWALL)], False, id="nothing is known of the missing issuer"),
        pytest.param(
            [leaf(FIREWALL, is_logged=True), FIREWALL], False, id="it ends in a self-signed certificate"
        ),
        pytest.param([SELF_SIGNED], False, id="the leaf is self-signed"),
        pytest.param([], False, id="nothing was presented"),
    ],
)
def test_an_incomplete_chain_is_told_from_an_unknown_authority(chain: Sequence[Made], expected: bool) -> None:
    certificates = pki.read_chain([made.der for made in chain])
    assert pki.is_incomplete(certificates, [Store.of([LIVING.der])]) is expected


def test_names_are_those_of_the_alternative_names_alone() -> None:
    assert pki.names(leaf(names=("b.example", "192.0.2.1")).certificate) == ("b.example", "192.0.2.1")
    assert pki.names(leaf(names=(), name=HOST).certificate) == ()
    assert isinstance(ROOT.certificate, x509.Certificate)
    assert pki.is_authority(ROOT.certificate)
    assert not pki.is_authority(leaf().certificate)
