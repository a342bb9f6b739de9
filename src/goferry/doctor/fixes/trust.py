"""Plans for certificates: roots for go and for git, clocks, and servers whose certificates others have to mend.

A company's root is never put anywhere by this program. The re-test trusts what was presented in a throw-away file, to
show that it would help; the root itself has to come from those who answer for it, and not over the connection in
question.
"""

from collections.abc import Iterator
from typing import Final

from goferry.doctor.causes import Whose
from goferry.doctor.evidence import CertSeen, Role
from goferry.doctor.fixes.kit import Case, minor, one_line, quoted, with_godebug
from goferry.doctor.fixes.mirrors import other_ways
from goferry.doctor.fixes.path import direct_blocked
from goferry.doctor.fixes.plan import Plan
from goferry.doctor.fixes.rewrites import AddGit
from goferry.doctor.rules.trust import missing_part
from goferry.findings import Text
from goferry.i18n import N_

_INSTALL_ROOTS: Final = (
    ("debian", "apt-get update && apt-get install --yes --reinstall ca-certificates"),
    ("alpine", "apk add --no-cache ca-certificates"),
    ("fedora", "dnf install --assumeyes ca-certificates && update-ca-trust"),
    ("suse", "zypper install --no-confirm ca-certificates ca-certificates-mozilla"),
)
_COMPANY_FILE: Final = "company-ca.crt"
_PLACE: Final = f"/usr/local/share/ca-certificates/{_COMPANY_FILE}"


# ---- roots -------------------------------------------------------------------------------------------------


def roots_missing(case: Case) -> Iterator[Plan]:
    """The public roots, from the system's packages; or those that are shipped with this program."""
    if any(shake.host == case.host and shake.wrong == "incomplete" for shake in case.evidence.handshakes):
        yield from _chain_incomplete(case)
        return
    named = case.variable("SSL_CERT_FILE")
    if named is not None:
        yield case.set(
            "unset_cert_file",
            Text(N_("Take SSL_CERT_FILE away, so that go finds the system's own roots.")),
            _without_cert_variables(case),
        )
    shipped = _shipped_bundle()
    yield case.set(
        "shipped_roots",
        Text(N_("Point go and git to the public roots that come with goferry.")),
        {"SSL_CERT_FILE": shipped, "GIT_SSL_CAINFO": shipped},
    )
    yield case.run(
        "install_roots",
        Text(N_("Install the public roots of your system.")),
        *(f"{case.sudo}sh -c {quoted(command)}   # {system}" for system, command in _INSTALL_ROOTS),
        dockerfile=(
            "RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates",
            "# alpine: RUN apk add --no-cache ca-certificates",
            "# scratch: COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/",
        ),
    )


def _chain_incomplete(case: Case) -> Iterator[Plan]:
    """Its owner can mend it. Here the missing certificate can be put beside the roots, if another host sends it."""
    yield from around_server(case)
    shake = next(shake for shake in case.evidence.handshakes if shake.wrong == "incomplete")
    other = missing_part(case.evidence, shake)
    issuer = shake.chain[-1].issuer if shake.chain else ""
    for cert in (
        () if other is None else [cert for cert in other.chain if cert.subject == issuer and cert.pem]
    ):
        roots = next((file.path for file in case.settings.roots if file.stack == "go" and file.count), "")
        yield Plan(
            "add_missing_certificate",
            case.judgement.cause,
            Text(N_("Put the certificate of {issuer}, which {where} leaves out, beside the roots."), issuer=issuer,
                 where=case.host),
            commands=(
                f"cat {quoted(roots or '/dev/null')} - > roots.pem <<'END'",
                *cert.pem.strip().splitlines(),
                "END",
                'export SSL_CERT_FILE="$PWD/roots.pem" GIT_SSL_CAINFO="$PWD/roots.pem"',
            ),
            files={name: _bundle([cert]) for name in ("SSL_CERT_FILE", "GIT_SSL_CAINFO")},
        )  # fmt: skip
    yield _tell(case)


def _without_cert_variables(case: Case) -> dict[str, str | None]:
    names = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if case.variable(name) is not None]
    return dict.fromkeys(names, None)


def _shipped_bundle() -> str:
    """The file of public roots that this program was installed with."""
    import certifi

    return certifi.where()


def presented_authorities(case: Case) -> list[CertSeen]:
    """Authorities that were presented for hosts whose chain does not hold; the uppermost of each chain."""
    chains = [
        [cert for cert in shake.chain if cert.is_ca and cert.pem]
        for shake in case.evidence.handshakes
        if shake.wrong in ("unknown_authority", "incomplete")
        or "git" in set(shake.tried) - set(shake.trusted)
    ]
    last = {chain[-1].sha256: chain[-1] for chain in chains if chain}
    return list(last.values())


