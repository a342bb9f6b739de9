"""Every kind of receiver against a server that checks what it gets, and what the driver does when the answer is no."""

import asyncio
import json
import logging
import re
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deps.audits import APP, audit, day, flaw, stale, unproven
from deps.notices import COMMIT, TABLES, Driver, driving, environ_for, receivers_for
from deps.receivers import SECRETS, Receivers, refuse, say
from goferry.deps.audit.records import to_json
from goferry.deps.kept import Kept
from goferry.deps.notify import dingtalk, feishu, webhook
from goferry.deps.notify.send import Patience, preview
from goferry.deps.notify.services import SERVICES
from goferry.errors import GoferryError
from goferry.findings import Severity, Text
from net.web import answer

FIRST = audit(flaw(), flaw("GO-2026-0002", owner="@web", project="example.com/web"), stale())
HOSTILE = "<!channel> <@U012345> @all @here <at id=all></at> [x](http://evil.example) `a` *b* ](http://evil.example)"


@pytest.fixture
async def those() -> AsyncIterator[Receivers]:
    async with Receivers() as server:
        yield server


@pytest.fixture
async def driver(those: Receivers, tmp_path: Path) -> AsyncIterator[Driver]:
    async with driving(tmp_path, those.url) as made:
        yield made


def many(count: int) -> list[Any]:
    """Findings of many owners and projects, with long and wide texts."""
    return [
        flaw(
            f"GO-2026-{number:04}",
            project=f"example.com/project{number % 40}",
            owner=f"@team{number % 60}",
            module=f"example.com/some/module{number}",
            summary=f"很长的说明 {number} " * 12,
            severity=(Severity.ERROR, Severity.WARNING, Severity.INFO)[number % 3],
        )
        for number in range(count)
    ]


# ---- what each kind takes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("lang", ["", "zh_CN"])
async def test_the_receiver_takes_the_notice(driver: Driver, those: Receivers, name: str, lang: str) -> None:
    extra = f'lang = "{lang}"\n' if lang and "lang" not in TABLES[name] else ""
    (outcome,) = await driver.tell(FIRST, name, extra=extra)
    assert (outcome.state, outcome.news, outcome.failure) == ("sent", 3, None)
    assert those.taken


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("count", [60, 1000])
async def test_the_limits_hold_with_any_number_of_findings(
    driver: Driver, those: Receivers, name: str, count: int
) -> None:
    (outcome,) = await driver.tell(audit(*many(count)), name)
    assert (outcome.state, outcome.failure) == ("sent", None)
    if name != "webhook" and (count > 100 or "github" not in name):
        assert re.search(r"and \d+ more|还有 \d+ 条", "".join(r.body.decode() for r in those.taken))


@pytest.mark.parametrize("name", TABLES)
async def test_what_others_wrote_calls_nobody_and_links_nowhere(
    driver: Driver, those: Receivers, name: str
) -> None:
    bad = replace(flaw(summary=HOSTILE, aliases=(HOSTILE,)), module=HOSTILE, owner=HOSTILE, project=HOSTILE)
    bad = replace(bad, message=Text("{text}", text=HOSTILE))
    (outcome,) = await driver.tell(audit(bad), name)
    assert outcome.state == "sent"
    if name == "webhook":  # JSON for programs: as it is
        return
    written = "\n".join(text for body in those.messages for text in strings(body))
    called = {"dingtalk": r"@(all|here)", "github": r"@(all|here)"}.get(name.split("-")[0], "<!channel>")
    links = "<http://evil" if name.startswith("slack") else r"(?<!\\)\]\(http://evil"
    assert re.findall(rf"{called}|<!channel>|<@U|<at id=all>|{links}", written) == []


