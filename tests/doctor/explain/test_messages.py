"""Lines belong to one message as the program said them, with and without the indentation that a paste may lose."""

import pytest

from goferry.doctor.explain.clean import paste_of
from goferry.doctor.explain.judge import explain
from goferry.doctor.explain.messages import Message, messages_of

GIT = """go: github.com/a/b@v1.0.0: invalid version: git ls-remote -q origin in /go/vcs/aa: exit status 128:
\tfatal: could not read Username for 'https://github.com': terminal prompts disabled
Confirm the import path was entered correctly.
go: downloading github.com/c/d v1.0.0"""

RESPONSE = """go: github.com/a/b@v1.0.0: reading https://goproxy.cn/github.com/a/b/@v/v1.0.0.mod: 404 Not Found
\tserver response: not found: dial tcp: lookup github.com on 8.8.8.8:53: i/o timeout"""


def messages(text: str) -> list[Message]:
    return messages_of(paste_of([text.encode()]).lines)


@pytest.mark.parametrize("text", [GIT, GIT.replace("\t", "")], ids=["indented", "flattened"])
def test_the_lines_of_git_belong_to_the_line_of_go_that_ran_it(text: str) -> None:
    first, second = messages(text)
    assert [line.number for line in first.lines] == [1, 2, 3]
    assert second.own == "go: downloading github.com/c/d v1.0.0"


@pytest.mark.parametrize("text", [RESPONSE, RESPONSE.replace("\t", "")], ids=["indented", "flattened"])
def test_what_the_proxy_reports_is_not_what_happened_here(text: str) -> None:
    (message,) = messages(text)
    assert message.own.rstrip().endswith("404 Not Found")
    assert "lookup github.com on 8.8.8.8:53" in message.said
    assert explain([text.encode()]).verdict.cause == "goproxy_upstream_unreachable"


def test_the_same_network_error_seen_from_here_is_another_cause() -> None:
    here = 'Get "https://goproxy.cn/github.com/a/b/@v/list": dial tcp: lookup goproxy.cn on 8.8.8.8:53: i/o timeout'
    assert explain([here.encode()]).verdict.cause == "dns_resolver_unreachable"


def test_a_chain_of_requirements_is_one_message() -> None:
    text = "go: a.b/c@v1 requires\n\td.e/f@v2 requires\n\tg.h/i@v3: invalid version: unknown revision v3"
    assert len(messages(text)) == 1


def test_two_errors_are_two_messages() -> None:
    assert len(messages("go: a.b/c@v1.0.0: EOF\ngo: d.e/f@v1.0.0: EOF")) == 2


def test_a_text_that_a_terminal_has_cut_is_told_all_the_same() -> None:
    text = (
        'go: x.y/z@v1.0.0: Get "https://goproxy.cn/x.y/z/@v/v1.0.0.mod": dial tcp 1.2.3\n'
        ".4:443: connectex: A connection atte\nmpt failed because the connected party"
    )
    assert explain([text.encode()]).verdict.cause == "goproxy_host_blocked"


def test_the_surest_message_decides_and_the_others_stay_candidates() -> None:
    text = (
        'go: a.b/c@v1.0.0: Get "https://goproxy.cn/a.b/c/@v/v1.0.0.mod": EOF\n'
        "go: d.e/f@v1.0.0: open /go/pkg/mod/cache/lock: no space left on device"
    )
    verdict = explain([text.encode()]).verdict
    assert verdict.cause == "local_disk_or_permission"
    assert "middlebox_reset" in verdict.candidates


@pytest.mark.parametrize(
    ("place", "cause"),
    [
        ("", "forward_proxy_broken"),
        ("Step 4/9 : RUN go mod download\n", "forward_proxy_loopback_in_container"),
        ("#12 1.278 ", "forward_proxy_loopback_in_container"),
    ],
)
def test_the_place_decides_between_a_dead_proxy_and_one_that_is_elsewhere(place: str, cause: str) -> None:
    text = (
        'go: a.b/c@v1: Get "https://goproxy.cn/a.b/c/@v/list": '
        "proxyconnect tcp: dial tcp 127.0.0.1:7890: connect: connection refused"
    )
    assert explain([(place + text).encode()]).verdict.cause == cause


def test_a_setting_made_behind_the_error_is_the_remedy_not_the_fault() -> None:
    error = 'go: a.b/c@v1: Get "https://goproxy.io/a.b/c/@v/list": dial tcp 1.2.3.4:443: i/o timeout\n'
    setting = "$ go env -w GOPROXY=https://goproxy.cn,direct\n"
    assert explain([(setting + error).encode()]).verdict.cause == "goproxy_setting_not_effective"
    assert explain([(error + setting).encode()]).verdict.cause == "goproxy_host_blocked"


def test_times_that_cannot_be_are_no_times() -> None:
    text = "x509: certificate has expired: current time 2024-13-40T99:00:00Z is after 2023-01-01T00:00:00Z"
    assert explain([text.encode()]).verdict.cause == "server_cert_expired"


def test_a_clock_that_is_wrong_by_months_is_told_from_a_certificate_that_ran_out() -> None:
    text = (
        'Get "https://{host}/x?go-get=1": x509: certificate has expired: current time {now}Z is after {end}Z'
    )
    wrong = text.format(host="golang.org", now="2031-01-01T00:00:00", end="2026-01-01T00:00:00")
    ended = text.format(host="go.example.com", now="2026-01-02T00:00:00", end="2026-01-01T00:00:00")
    assert explain([wrong.encode()]).verdict.cause == "clock_skew"
    assert explain([ended.encode()]).verdict.cause == "server_cert_expired"