def inspected(case: Case) -> Iterator[Plan]:
    """The company's root for everything that makes TLS here."""
    yield from _known_to_the_other(case)
    authorities = presented_authorities(case)
    issuer = _issuer(case)
    files = (
        {name: _bundle(authorities) for name in ("SSL_CERT_FILE", "GIT_SSL_CAINFO")} if authorities else {}
    )
    yield Plan(
        "install_company_ca",
        case.judgement.cause,
        Text(
            N_(
                "Get the root certificate of {issuer} from your network's people, and make this machine trust it."
            ),
            issuer=issuer,
        ),
        commands=(*_fingerprints(authorities), *_install_commands(case)),
        contexts=_company_contexts(),
        files=files,
        is_told_only=not files,
    )
    yield case.tell(
        Whose.NETWORK,
        "tell_network",
        Text(N_("Or ask them not to inspect what goes to {where}."), where=case.judgement.where),
        issuer,
        *(f"sha256 {cert.sha256} {cert.subject}" for cert in authorities),
    )


def _known_to_the_other(case: Case) -> Iterator[Plan]:
    """The file in which the other program, git or go, has the authority already."""
    shakes = [
        shake for shake in case.evidence.handshakes if shake.tried and shake.chain and not shake.failure
    ]
    for knows, lacks in (("go", "git"), ("git", "go")):
        if not any(
            knows in shake.trusted and lacks in set(shake.tried) - set(shake.trusted) for shake in shakes
        ):
            continue
        file = next((each.path for each in case.settings.roots if each.stack == knows and each.count), "")
        summary = Text(
            N_("Let {lacks} trust what {knows} trusts: {file}"), lacks=lacks, knows=knows, file=file
        )
        if file and lacks == "git":
            pairs = (("http.sslCAInfo", file),)
            commands = (f"git config --global --replace-all http.sslCAInfo {quoted(file)}",)
            yield case.write("share_roots", summary, AddGit(pairs), commands=commands)
        elif file:
            yield case.set("share_roots", summary, {"SSL_CERT_FILE": file})


def _fingerprints(authorities: list[CertSeen]) -> Iterator[str]:
    """What was presented here, to be compared with what its owner publishes."""
    for cert in authorities:
        digits = cert.sha256.upper()
        pairs = ":".join(digits[place : place + 2] for place in range(0, len(digits), 2))
        yield f"# presented here: {one_line(cert.subject)}, SHA-256 {pairs}"


def _issuer(case: Case) -> str:
    chains = [shake.chain for shake in case.evidence.handshakes if shake.chain and shake.wrong]
    hosts = [shake.chain for shake in case.evidence.handshakes if shake.chain and shake.host == case.host]
    leaf = next((chain[0] for chain in (*hosts, *chains)), None)
    return "?" if leaf is None else leaf.product or leaf.issuer


def _bundle(authorities: list[CertSeen]) -> bytes:
    """Public roots and what was presented: SSL_CERT_FILE stands in for the system's file, so it needs both."""
    with open(_shipped_bundle(), "rb") as file:
        public = file.read()
    return b"\n".join([public, *(cert.pem.encode("ascii") for cert in authorities)])


def _install_commands(case: Case) -> tuple[str, ...]:
    if case.evidence.context.system == "win32":
        return (f"certutil -addstore -f Root {_COMPANY_FILE}",)
    if case.evidence.context.system == "darwin":
        keychain = "/Library/Keychains/System.keychain"
        return (f"sudo security add-trusted-cert -d -r trustRoot -k {keychain} {_COMPANY_FILE}",)
    return (
        f"{case.sudo}cp {_COMPANY_FILE} {_PLACE} && {case.sudo}update-ca-certificates",
        f"# Fedora, RHEL: {case.sudo}cp {_COMPANY_FILE} /etc/pki/ca-trust/source/anchors/",
        f"#               {case.sudo}update-ca-trust",
    )


def _company_contexts() -> dict[str, tuple[str, ...]]:
    return {
        "go": (
            f"cat /etc/ssl/certs/ca-certificates.crt {_COMPANY_FILE} > roots.pem",
            'export SSL_CERT_FILE="$PWD/roots.pem"',
        ),
        "git": (
            f"git config --global http.sslCAInfo /etc/ssl/certs/ca-certificates.crt   # holds {_COMPANY_FILE} now",
        ),
        "curl": ("export CURL_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt",),
        "dockerfile": (f"COPY {_COMPANY_FILE} {_PLACE}", "RUN update-ca-certificates"),
        "github": (
            "- env:",
            "    COMPANY_CA: ${{ secrets.COMPANY_CA }}",
            f'  run: echo "$COMPANY_CA" | sudo tee {_PLACE} && sudo update-ca-certificates',
        ),
        "gitlab": (
            "before_script:",
            f'  - echo "$COMPANY_CA" > {_PLACE} && update-ca-certificates',
        ),
    }