def strings(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(each)


async def test_slack_with_a_token_gives_the_details_in_the_thread(driver: Driver, those: Receivers) -> None:
    await driver.tell(FIRST, "slack-bot")
    first, details = those.messages
    assert "thread_ts" not in first
    assert details["thread_ts"] == "1800000000.000100"
    assert "<@U012345>" in json.dumps(first)
    assert "GO-2026-0001" in json.dumps(details)
    assert driver.pauses == [1.1]


async def test_slack_keeps_the_number_of_replies_small(driver: Driver, those: Receivers) -> None:
    await driver.tell(audit(*many(1000)), "slack-bot")
    assert len(those.messages) == 11


async def test_slack_through_a_webhook_says_it_all_at_once(driver: Driver, those: Receivers) -> None:
    await driver.tell(FIRST, "slack")
    (message,) = those.messages
    texts = [block["text"]["text"] for block in message["blocks"] if block["type"] == "section"]
    assert texts[0] == "*<!subteam^S012345>*"
    assert "<https://osv.dev/vulnerability/GO-2026-0001|GO-2026-0001 (CVE-2026-1000)>" in texts[1]
    assert "fixed in v1.0.1" in texts[1]
    assert "example.com/flawed v1.0.0 in example.com/app" in texts[1]
    assert "example.com/app → example.com/middle → example.com/flawed" in texts[1]


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("teams", "ada@example.com"),
        ("feishu", "<at id=ou_0123></at>"),
        ("dingtalk", "@13800000000"),
        ("wecom", "<@ada>"),
    ],
)
async def test_owners_are_called(driver: Driver, those: Receivers, name: str, called: str) -> None:
    await driver.tell(FIRST, name)
    assert called in json.dumps(those.messages, ensure_ascii=False)


async def test_the_language_is_the_receivers(driver: Driver, those: Receivers) -> None:
    await driver.tell(FIRST, "wecom", "dingtalk")
    english, chinese = sorted(m["markdown"].get("content") or m["markdown"]["text"] for m in those.messages)
    assert "goferry: 3 new findings in the dependencies of 2 projects" in english
    assert "依赖中有 3 个新发现" in chinese


async def test_a_webhook_gets_the_findings_as_the_audit_has_them(driver: Driver, those: Receivers) -> None:
    await driver.tell(FIRST, "webhook")
    (body,) = those.messages
    assert body["schema"] == "goferry.notice/1"
    assert sorted(body["news"], key=str) == sorted(to_json(FIRST)["findings"], key=str)
    assert body["left_out"] == 0


async def test_a_webhook_gets_no_endless_list(driver: Driver, those: Receivers) -> None:
    await driver.tell(audit(*many(1010)), "webhook")
    (body,) = those.messages
    assert (len(body["news"]), body["left_out"]) == (1000, 10)
    assert {finding["severity"] for finding in body["news"][-5:]} == {"info"}


def test_the_signatures_are_those_of_openssl() -> None:
    assert feishu.signature("demo-secret", "1599360473") == "3/MaVZ8JLIy4TUG+7KSFJqvUkTKd+HWY8g+56DZWq8s="
    assert (
        dingtalk.signature("this is secret", "1577262236757")
        == "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="
    )
    assert webhook.signature("this is secret", "1700000000", b'{"a":1}') == (
        "v1=a8e96c2e6ed6987f54d2c397a1d66ab2ad888b23b1be6b17ae48c9163fa0b8c0"
    )


# ---- GitHub --------------------------------------------------------------------------------------------------------


async def test_one_issue_is_opened_updated_commented_and_closed(driver: Driver, those: Receivers) -> None:
    await driver.tell(audit(flaw()), "github-issue")
    assert [(issue["title"], issue["state"]) for issue in those.issues] == [
        ("Dependencies: 1 finding", "open")
    ]
    assert "<!-- goferry-deps: github-issue -->" in those.issues[0]["body"]
    assert "@example/platform" in those.issues[0]["body"]
    await driver.tell(audit(flaw(), flaw("GO-2026-0007"), when=day(1)), "github-issue")
    assert len(those.issues) == 1
    assert those.issues[0]["title"] == "Dependencies: 2 findings"
    assert "@example/platform" not in those.issues[0]["body"]
    ((number, comment),) = those.comments
    assert (number, "GO-2026-0007" in comment, "GO-2026-0001" in comment) == (1, True, False)
    assert "@example/platform" in comment
    (outcome,) = await driver.tell(audit(when=day(2), projects=[APP]), "github-issue")
    assert (outcome.state, outcome.news) == ("sent", 0)
    assert (those.issues[0]["state"], len(those.comments)) == ("closed", 1)
    await driver.tell(audit(flaw(), when=day(3)), "github-issue")
    assert [issue["state"] for issue in those.issues] == ["closed", "open"]


