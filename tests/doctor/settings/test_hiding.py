"""No secret survives the reading; what is no secret does."""

import pytest

from goferry.doctor.settings.hiding import hide, hide_commands, hide_setting, hide_url

S = "hunter2secret"


@pytest.mark.parametrize(
    "text",
    [
        f"https://me:{S}@proxy.example.org/go",
        f"https://{S}@proxy.example.org,direct",
        f"https://a.example.org|https://me:{S}@b.example.org",
        f"https://me:{S}/x@b.example.org",
        f"https://me:a,{S}@b.example.org",
        f"https://me:{S},b@b.example.org",
        f"me:{S}@proxy.example.org:3128",
        f"http:/me:{S}@proxy.example.org",
        f"https://b.example.org/x?token={S}",
        f"https://b.example.org/x?a=1&X-Goog-Signature={S}&b=2",
        f"Authorization: Bearer {S}",
        f"PRIVATE-TOKEN:{S}",
        "https://b.example.org/ghp_hunter2secrethunter2secret",
        "glpat-hunter2secret",
    ],
)
def test_a_secret_is_hidden(text: str) -> None:
    assert S not in hide(text)


@pytest.mark.parametrize("password", [f"{S},x", f"x {S}", f"a|{S}", f"{S};"])
def test_a_single_url_may_have_separators_in_its_password(password: str) -> None:
    assert S not in hide_url(f"http://me:{password}@proxy.example.org:3128")


@pytest.mark.parametrize(
    "text",
    [
        "https://proxy.example.org:8443/go,direct",
        "git@code.example.org:o/r",
        "ssh://git@code.example.org/",
        "https://proxy.example.org/rsc.io/quote/@v/list",
        "https://[2001:db8::1]:8443/x",
        "*.corp.example,code.example.org/team",
        "/home/me@corp/go/pkg/mod",
        "-mod=mod -ldflags=-s",
        "http://p.corp:3128",
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert hide(text) == text


def test_a_program_for_credentials_keeps_its_name_only() -> None:
    assert hide_commands(f"netrc; git /home/me/x; helper --password {S}") == "netrc; git /home/me/x; helper …"
    assert hide_setting("GOAUTH", f"helper {S}") == "helper …"
    assert hide_commands("") == ""