# ---- clock -------------------------------------------------------------------------------------------------


_DAY: Final = 86400
_CLOCK_HERE: Final = (
    N_("Set the clock of this machine right: it is {minutes} minutes off."),
    N_("Set the clock of this machine right: it is {days} days off."),
)
_CLOCK_OF_HOST: Final = (
    N_("Set the clock of the machine that runs this container right: it is {minutes} minutes off."),
    N_("Set the clock of the machine that runs this container right: it is {days} days off."),
)


def clock(case: Case) -> Iterator[Plan]:
    """The right time. A container has its host's clock, so it is mended there."""
    context = case.evidence.context
    commands: tuple[str, ...] = (f"{case.sudo}timedatectl set-ntp true", f"{case.sudo}chronyc makestep")
    if context.is_wsl:
        commands = (f"{case.sudo}hwclock --hctosys", "wsl.exe --shutdown   # in Windows, then start again")
    elif context.system == "darwin":
        commands = ("sudo sntp -sS time.apple.com",)
    elif context.system == "win32":
        commands = ("w32tm /resync /force",)
    offset = max((date.offset for date in case.evidence.dates), key=abs, default=0.0)
    keys = _CLOCK_OF_HOST if context.container else _CLOCK_HERE
    where = Text(keys[abs(offset) >= _DAY], minutes=round(abs(offset) / 60), days=round(abs(offset) / _DAY))
    yield case.run("set_clock", where, *commands)


# ---- servers -----------------------------------------------------------------------------------------------


def server_fault(case: Case) -> Iterator[Plan]:
    """Only its owner can mend it; until then around it."""
    yield from around_server(case)
    yield _tell(case)


def around_server(case: Case) -> Iterator[Plan]:
    """Other mirrors where the server is one, and mirrors where it is an origin."""
    is_origin = any(target.host == case.host for target in case.targets(Role.IMPORT_HOST, Role.CODE_HOST))
    if is_origin:
        yield from (plan for plan in direct_blocked(case) if not plan.by)
    else:
        yield from other_ways(case)


def _tell(case: Case) -> Plan:
    shakes = [
        shake
        for shake in case.evidence.handshakes
        if shake.host == case.host and (shake.wrong or shake.failure)
    ]
    facts = [
        f"{shake.host} {shake.address}:{shake.port}: {shake.text or shake.wrong or shake.failure}"
        for shake in shakes[:3]
    ]
    certs = [
        f"subject {shake.chain[0].subject}; issuer {shake.chain[0].issuer}; names {' '.join(shake.chain[0].names[:8])}"
        for shake in shakes[:1]
        if shake.chain
    ]
    return case.tell(
        Whose.MIRROR,
        "tell_server",
        Text(
            N_("Tell those who run {where} what its certificate or its TLS lacks."),
            where=case.judgement.where,
        ),
        *facts,
        *certs,
    )


_OLD_TLS_LAST: Final = 26
"""The last Go 1.N that can be told to use the old key exchange and cipher."""

_OLD_TLS_FIRST: Final = 22


def version_mismatch(case: Case) -> Iterator[Plan]:
    """Old servers: what go still can do when it is told to."""
    yield from around_server(case)
    if _OLD_TLS_FIRST <= minor(case) <= _OLD_TLS_LAST:
        changed = with_godebug(case, "tlsrsakex=1")
        changed["GODEBUG"] = (
            f"{changed['GODEBUG']},tls3des=1" if minor(case) > _OLD_TLS_FIRST else changed["GODEBUG"]
        )
        yield case.set(
            "old_tls",
            Text(N_("Allow go the old key exchange and cipher until the server is renewed.")),
            changed,
        )
    yield _tell(case)


def client_certificate(case: Case) -> Iterator[Plan]:
    """go has no setting for one; git has."""
    yield from around_server(case)
    yield case.run(
        "client_certificate",
        Text(
            N_(
                "go cannot present a client certificate. Name it to git; ask the module proxy for another login."
            )
        ),
        f"git config --global http.https://{case.host or '<host>'}/.sslCert '<client.pem>'",
        f"git config --global http.https://{case.host or '<host>'}/.sslKey '<client.key>'",
    )
    yield _tell(case)


def revocation(case: Case) -> Iterator[Plan]:
    """Only git on Windows waits for it."""
    yield case.run(
        "no_revocation_check",
        Text(
            N_("Let git not wait for lists of revoked certificates that this network does not let through.")
        ),
        "git config --global http.schannelCheckRevoke false",
    )
    yield case.tell(
        Whose.NETWORK,
        "tell_network",
        Text(N_("Ask your network's people to let the addresses of revocation lists (OCSP, CRL) through.")),
    )