async def test_the_issue_is_found_behind_many_others(driver: Driver, those: Receivers) -> None:
    those.issues = [
        {"number": n + 1, "state": "open", "labels": ["goferry"], "title": "", "body": None}
        for n in range(250)
    ]
    those.issues[233]["body"] = "<!-- goferry-deps: github-issue -->"
    await driver.tell(FIRST, "github-issue")
    assert (len(those.issues), those.issues[233]["title"]) == (250, "Dependencies: 3 findings")


@pytest.mark.parametrize(
    ("findings", "conclusion"), [([flaw()], "failure"), ([stale()], "neutral"), ([], "success")]
)
async def test_a_check_run_says_how_bad_the_news_are(
    driver: Driver, those: Receivers, findings: list[Any], conclusion: str
) -> None:
    await driver.tell(audit(*findings, projects=[APP]), "github-check")
    (check,) = those.checks
    assert (check["conclusion"], check["head_sha"]) == (conclusion, COMMIT)


# ---- only news, and nothing twice ----------------------------------------------------------------------------------


async def test_only_news_are_told(driver: Driver, those: Receivers) -> None:
    await driver.tell(audit(flaw()), "wecom")
    assert [o.state for o in await driver.tell(audit(flaw(), when=day(1)), "wecom")] == ["nothing_new"]
    await driver.tell(audit(flaw(), stale(), when=day(2)), "wecom")
    assert len(those.messages) == 2
    text = those.messages[1]["markdown"]["content"]
    assert ("stale" in text, "GO-2026-0001" in text) == (True, False)


async def test_the_same_audit_is_told_once(driver: Driver, those: Receivers) -> None:
    states = [(await driver.tell(FIRST, "wecom"))[0].state for _ in range(3)]
    assert (states, len(those.messages)) == (["sent", "already_sent", "already_sent"], 1)


async def test_everything_is_told_on_request_but_the_same_audit_once(
    driver: Driver, those: Receivers
) -> None:
    await driver.tell(audit(flaw()), "wecom")
    later = audit(flaw(), when=day(1))
    states = [(await driver.tell(later, "wecom", everything=True))[0].state for _ in range(2)]
    assert (states, len(those.messages)) == (["sent", "already_sent"], 2)


async def test_what_comes_back_is_news_again(driver: Driver, those: Receivers) -> None:
    for number, found in enumerate([[flaw()], [], [flaw()]]):
        await driver.tell(audit(*found, when=day(number), projects=[APP]), "wecom")
    assert len(those.messages) == 2


async def test_what_could_not_be_looked_at_for_a_day_is_no_news(driver: Driver, those: Receivers) -> None:
    await driver.tell(audit(flaw()), "wecom")
    await driver.tell(audit(when=day(1), projects=[APP], blind=[unproven()]), "wecom")
    await driver.tell(audit(flaw(), when=day(2)), "wecom")
    assert len(those.messages) == 1


async def test_audits_of_different_projects_do_not_forget_each_other(
    driver: Driver, those: Receivers
) -> None:
    one, other = flaw(), flaw(project="example.com/other")
    for number in range(3):
        await driver.tell(audit(one, when=day(number)), "wecom")
        await driver.tell(audit(other, when=day(number)), "wecom")
    assert len(those.messages) == 2


async def test_each_receiver_hears_what_it_cares_for(driver: Driver, those: Receivers) -> None:
    cares = 'severity = "error"\nowners = ["@web"]\nkinds = ["vulnerability"]\n'
    (outcome,) = await driver.tell(FIRST, "wecom", extra=cares)
    assert outcome.news == 1
    assert "GO-2026-0002" in those.messages[0]["markdown"]["content"]


async def test_two_processes_tell_it_once(driver: Driver, those: Receivers) -> None:
    """Both have the same audit at the same time. The first answer is late, so that they surely meet."""
    those.script = [answer("503 Later", Retry_After="1")]
    outcomes = await asyncio.gather(*(driver.tell(FIRST, "wecom") for _ in range(4)))
    assert sorted(outcome.state for (outcome,) in outcomes) == ["already_sent"] * 3 + ["sent"]
    assert len(those.messages) == 1


