"""URLs: taken as given, joined as redirects need it, and shown without what is secret."""

import pytest
from yarl import URL

from goferry.errors import InvalidInput
from goferry.net import urls


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("d?x=1#top", "https://module.example/b/d?x=1"),
        ("/a%2Fb", "https://module.example/a%2Fb"),
        ("//other.example:8443", "https://other.example:8443"),
        ("http://other.example/ü", "http://other.example/%C3%BC"),
    ],
)
def test_a_redirect_is_relative_to_what_was_asked(location: str, leads_to: str) -> None:
    assert str(urls.joined(URL("https://module.example/b/c?y=2"), location)) == leads_to


@pytest.mark.parametrize(
    "location", ["ftp://a/", "http://", "http://host:port/", "a b", "mailto:a@b", "http://[::1"]
)
def test_a_redirect_to_what_is_no_web_address_is_refused(location: str) -> None:
    with pytest.raises(InvalidInput):
        urls.joined(URL("https://module.example/b"), location)


def test_a_password_is_in_no_text() -> None:
    url = urls.parse("https://user:secret@module.example:8443/x?y")
    assert urls.public(url) == "https://module.example:8443/x?y"
    assert urls.where(url) == {"host": "module.example:8443", "url": "https://module.example:8443/x?y"}
    assert urls.redacted("https//user:secret@module.example") == "https//…@module.example"
    with pytest.raises(InvalidInput) as caught:
        urls.parse("ftp://user:secret@module.example/")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://module.example/", "module.example"),
        ("https://module.example:443/", "module.example"),
        ("http://module.example:443/", "module.example:443"),
        ("http://[::1]:8080/", "[::1]:8080"),
    ],
)
def test_a_server_is_named_without_its_usual_port(text: str, host: str) -> None:
    assert urls.host(urls.parse(text)) == host
