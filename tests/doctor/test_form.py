"""A diagnosis as JSON, as a picture and as text."""

import html
import json
from dataclasses import replace

import pytest

from goferry import i18n
from goferry.doctor.causes import CANNOT_TELL
from goferry.doctor.compare import compare
from goferry.doctor.evidence import (
    AnswerSeen,
    DialSeen,
    Evidence,
    HandshakeSeen,
    NameSeen,
    Proxying,
    ResolvConf,
    Role,
    RunSeen,
    Setting,
    SettingsSeen,
    Skipped,
    Target,
)
from goferry.doctor.fixes.plan import Plan, Tried
from goferry.doctor.form import Diagnosis
from goferry.doctor.picture import State, picture
from goferry.doctor.reach import reach
from goferry.doctor.terminal import render
from goferry.doctor.verdict import Certainty, Judgement, Proof, Verdict
from goferry.findings import Text
from goferry.report import FORMS
from goferry.report import render as render_report
from jsonpage import differences

HOST = "proxy.example.org"

SEEN = Evidence(
    seconds=2.5,
    settings=SettingsSeen(
        go=(Setting("GOPROXY", f"https://{HOST},direct", "environment"),),
        resolv=ResolvConf(exists=True, servers=("192.0.2.53:53",)),
        proxying=(Proxying("go", f"https://{HOST}/", HOST, "http://fw.example.com:3128", "HTTPS_PROXY"),),
    ),
    targets=(
        Target(HOST, 443, "https", Role.GOPROXY, entry=0),
        Target("sum.golang.org", 443, "https", Role.SUMDB),
        Target("git.example.com", 443, "https", Role.CODE_HOST),
    ),
    names=(NameSeen(HOST, "go", addresses=("203.0.113.1", "2001:db8::1"), seconds=0.01),),
    dials=(
        DialSeen(HOST, "203.0.113.1", 443, 0.02),
        DialSeen(HOST, "2001:db8::1", 443, 5.0, "connect_timeout"),
    ),
    handshakes=(HandshakeSeen(HOST, "203.0.113.1", 443, HOST, "go", 0.03, wrong="expired"),),
    answers=(AnswerSeen(f"https://{HOST}/m/@v/list", "list", 0, 502, seconds=0.1),),
    runs=(RunSeen("go", ("go",), 1, 3.0, "go: m@v1: reading: 502\n"),),
)


def judgement(step: str, where: str = f"{HOST}:443", *, proven: bool = True) -> Judgement:
    proof = Proof(Text("this way it fails"), Text("that way it works"), Text("the way"))
    return Judgement(
        "R32",
        "goproxy_server_5xx",
        Certainty.CERTAIN if proven else Certainty.LIKELY,
        where,
        step,
        Text("it said {n}", n=502),
        proof if proven else None,
    )


def diagnosis(*judgements: Judgement) -> Diagnosis:
    plan = Plan(
        "set_goproxy", "goproxy_server_5xx", Text("take another mirror"), ("export GOPROXY=direct",),
        changed={"GOPROXY": "direct"},
    )  # fmt: skip
    verdict = (
        Verdict(judgements[0].cause, judgements[0].certainty, ("goproxy_server_5xx",)) if judgements else None
    )
    return Diagnosis(SEEN, judgements, tuple((Tried(plan, True, 1.0),) for _ in judgements), verdict)


def test_the_json_of_a_fault_has_the_promised_keys() -> None:
    data = json.loads(json.dumps(diagnosis(judgement("request")).to_json()))
    assert data["verdict"] == {
        "cause": "goproxy_server_5xx", "certainty": "certain", "candidates": ["goproxy_server_5xx"],
    }  # fmt: skip
    (finding,) = data["findings"]
    assert finding.keys() >= {"cause", "certainty", "proven", "where", "whose", "fixes"}
    assert (finding["proven"], finding["whose"], finding["where"]) == (True, "mirror", f"{HOST}:443")
    assert finding["fixes"][0]["commands"] == ["export GOPROXY=direct"]
    assert finding["fixes"][0]["retested"] is True


def test_the_page_describes_every_key() -> None:
    skipped = replace(SEEN, skipped=(Skipped("go", Text("not there")),))
    before = replace(SEEN, names=())
    seen = replace(diagnosis(judgement("request")), evidence=skipped, changes=compare(before, SEEN))
    assert differences("doctor", json.loads(json.dumps(seen.to_json()))) == []