async def test_one_receiver_that_fails_keeps_nobody_from_hearing(driver: Driver, those: Receivers) -> None:
    driver.environ["SLACK_URL"] = those.url + "/services/wrong"
    outcomes = await driver.tell(FIRST, "slack", "wecom")
    assert [outcome.state for outcome in outcomes] == ["failed", "sent"]
    driver.environ = environ_for(those.url)
    outcomes = await driver.tell(audit(*FIRST.findings, when=day(1)), "slack", "wecom")
    assert [(outcome.state, outcome.news) for outcome in outcomes] == [("sent", 3), ("nothing_new", 3 - 3)]


async def test_a_run_that_broke_off_goes_on_where_it_was(driver: Driver, those: Receivers) -> None:
    """The first message of Slack is through, its thread is not: the second run sends the thread alone."""
    found = audit(*many(45))
    broken = refuse("400 Bad Request", {"ok": False, "error": "fatal"})
    those.script = [say({"ok": True, "ts": "1800000000.000100"}), broken]
    (outcome,) = await driver.tell(found, "slack-bot")
    assert (outcome.state, those.messages) == ("failed", [])
    (outcome,) = await driver.tell(found, "slack-bot")
    assert outcome.state == "sent"
    assert [message["thread_ts"] for message in those.messages] == ["1800000000.000100"] * 3
    assert [o.state for o in await driver.tell(audit(*many(45), when=day(1)), "slack-bot")] == ["nothing_new"]


# ---- when the answer is no -----------------------------------------------------------------------------------------


async def test_retry_after_is_waited_for(driver: Driver, those: Receivers) -> None:
    those.script = [answer("429 Too Many Requests", Retry_After="7"), answer("503 Later", Retry_After="2")]
    (outcome,) = await driver.tell(FIRST, "slack")
    assert outcome.state == "sent"
    assert driver.pauses == [7.5, 3.0]  # and half of the back-off, so that not all come back at once


async def test_two_failures_and_then_yes(driver: Driver, those: Receivers) -> None:
    those.script = [answer("500 Oops"), answer("502 Bad Gateway")]
    (outcome,) = await driver.tell(FIRST, "teams")
    assert (outcome.state, driver.pauses, len(those.messages)) == ("sent", [0.5, 1.0], 1)


async def test_a_signature_is_made_anew_for_each_attempt(driver: Driver, those: Receivers) -> None:
    those.script = [answer("429 Too Many Requests", Retry_After="290")]
    those.now += (
        290  # a signature of the first attempt would be nearly too old, and the server checks to 300 s
    )
    (outcome,) = await driver.tell(FIRST, "webhook")
    stamps = [int(request.headers["x-goferry-timestamp"]) for request in those.requests]
    assert (outcome.state, stamps[1] - stamps[0]) == ("sent", 290)
    assert len({request.headers["idempotency-key"] for request in those.requests}) == 1


async def test_it_gives_up_and_says_how_to_go_on(driver: Driver, those: Receivers) -> None:
    those.script = [answer("503 Down", b"maintenance until noon")] * 3
    (outcome,) = await driver.tell(FIRST, "slack", patience=Patience(attempts=3))
    assert str(outcome.failure) == "slack (slack) did not take the notice: HTTP 503: maintenance until noon"
    assert outcome.failure is not None
    assert outcome.failure.hint == "3 attempts were made; what is missing is sent when this is run again"


async def test_nobody_waits_for_an_hour(driver: Driver, those: Receivers) -> None:
    those.script = [answer("429 Too Many Requests", Retry_After="3600")]
    (outcome,) = await driver.tell(FIRST, "slack")
    assert (outcome.state, driver.pauses) == ("failed", [])
    assert outcome.failure is not None
    assert outcome.failure.hint == "it asks to be left alone for 3600 s; run it again after that"


