"""What explain shows of a paste: lines without secrets, advice with the names that the paste holds."""

import pytest

from goferry.doctor.explain.answer import answer_of, without_secrets
from goferry.doctor.explain.judge import explain


@pytest.mark.parametrize(
    "text",
    [
        "fatal: unable to access 'https://me:hunter2@github.com/a/b/': timeout",
        "Get https://hunter2@goproxy.corp/@v/list: EOF",
        "RUN go mod download GITHUB_TOKEN=hunter2",
        "ENV CI_JOB_TOKEN hunter2",
        'password: "hunter2"',
        "machine github.com login me password hunter2",
        "authorization: Bearer hunter2",
        "reading https://storage.googleapis.com/x.zip?Expires=1&Signature=hunter2: 403 Forbidden",
        '{"token": "hunter2"}',
        "fatal: unable to access 'https://me:hunter2",
        "hunter2hunter2@github.com/a/b/': Could not resolve host: github.com",
        "see https://x-access-token:ghp_hunter2",
    ],
)
def test_secrets_go(text: str) -> None:
    assert "hunter2" not in without_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        "remote: Invalid username or token. Password authentication is not supported for Git operations.",
        "fatal: could not read Password for 'https://github.com': terminal prompts disabled",
        "git@github.com: Permission denied (publickey).",
        "go.uber.org@v1.2.3/go.mod: verifying go.mod: checksum mismatch",
        "proxyconnect tcp: dial tcp: lookup http://proxy.example.com:3128",
        "go: a.b/c@v1.0.0: reading https://goproxy.cn/a.b/c/@v/v1.0.0.mod: 404 Not Found",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


def test_the_evidence_is_short_and_the_verdict_comes_first() -> None:
    error = (
        'go: a.b/c{n}@v1.0.0: Get "https://goproxy.cn/a.b/c/@v/v1.0.0.mod": dial tcp 1.2.3.4:443: i/o timeout'
    )
    text = "\n".join(error.format(n=n) for n in range(50)) + "\ngo: d.e/f@v1.0.0: EOF\n"
    answer = answer_of(explain([text.encode()]))
    assert [evidence.cause for evidence in answer.evidence] == ["goproxy_host_blocked", "middlebox_reset"]
    assert answer.evidence[0].line == 1


def test_the_advice_names_what_the_paste_names() -> None:
    text = "go: github.com/acme/lib@v1.0.0: git ls-remote -q origin in /go/vcs/aa: exit status 128:\n"
    text += "\tfatal: could not read Username for 'https://github.com': terminal prompts disabled\n"
    answer = answer_of(explain([text.encode()]))
    assert answer.verdict.cause == "git_credentials_missing"
    assert "go env -w GOPRIVATE=github.com/acme" in answer.fix.commands["shell"]
    assert answer.probe_command == "GIT_TERMINAL_PROMPT=0 git ls-remote https://github.com/OWNER/REPO"


def test_without_names_the_advice_shows_where_they_belong() -> None:
    answer = answer_of(explain([b"x509: certificate signed by unknown authority"]))
    assert answer.host == ""
    assert "HOST:443" in answer.probe_command
