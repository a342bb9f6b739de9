"""R43: not the network. The path, the version or the content is wrong, and every place says so."""

from collections.abc import Iterable
from typing import Final

from goferry.doctor.evidence import Evidence
from goferry.doctor.explain.facts import Fact
from goferry.doctor.rules import mirror, scene
from goferry.doctor.rules.base import Rule, when_broken
from goferry.doctor.rules.proofs import judged
from goferry.doctor.verdict import Judgement, Proof
from goferry.findings import Text
from goferry.i18n import N_

_NETWORK: Final = frozenset({"dialled", "proxyconnect", "reset", "dns_words", "tls_timeout"})

# cause, tags of which one is enough in what was seen from here, whether the text admits nothing else
_TEXTS: Final = (
    ("module_path_mismatch", "path_declared|said_path_declared|path_mismatch|said_path_mismatch", True),
    ("module_zip_invalid", "zip_invalid|said_zip_invalid|zip_names|said_zip_names", True),
    ("module_path_wrong", "path_malformed", True),
)

_DETAILS: Final = {
    "module_path_mismatch": N_("go.mod names another path: {said}"),
    "module_zip_invalid": N_("the content breaks the rules for modules: {said}"),
    "module_path_wrong": N_("the path is wrong: {said}"),
    "unknown_revision": N_("nobody has {module} {version}: {said}"),
}


def _author(evidence: Evidence) -> Iterable[Judgement]:
    if scene.sign_in_page(evidence) is not None:
        return  # git takes such a page for a repository without any version
    found = [fact for fact in scene.facts(evidence) if _NETWORK.isdisjoint(fact.tags)]
    for cause, tags, sole in _TEXTS:
        fact = scene.said(found, tags)
        if fact is not None and "goproxy_malformed" not in fact.tags:
            yield _judgement(evidence, cause, fact, sole=sole)
            return
    fact = scene.said(found, "unknown_revision|said_unknown_revision") or _gone_version(evidence, found)
    if fact is not None:
        yield _judgement(
            evidence,
            "unknown_revision",
            fact,
            sole="unknown_revision" in fact.tags or _asked_origin(evidence),
            weak="status_403" in fact.tags,
        )
        return
    fact = scene.said(
        found,
        "not_a_package|said_not_a_package|said_repo_missing|unrecognized_import|said_unrecognized_import|no_meta",
    )
    if fact is not None:
        nowhere = any(stop.answer.status in scene.MISSING for stop in mirror.stops(evidence))
        yield _judgement(evidence, "module_path_wrong", fact, weak=not nowhere)


def _gone_version(evidence: Evidence, found: list[Fact]) -> Fact | None:
    """A "not there" of the mirrors that the origin's tags, or the mirror's own list, agree with."""
    fact = scene.said(found, "status_404|status_403")
    version = mirror.wanted_version(evidence)
    if fact is None or not version:
        return None
    tags = mirror.repository_tags(evidence)
    if tags:
        return None if mirror.has_version(tags, version) else fact
    lists = [
        answer for answer in scene.answers(evidence) if answer.purpose == "list" and scene.is_well(answer)
    ]
    knows = [answer for answer in lists if answer.body.strip()]
    return fact if knows and not any(version in answer.body.split() for answer in knows) else None


def _asked_origin(evidence: Evidence) -> bool:
    return bool(mirror.repository_tags(evidence))


def _judgement(
    evidence: Evidence, cause: str, fact: Fact, *, sole: bool = False, weak: bool = False
) -> Judgement:
    target = fact.target
    bare = _tag_without_v(evidence, fact) if cause == "unknown_revision" else ""
    where = (
        f"{target.module}@{target.version}"
        if target.version
        else target.module or evidence.subject.text or "go.mod"
    )
    return judged(
        evidence, "R43", cause, where, "request",
        Text(_WITHOUT_V if bare else _DETAILS[cause], said=scene.quoted(fact), module=target.module,
             version=target.version, tag=bare),
        proof=_proof(evidence, fact, bare) if cause == "unknown_revision" else None,
        sole=sole,
        weak=weak,
    )  # fmt: skip


_WITHOUT_V: Final = N_(
    "{module} has the tag {tag}, and go looks for {version}: a version's tag begins with v"
)


def _tag_without_v(evidence: Evidence, fact: Fact) -> str:
    """The tag that was meant for the version and lacks its first letter; "" for none."""
    bare = fact.target.version.removeprefix("v").removesuffix("+incompatible")
    tags = mirror.repository_tags(evidence)
    return next((tag for tag in tags if bare and (tag == bare or tag.endswith(f"/{bare}"))), "")


def _proof(evidence: Evidence, fact: Fact, bare: str) -> Proof | None:
    return _bare_tag(fact, bare) if bare else _other_version(evidence, fact)


def _bare_tag(fact: Fact, tag: str) -> Proof:
    return Proof(
        Text(N_("{module} {version}: {said}"), module=fact.target.module, version=fact.target.version,
             said=scene.quoted(fact)),
        Text(N_("git ls-remote: the tag {tag} is there"), tag=tag),
        Text(N_("the first letter of the tag")),
    )  # fmt: skip


def _other_version(evidence: Evidence, fact: Fact) -> Proof | None:
    """Another version, which the same repository or mirror has: only the version differs."""
    listed = [
        answer for answer in scene.answers(evidence) if answer.purpose == "list" and scene.is_well(answer)
    ]
    there = [*mirror.repository_tags(evidence), *(word for answer in listed for word in answer.body.split())]
    other = next((version for version in there if version.startswith("v")), "")
    is_authoritative = "unknown_revision" in fact.tags or _asked_origin(evidence)
    if not other or not is_authoritative or mirror.has_version(there, fact.target.version):
        return None
    return Proof(
        Text(N_("{module} {version}: {said}"), module=fact.target.module, version=fact.target.version,
             said=scene.quoted(fact)),
        Text(N_("{module} {version}: there"), module=fact.target.module, version=other),
        Text(N_("the version")),
    )  # fmt: skip


AUTHOR = Rule(
    "R43",
    N_("The module's path, version or content is wrong"),
    ("module_path_mismatch", "module_zip_invalid", "module_path_wrong", "unknown_revision"),
    when_broken(_author),
)
