"""What is looked at after the first answers, because only they told of it."""

from goferry.doctor.evidence import Role, Target
from goferry.doctor.look import storage_targets
from ruleworlds import PROXY, answer, target

STORAGE = "storage.example.org"
MIRROR = (target(PROXY),)


def silent(host: str, **more: str) -> tuple[Target, ...]:
    url = f"https://{host}/b/x.zip"
    answers = (answer("zip", 302, redirect=url), answer("zip", 0, url=url, failure="dns_not_found", **more))
    return storage_targets(MIRROR, answers)


def test_a_host_that_a_mirror_redirects_to_and_that_is_silent_is_looked_at() -> None:
    assert silent(STORAGE) == (Target(STORAGE, 443, "https", Role.STORAGE, f"https://{STORAGE}/b/x.zip"),)


def test_a_host_that_is_looked_at_anyway_or_that_answers_is_none() -> None:
    assert silent(PROXY) == ()
    assert storage_targets(MIRROR, (answer("zip", 403, url=f"https://{STORAGE}/x.zip"),)) == ()
    assert (
        storage_targets(MIRROR, (answer("origin", 0, entry=-1, url="https://x.example/", failure="eof"),))
        == ()
    )
