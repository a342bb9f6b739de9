"""Any text at all: nothing that reads settings raises, and what is said of patterns and secrets always holds."""

import string

from hypothesis import given
from hypothesis import strategies as st

from goferry.doctor.evidence import GitSetting, Setting, SettingsSeen, Subject
from goferry.doctor.route import patterns
from goferry.doctor.settings import parse_subject, plan_targets
from goferry.doctor.settings.credentials import parse_netrc
from goferry.doctor.settings.elsewhere import _SHELL, assignments
from goferry.doctor.settings.gitconfig import http_setting, parse_list, rewrite, without_secrets
from goferry.doctor.settings.hiding import hide_setting, hide_url
from goferry.doctor.settings.names import parse_hosts, parse_nsswitch, parse_resolv_conf
from goferry.doctor.settings.proxies import decide, for_git, for_go, read_proxies
from goferry.errors import InvalidInput
from goferry.gomod import module

odd = st.text(alphabet=st.sampled_from(list("ab.:/@,;| *%#[]\"'\n\t\\=!-0159é\x00")), max_size=60)
PATH = "corp.example/team/x"


@given(odd)
def test_no_file_is_too_odd(text: str) -> None:
    parse_resolv_conf(text)
    parse_hosts(text)
    parse_nsswitch(text)
    parse_netrc(text)
    list(assignments(text, _SHELL, "shell", "f"))
    parse_list(text.encode())


@given(odd, odd)
def test_no_value_is_too_odd(text: str, other: str) -> None:
    environ = {"HTTPS_PROXY": text, "http_proxy": text, "NO_PROXY": other, "no_proxy": text}
    git = without_secrets(
        [
            GitSetting(f"http.{text}.proxy", other, "global", "f"),
            GitSetting(f"url.{text}.insteadof", other, "global", "f"),
        ]
    )
    for url in ("https://code.example.org/r", "http://192.0.2.7:8080/", "https://[2001:db8::1]/"):
        for_go(environ, url)
        for_git(environ, git, url)
        rewrite(url, git)
        http_setting(git, "proxy", url)
    values = {"GOPROXY": text, "GOSUMDB": other, "GONOPROXY": other, "GONOSUMDB": text}
    seen = SettingsSeen(
        go=tuple(Setting(name, value, "environment") for name, value in values.items()),
        proxies=read_proxies(environ),
        git=git,
    )
    for subject in (Subject(), Subject(module=PATH), Subject(url=text, host="h")):
        decide(seen, plan_targets(seen, subject))


@given(odd)
def test_a_subject_is_read_or_refused(text: str) -> None:
    try:
        found = parse_subject(text)
    except InvalidInput:
        return
    assert found == Subject() or found.module or found.host or found.url


@given(odd)
def test_what_is_near_never_matches_and_matches_when_mended(glob: str) -> None:
    near = patterns.nearest(glob, PATH)
    if near is not None:
        assert not module.match_prefix_patterns(glob, PATH)
        assert module.match_prefix_patterns(near.replaced_in(glob), PATH)
        assert near.faults


@given(
    st.sampled_from(
        [
            "https://{}@h.example.org/x",
            "http://u:{}@h.example.org:3128",
            "socks5://u:{}@h.example.org",
            "u:{}@h.example.org:1",
        ]
    ),
    st.text(alphabet=string.ascii_letters + string.digits + "!$&'()*+=._~:/?#%,|; -", max_size=8),
)
def test_no_password_survives(form: str, around: str) -> None:
    secret = "hunter2secret"
    assert secret not in hide_url(form.format(f"{around}{secret}"))
    assert secret not in hide_url(form.format(f"{secret}{around}"))
    if not set(around) & set(",|; "):
        assert secret not in hide_setting("GOPROXY", form.format(f"{secret}{around}"))
        assert secret not in hide_setting("GOPROXY", form.format(f"{around}{secret}"))
