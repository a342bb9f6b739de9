import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.doctor.evidence import Context, Interface, Proxying, Setting, SettingsSeen
from goferry.doctor.noproxy import ALWAYS, explain, misses, suggest
from goferry.net.httpproxy import ProxyConfig

HOST = "git.corp.example"

# Vectors: the single entries of the documentation's table, measured with go; git's side is libcurl's 7.86.
READINGS = [
    # entry, host, go, git, a word of the explanation
    ("git.corp.example", HOST, True, True, "away from"),
    ("corp.example", HOST, True, True, "away from"),
    (".corp.example", HOST, True, True, "away from"),
    ("*", HOST, True, True, "away from"),
    ("*.corp.example", HOST, True, False, "not to git"),
    ("git.corp.example:443", HOST, True, False, "not to git"),
    (".git.corp.example", HOST, False, True, "not to go"),
    ("git.corp.example.", HOST, False, True, "not to go"),
    ("https://git.corp.example", HOST, False, False, "begins like a URL"),
    ("git.corp.example/", HOST, False, False, "slash"),
    ("git.corp.example:8443", HOST, False, False, "port alone"),
    ("a.corp;git.corp.example", HOST, False, False, "Only commas"),
    ("git.*.example", HOST, False, False, "star"),
    ("10.0.0.0/8", HOST, False, False, "not looked up"),
    ("git", HOST, False, False, "from the end"),
    ("other.example", HOST, False, False, "other hosts"),
    ("", HOST, False, False, "other hosts"),
    ("10.0.0.0/8", "10.1.2.3", True, True, "away from"),
    ("10.1.2.3", "10.1.2.3", True, True, "away from"),
    ("10.1.2", "10.1.2.3", False, False, "beginning"),
    ("fd00::/8", "fd00::1", True, True, "away from"),
    ("[fd00::1]", "fd00::1", False, False, "other hosts"),
]


@pytest.mark.parametrize(("entry", "host", "go", "git", "word"), READINGS)
def test_what_an_entry_means_to_go_and_to_git_and_why(
    entry: str, host: str, go: bool, git: bool, word: str
) -> None:
    reading = explain(entry, host)
    assert (reading.go, reading.git) == (go, git)
    assert word in str(reading.why)


@given(st.text(max_size=30), st.sampled_from([HOST, "10.1.2.3", "fd00::1"]))
def test_nothing_in_an_entry_is_an_error(entry: str, host: str) -> None:
    assert str(explain(entry, host).why)


def settings(no_proxy: str = "", proxied: tuple[str, ...] = ()) -> SettingsSeen:
    return SettingsSeen(
        proxies=(Setting("NO_PROXY", no_proxy, "environment"),),
        proxying=tuple(
            Proxying("go", f"https://{host}/", host, "http://proxy.corp.example:3128", "HTTPS_PROXY")
            for host in proxied
        ),
    )


SUGGESTIONS = [
    ("", Context(), (), ""),
    ("", Context(), (HOST,), HOST),
    ("https://git.corp.example/, *.b.corp", Context(), (HOST,), f"{HOST},.b.corp"),
    ("a.corp b.corp;c.corp", Context(), (), "a.corp,b.corp,c.corp"),
    ("corp.example", Context(), (HOST,), "corp.example"),
    ("git.corp.example:8443,[fd00::1]", Context(), (), f"{HOST},fd00::1"),
    ("*", Context(), (HOST,), HOST),
    ("", Context(container="docker"), (), "host.docker.internal"),
    (
        "",
        Context(container="kubernetes", interfaces=(Interface("eth0", 1450, True, ("10.42.0.7",)),)),
        (),
        ".svc,.svc.cluster.local,.cluster.local,10.0.0.0/8",
    ),
]


@pytest.mark.parametrize(("set_now", "context", "internal", "more"), SUGGESTIONS)
def test_a_value_is_made_for_this_environment(
    set_now: str, context: Context, internal: tuple[str, ...], more: str
) -> None:
    value = suggest(settings(set_now), context, internal)
    assert value.split(",")[: len(ALWAYS)] == list(ALWAYS)
    assert set(value.split(",")[len(ALWAYS) :]) == set(filter(None, more.split(",")))
    assert misses(value, internal) == ()


def test_what_goes_to_the_proxy_now_still_goes_there() -> None:
    seen = settings("", ("proxy.example.org", "sum.example.org"))
    value = suggest(seen, Context(container="docker"), ("git.example.org", "example.org"))
    decide = ProxyConfig(https="http://p:1", no_proxy=value).proxy_for
    assert decide("https://git.example.org/").proxy is None
    assert decide("https://proxy.example.org/").proxy is not None


LABELS = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)
HOSTS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)


@given(st.lists(HOSTS, max_size=5), st.lists(HOSTS, max_size=3))
def test_every_internal_host_is_kept_away_by_both_programs(internal: list[str], entries: list[str]) -> None:
    assert misses(suggest(settings(",".join(entries)), Context(), internal), internal) == ()