def test_what_was_not_looked_at_is_english_in_json_and_in_the_readers_language_on_the_screen() -> None:
    why = Text("there is no git on PATH")
    seen = replace(
        diagnosis(),
        evidence=replace(SEEN, skipped=(Skipped("asking repositories", why), Skipped("git", why))),
    )
    i18n.activate("zh_CN")
    try:
        text, data = render(seen), seen.to_json()
    finally:
        i18n.activate("en")
    lines = [line for line in text.splitlines() if "PATH 中没有 git" in line]
    assert [line.rpartition("：")[0] for line in lines] == ["  未检查：询问代码仓库", "  未检查：git"]
    assert [row["what"] for row in data["skipped"]] == ["asking repositories", "git"]
    assert {row["why"] for row in data["skipped"]} == {"there is no git on PATH"}


def test_a_sound_environment_has_no_verdict_and_no_findings() -> None:
    data = diagnosis().to_json()
    assert (data["verdict"], data["findings"]) == (None, [])


@pytest.mark.parametrize(
    ("step", "where", "broken"),
    [
        ("settings", "GOPROXY", "machine"),
        ("resolve", HOST, "resolver"),
        ("proxy_connect", "fw.example.com:3128", "forward_proxy"),
        ("tls", f"{HOST}:443", "mirror"),
        ("connect", "git.example.com:443", "origin"),
        ("storage", "storage.example.com", "storage"),
        ("sumdb", "sum.golang.org", "sumdb"),
    ],
)
def test_the_picture_breaks_where_the_judgement_says(step: str, where: str, broken: str) -> None:
    links = picture(SEEN, [judgement(step, where)])
    assert [link.station.value for link in links if link.state is State.BROKEN] == [broken]
    states = [link.state for link in links]
    assert states == sorted(states, key=[State.PASSED, State.BROKEN, State.NOT_REACHED].index)


def test_the_picture_of_a_sound_way_is_whole() -> None:
    assert {link.state for link in picture(SEEN, [])} == {State.PASSED}


def test_the_table_of_hosts_has_each_step_and_family() -> None:
    row = reach(SEEN)[0].to_json()
    assert [row[step]["ok"] for step in ("name", "tcp4", "tcp6", "tls", "http")] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert row["via"] == "http://fw.example.com:3128"
    assert reach(SEEN)[1].http.ok is None


def test_people_read_verdict_proof_fix_and_table() -> None:
    text = render(diagnosis(judgement("request")))
    for words in ("goproxy_server_5xx (certain)", "it said 502", "✗ this way it fails", "✓ that way it works",
                  "take another mirror", "export GOPROXY=direct", "──✗ mirror proxy.example.org", "3.0 s"):  # fmt: skip
        assert words in text
    assert "not proven" in render(diagnosis(judgement("request", proven=False)))
    assert render(diagnosis()).startswith("✓ sound")


def test_not_knowing_is_said() -> None:
    unknown = Diagnosis(SEEN, (), (), Verdict(CANNOT_TELL, Certainty.POSSIBLE))
    assert "could not tell" in render(unknown)


@pytest.mark.parametrize("form", FORMS)
def test_a_diagnosis_has_every_form_of_a_report(form: str) -> None:
    found = judgement("request")
    assert found.proof is not None
    shown = html.unescape(render_report(form, diagnosis(found).to_report()))
    for part in (
        "goproxy_server_5xx",
        found.certainty.value,
        found.detail,
        found.proof.failing,
        found.proof.passing,
    ):
        assert str(part) in shown


def test_what_changed_is_who_answers_and_how_and_not_how_fast() -> None:
    from dataclasses import replace

    slower = replace(SEEN, seconds=9.0, names=tuple(replace(name, seconds=3.0) for name in SEEN.names))
    assert compare(SEEN, slower) == ()
    worse = replace(
        SEEN,
        settings=replace(SEEN.settings, go=(Setting("GOPROXY", "direct", "environment"),)),
        answers=(replace(SEEN.answers[0], status=200),),
    )
    assert [(change.subject, change.before, change.after) for change in compare(SEEN, worse)] == [
        ("GOPROXY", f"https://{HOST},direct", "direct"),
        (f"list https://{HOST}/m/@v/list", "502", "200"),
    ]