async def test_a_github_limit_is_waited_for_until_it_ends(driver: Driver, those: Receivers) -> None:
    those.script = [
        answer(
            "403 Forbidden", b"{}", X_RateLimit_Remaining="0", X_RateLimit_Reset=str(int(driver.now) + 30)
        ),
        answer("403 Forbidden", b'{"message": "secondary rate limit"}', Retry_After="5"),
    ]
    (outcome,) = await driver.tell(FIRST, "github-check")
    assert (outcome.state, driver.pauses) == ("sent", [30.5, 6.0])


NO: dict[str, tuple[str, bytes, str]] = {
    "plain text": ("slack", answer("403 Forbidden", b"invalid_token\n"), "HTTP 403: invalid_token"),
    "ok is false": ("slack-bot", say({"ok": False, "error": "not_in_channel"}), "not_in_channel"),
    "nested": (
        "teams",
        refuse(
            "400 Bad Request", {"error": {"code": "X", "message": "Property 'type'\n must be 'message'."}}
        ),
        "HTTP 400: Property 'type' must be 'message'.",
    ),
    "code": ("feishu", say({"code": 19001, "msg": "param invalid: token"}), "19001 param invalid: token"),
    "errcode": (
        "dingtalk",
        say({"errcode": 310000, "errmsg": "keywords not in content"}),
        "310000 keywords not in",
    ),
    "wecom": ("wecom", say({"errcode": 93000, "errmsg": "invalid webhook url"}), "93000 invalid webhook url"),
    "html": (
        "webhook",
        answer("404 No", b"<html><style>p{}</style><h1>Not  here</h1></html>"),
        "HTTP 404: Not here",
    ),
    "errors": (
        "github-issue",
        refuse("422 No", {"message": "Validation Failed", "errors": [{"message": "bad label"}]}),
        "HTTP 422: Validation Failed: bad label",
    ),
    "redirect": (
        "slack",
        answer("302 Found", Location="https://login.example/x?y"),
        "HTTP 302: → login.example",
    ),
    "nothing": ("slack", answer("400 Bad Request"), "HTTP 400: ?"),
    "an essay": ("slack", answer("400 Bad Request", b"word " * 10_000), "…"),
}


@pytest.mark.parametrize("case", NO)
async def test_a_no_is_said_in_one_line_with_the_receivers_words(
    driver: Driver, those: Receivers, case: str
) -> None:
    name, said, words = NO[case]
    those.script = [said]
    (outcome,) = await driver.tell(FIRST, name)
    line = str(outcome.failure)
    assert (outcome.state, driver.pauses) == ("failed", [])
    assert line.startswith(f"{name} ({outcome.receiver.kind}) did not take the notice: ")
    assert words in line
    assert "\n" not in line
    assert len(line) < 400


BUSY: dict[str, tuple[str, bytes]] = {
    "slack": ("slack-bot", say({"ok": False, "error": "ratelimited"})),
    "feishu": ("feishu", say({"code": 11232, "msg": "frequency limited"})),
    "wecom": ("wecom", say({"errcode": 45009, "errmsg": "api freq out of limit"})),
    "dingtalk": ("dingtalk", say({"errcode": -1, "errmsg": "system busy"})),
}


@pytest.mark.parametrize("case", BUSY)
async def test_a_busy_that_comes_as_a_yes_is_tried_again(driver: Driver, those: Receivers, case: str) -> None:
    name, said = BUSY[case]
    those.script = [said]
    (outcome,) = await driver.tell(FIRST, name)
    assert outcome.state == "sent"
    assert driver.pauses


async def test_a_robot_that_is_silenced_is_not_waited_for(driver: Driver, those: Receivers) -> None:
    those.script = [say({"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"})]
    (outcome,) = await driver.tell(FIRST, "dingtalk")
    assert (outcome.state, driver.pauses) == ("failed", [])
    assert "send too fast" in str(outcome.failure)


async def test_a_receiver_that_is_not_there_is_named_by_host_only(driver: Driver) -> None:
    driver.environ["SLACK_URL"] = "http://127.0.0.1:1" + SECRETS["slack hook"]
    (outcome,) = await driver.tell(FIRST, "slack", patience=Patience(attempts=2))
    assert str(outcome.failure) == "slack (slack) did not take the notice: 127.0.0.1:1: connection refused"


# ---- secrets -------------------------------------------------------------------------------------------------------


def leaks(text: str) -> list[str]:
    pieces = [*SECRETS.values(), "hookPlantedSecret", "PlantedTeamsSignature", "plantedDingTalkAccessToken"]
    pieces += ["planted-feishu-hook-id", "planted-wecom-key", "planted-webhook-path"]
    return [piece for piece in pieces if piece in text]


@pytest.mark.parametrize("name", TABLES)
async def test_no_secret_is_in_errors_or_logs_or_the_kept_file(
    driver: Driver, those: Receivers, name: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """The server says every secret back, in every form that it saw."""
    caplog.set_level(logging.DEBUG)
    echo = "; ".join([*SECRETS.values(), *driver.environ.values()])
    those.script = [answer("400 Bad Request", echo.encode()), refuse("400 No", {"message": echo})]
    for number in range(2):
        (outcome,) = await driver.tell(audit(flaw(), when=day(number)), name)
        assert outcome.state == "failed"
        failure = outcome.failure
        assert failure is not None
        own = [value for key, value in driver.environ.items() if key in TABLES[name] and key != "GITHUB_SHA"]
        seen = [str(failure), repr(failure), repr(failure.parts), repr(outcome), str(failure.__cause__)]
        seen.append("".join(traceback.format_exception(failure)))
        assert failure.__context__ is None
        assert own
        assert [piece for piece in own for text in seen if piece in text] == []
    assert leaks(caplog.text) == []
    with Kept(tmp_path / "audits.sqlite") as kept:
        held = [
            row for table in ("deliveries", "answers", "told") for row in kept.rows(f"SELECT * FROM {table}")
        ]
    assert held
    assert leaks(repr(held)) == []


@pytest.mark.parametrize("name", TABLES)
def test_a_dry_run_shows_what_would_be_sent_without_secrets(tmp_path: Path, name: str) -> None:
    (receiver,) = receivers_for(tmp_path, "http://receiver.example", name)
    with Kept(tmp_path / "audits.sqlite") as kept:
        plan, shown = preview(
            FIRST, receiver, kept=kept, environ=environ_for("http://receiver.example"), now=1_800_000_000.0
        )
        assert kept.rows("SELECT * FROM deliveries") == kept.rows("SELECT * FROM told") == []
    assert plan.state == "due"
    text = repr(shown)
    assert leaks(text) == []
    assert "receiver.example" in text
    assert "GO-2026-0001" in text
    if name == "dingtalk":
        assert shown[0].line == "POST http://receiver.example/***"
    if name == "webhook":
        assert shown[0].headers["X-Goferry-Signature"] == "***"


async def test_a_dry_run_shows_what_is_then_sent(driver: Driver, those: Receivers, tmp_path: Path) -> None:
    (receiver,) = receivers_for(tmp_path, those.url, "teams")
    with Kept(tmp_path / "audits.sqlite") as kept:
        _plan, (shown,) = preview(FIRST, receiver, kept=kept, environ=driver.environ, now=driver.now)
    await driver.tell(FIRST, "teams")
    assert those.messages == [shown.body]


def test_a_dry_run_needs_no_secrets_and_no_kept_file(tmp_path: Path) -> None:
    for receiver in receivers_for(tmp_path, "http://receiver.example"):
        plan, shown = preview(FIRST, receiver, kept=None, environ={}, now=0.0)
        assert (plan.state, bool(shown)) == ("due", True)
    assert not (tmp_path / "audits.sqlite").exists()


async def test_a_secret_that_is_not_there_is_named(driver: Driver, those: Receivers) -> None:
    del driver.environ["SLACK_URL"]
    (outcome,) = await driver.tell(FIRST, "slack")
    assert isinstance(outcome.failure, GoferryError)
    assert re.fullmatch(
        r"\S+goferry\.toml:1: receiver slack: url_env: the variable SLACK_URL is not set",
        str(outcome.failure),
    )
    assert those.requests == []


def test_every_kind_is_tested() -> None:
    assert {TABLES[name].split('"')[1] for name in TABLES} | {"email"} == set(SERVICES)
