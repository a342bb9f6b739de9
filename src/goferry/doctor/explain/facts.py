"""Words of a message, as tags: the grammar of the errors of go, git, ssh, curl and the systems below them.

A tag names one fact that signatures can ask for. Most rows are plain text that is looked for in lower case; a regular
expression stands only where something has to be read out of the text. To teach `explain` a new text, add a row here
and, where the fact decides something new, a row in signatures.py.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from goferry.doctor.explain.messages import Message
from goferry.doctor.explain.targets import Target, address_tags, host_tags, role_tags, target_of

SAID: Final = "said_"
"""Put before the tags of what a module proxy reports of its own way."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A message with everything that could be read from it."""

    message: Message
    tags: frozenset[str]
    target: Target


def fact_of(message: Message) -> Fact:
    """The message with its tags: what happened, to whom, at which address, and what others said of it.

    Without a word of a fault there are no tags at all: most lines of a log are of no interest.
    """
    tags = _own_words(message.own)
    if message.said:
        tags.add("said")
        tags.update(SAID + tag for tag in words_in(message.said))
    if not tags:
        return Fact(message, frozenset(), Target())
    if "mitm_name" in tags and "mitm_name" not in _own_words(_PATHS.sub("", message.own)):
        tags.discard("mitm_name")
    target = target_of(_HEARD.sub("", message.own))
    roles = list(role_tags(message.own, target))
    tags.update(roles)
    tags.update(host_tags(target.host, roles[0] if roles else ""))
    tags.update(_where(message.own, target))
    tags.update(_when(message.own, target))
    if message.said:
        host = target_of(message.said).host or target.module.split("/")[0]
        tags.update(SAID + tag for tag in host_tags(host))
    tags.update(_name_tags(target))
    tags.update("module_" + tag for tag in host_tags(target.module.split("/")[0].lower()))
    return Fact(message, frozenset(tags), target)


def _name_tags(target: Target) -> Iterator[str]:
    """What the module, its version and its URL say by the way they are written."""
    if _PRIVATE.search("/".join((target.module or target.path.lstrip("/")).split("/")[:3])):
        yield "private_name"
    if _SUFFIX.search(target.module):
        yield "git_suffix"
    if target.url.startswith("http:"):
        yield "plain_http"
    if target.version.removesuffix("/go.mod") == "v0.0.0":
        yield "placeholder"
    if _RELEASE.fullmatch(target.version or _LOOKED_UP.sub("", target.path)):
        yield "release"
    if pseudo := _PSEUDO.match(target.version):
        if not _WHOLE_PSEUDO.search(target.version):
            yield "odd_pseudo"
        if pseudo[1] < _BEFORE_MODULES:
            yield "old_pseudo"


_PATHS: Final = re.compile(r"[\w.:/-]*\w\.\w+/\S*")
"""Modules and URLs, which may be called anything."""
_HEARD: Final = re.compile(r"^\s*remote: .*$", re.MULTILINE)
_ONLY_SEEN: Final = frozenset((
    "dial_timeout", "dial_refused", "dns_none", "dns_unable", "dns_words", "dns_timeout", "tls_timeout", "deadline",
    "eof", "body_eof", "reset", "read_timeout", "unknown_authority", "expired", "stream", "get_url",
))  # fmt: skip
"""What befell the server on its own way, when it stands behind git's `remote:`."""


def _own_words(text: str) -> set[str]:
    heard = "\n".join(_HEARD.findall(text))
    if not heard:
        return set(words_in(text))
    return set(words_in(_HEARD.sub("", text))) | (set(words_in(heard)) - _ONLY_SEEN)


_PRIVATE: Final = re.compile(
    r"(?:^|[/@._-])(?:x{3,}|\*{2,}|<[^>/]+>|(?:my|your|our|some)[_-]?(?:company|org|corp|team)\w*"
    r"|acme(?:corp)?|company|redacted|private)(?:[/.@_-]|$)",
    re.IGNORECASE,
)
"""A name that somebody put in place of his own, or that says so: nobody hides what is public."""
_SUFFIX: Final = re.compile(r"/[^/]+\.git(?:/|$)")
"""A path that says by itself that git lies there: the host does not answer what go asks, as one of a company."""
_RELEASE: Final = re.compile(r"v\d+\.\d+\.\d+(?:-[a-z]+[.\d]*)?(?:/go\.mod)?")
"""A version that somebody tagged, not one that was made from a commit."""
_LOOKED_UP: Final = re.compile(r"^.*/lookup/[^@]*@")
_PSEUDO: Final = re.compile(r"v\d+\.\d+\.\d+-(?:[\w.]+\.)?(?:0\.)?(\d{14})-[0-9a-f]+")
_BEFORE_MODULES: Final = "20180801"
"""A commit from before there were modules is known from the lists of older tools: somebody else's code."""
_WHOLE_PSEUDO: Final = re.compile(r"\d{14}-[0-9a-f]{12}(?:$|[/+])")
"""A commit in a version has twelve digits, no more and no less."""


# --- plain words ---------------------------------------------------------------------------------------------------

# tag: texts of which any one is enough, in lower case.
WORDS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    # settings
    ("goproxy_off", ("disabled by goproxy=off", "lookup disabled by goproxy")),
    ("goproxy_malformed", (
        "invalid proxy url missing scheme", "but contains no entries", "invalid goproxy",
        "invalid proxy url scheme (must be",
        "refusing to pass credentials to insecure url", "invalid character \",\" in host name",
        "invalid character \"，\"", "invalid character \";\"",
        "invalid character \"\\\"\"", "proxy url scheme", "invalid file:// proxy url", "file url missing drive letter",
        "file url specifies non-local host",
    )),
    ("list_in_url", (";direct/", ",direct/", "%2cdirect", "lookup goproxy.cn;direct", "|direct/")),
    ("url_malformed", (
        "first path segment in url cannot contain colon", "unsupported protocol scheme", "no host in request url",
        "net/url: invalid control character in url", "net/url: invalid userinfo", "missing protocol scheme",
        "invalid url port", "dial tcp: unknown port", "dial tcp: missing address",
    )),
    ("go_env_w_unknown", (
        "flag provided but not defined: -w", "unknown flag -w", "unknown shorthand flag: 'w'",
    )),
    ("gopath_mode", (
        "in gopath mode", "modules disabled by go111module", "modules disabled inside gopath/src",
        "module mode is disabled", "modules are disabled",
    )),
    ("gopath_hint", ("requires go modules", "outside gopath", "unknown subcommand \"mod\"")),
    ("gopath_miss", ("(from $gopath)", "in any of:", "in any of the following")),
    # forward proxy
    ("proxyconnect", (
        "proxyconnect tcp", "proxy connect", "socks connect", "after connect", "from proxy after connect",
    )),
    ("proxy_unresolved", (
        "could not resolve proxy", "lookup http:", "lookup http on", "lookup https:", "lookup https on",
        "proxyconnect tcp: dial tcp: lookup", "invalid proxy address",
        "unsupported proxy s",
    )),
    ("not_tls", (
        "first record does not look like a tls handshake", "oversized record received with length 20527",
        "wrong version number", "wrong_version_number", "server gave http response to https client",
        "packet length too long", "proxy client certificate", "unexpected tls packet was received",
    )),
    ("tls_at_http", (
        "malformed http response \"\\x15\\x03", "malformed http status code", "\\x15\\x03\\x01",
        "\\x15\\x03\\x03", "client sent an http request to an https server",
    )),
    ("http_at_https", ("server gave http response to https client",)),
    ("proxy_wants_login", (
        "proxy authentication required", "code 407 from proxy", "407 proxy auth", "http code 407",
        "returned error: 407", "response 407",
    )),
    ("proxy_says_no", (
        "code 403 from proxy", "code 451 from proxy", "connect tunnel failed, response 403",
    )),
    ("not_allowed", (
        "not in allowlist", "in the allowlist", "on the allowlist", "not in whitelist", "network egress settings",
        "host not allowed", "domain not allowed", "host_not_allowed", "blocked by network policy",
        "blocked by egress", "blocked by policy", "blocked by your organization", "blocked by administrator",
    )),
    ("proxy_gateway", (
        "code 502 from proxy", "code 503 from proxy", "code 504 from proxy",
        "connect tunnel failed, response 50",
    )),
    ("socks_fault", (
        "socks connect tcp", "can't complete socks", "unable to receive initial socks",
        "unknown error host unreachable", "socks4 connection to", "tor is not an http proxy",
        "general socks server failure", "unable to read a socks5",
    )),
    # names
    ("dns_own_port", ("on [::1]:53", "on ::1:53")),
    ("dns_loopback", ("on 127.0.0.1:53", "on 127.0.1.1:53")),
    ("dns_stub", ("on 127.0.0.53:53", "on 127.0.0.11:53", "on 127.0.0.54:53")),
    ("dns_none", (
        "no such host", "no such host is known", "dns name does not exist",
        "name or service not known", "no address associated with hostname",
        "nodename nor servname provided", "non-existent domain", "nxdomain",
    )),
    ("dns_unable", (
        "server misbehaving", "temporary failure in name resolution", "could not resolve host",
        "temporary error during hostname resolution", "no answer from dns server", "dns server failure",
        "cannot unmarshal dns message", "lame referral", "getaddrinfow", "try again (eai_again)",
        "couldn't resolve host", "could not resolve hostname", "could not resolve '", "eai_again",
        "unable to resolve host address", "unable to look up", "failed to lookup address information",
        "name resolution failed", "resolving timed out", "temporary error (try again later)",
        "transient error (try again later)", "dns lookup error", "bad address '", "ping: unknown host",
        "temporary failure resolving '", "no servers could be reached", ": servfail",
    )),
    ("dns_words", ("lookup ",)),
    # connections
    ("reset", (
        "connection reset by peer", "forcibly closed by the remote host", "connection was reset",
        "errno 10054", "wsarecv: an existing connection", "connection reset",
        "econnreset", "errno 104", "established connection was aborted", "ssl_error_syscall",
        "connection was aborted", "errno 10053",
        "error in the pull function", "error in the push function",
    )),
    ("dial_timeout", ("connection timed out after", "': could not connect to server", "ssl connect timeout")),
    ("broken_pipe", ("broken pipe", "wsasend:", "write: connection timed out")),
    ("eof", (
        ": eof", " eof)", "\"eof\"", "tls connection was non-properly terminated",
        "unexpected eof while reading", "ssl_read: unexpected eof", "gnutls recv error",
        "unknown ssl protocol error", "empty reply from server", "server closed abruptly",
        "ssl/tls connection failed", "tls connect error", "proxy connect aborted", "server aborted the ssl handshake",
    )),
    ("body_eof", (
        "unexpected eof", "early eof", "transfer closed with ", "content-length", "curl 18",
        "bytes of body are still expected", "operation too slow",
    )),
    ("read_timeout", (
        "read: connection timed out", "read: operation timed out", "read: i/o timeout",
        "recv failure: connection timed out", "recv failure: operation timed out",
    )),
    ("tls_timeout", ("tls handshake timeout", "ssl connection timeout", "ssl connection timed out")),
    ("deadline", (
        "context deadline exceeded", "client.timeout exceeded", "request canceled while waiting",
        "operation was canceled", "request canceled", "timeout awaiting response headers",
        "operation timed out after",
    )),
    ("no_route", (
        "no route to host", "host is unreachable", "host is down", "unreachable host", "ehostunreach",
    )),
    ("unreachable", (
        "network is unreachable", "unreachable network", "network unreachable", "enetunreach",
        "cannot assign requested address", "can't assign requested address", "address family not supported",
        ": address not available",
        "dial tcp: protocol not available", "network is down",
    )),
    ("not_permitted", (
        "connect: operation not permitted", "socket: operation not permitted", "socket: permission denied",
        "sendto: operation not permitted", "write: operation not permitted",
        "forbidden by its access permissions", "write udp: operation not permitted", "write: permission denied",
    )),
    ("connect_denied", ("connect: permission denied",)),
    ("invalid_argument", ("connect: invalid argument",)),
    # certificates
    ("unknown_authority", (
        "certificate signed by unknown authority", "unable to get local issuer certificate",
        "certificate is not trusted", "self signed certificate", "self-signed certificate",
        "unable to verify the first certificate", "certificate verification failed",
        "sec_e_untrusted_root", "not trusted by the trust provider", "certificate verify failed",
        "peer's certificate issuer", "signer not found", "unknown ca", "issuer is unknown",
        "certificate authority which is not trusted", "invalid peer certificate: unknownissuer",
        "x509: osstatus", "peer certificate cannot be authenticated",
    )),
    # what a server shows that has none for the name
    ("default_certificate", ("kubernetes ingress controller fake certificate", "traefik default cert")),
    ("no_roots", (
        "failed to load system roots", "error setting certificate verify locations",
        "error adding trust anchors", "error setting certificate file", "problem with the ssl ca cert",
        "system root pool is not available", "no ca certificates",
    )),
    ("no_ca_file", ("cafile: none",)),
    ("odd_certificate", (
        "negative serial number", "is not standards compliant", "parent certificate cannot sign",
        "not authorized to sign other certificates", "cannot parse ip address",
        "unhandled critical extension", "invalid signature", "insecure algorithm", "x509: malformed",
        "inappropriate key usage", "certificate specifies an incompatible key usage", "x509: invalid",
        "too many intermediates", "issuer name does not match", "intermediate certificate is not authorized",
        "issuer has name constraints",
    )),
    ("wrong_host", (
        "certificate is valid for", "doesn't contain any ip sans", "legacy common name field",
        "certificate is not valid for any names", "no alternative certificate subject name matches",
        "does not match target host", "certificate subject name", "does not match host name",
        "sec_e_wrong_principal", "not valid for requested host", "certificate common name",
        "certificate name does not match", "certificate is for ", "no certificate subject alternative name matches",
    )),
    ("expired", (
        "certificate has expired", "certificate is expired", "sec_e_cert_expired",
        "certificate is not yet valid", "certificate validation failed: expired", "not yet activated",
        "root or intermediate certificate has expired", "chain uses expired certificate",
    )),
    (
        "not_yet",
        (
            "is before 2", "certificate is not yet valid", "not activated", "not yet activated",
            "not yet been activated", "chain uses not yet valid certificate",
        ),
    ),
    ("revocation", (
        "crypt_e_no_revocation_check", "crypt_e_revocation_offline", "revocation function was unable",
        "revocation server was offline", "0x80092012", "0x80092013", "check revocation",
        "cert_trust_revocation_status_unknown", "cert_trust_is_offline_revocation",
    )),
    # Public servers send no roots along: who sees one that it does not know sees one that somebody made.
    ("own_root", ("self signed certificate in certificate chain", "self-signed certificate in certificate chain")),
    ("tls_version", (
        "protocol version not supported", "unsupported protocol version",
        "client offered only unsupported versions", "client offered an unsupported, maximum protocol version",
        "unsupported sslv2 handshake received",
        "remote error: tls: handshake failure", "no supported versions",
        "unconfigured cipher suite", "alert protocol version", "sslv3 alert handshake failure",
        "tlsv1 alert protocol version", "no mutual cipher suite",
        "a packet with illegal or unsupported version", "alert handshake failure",
        "gnutls_handshake() failed: handshake failed", "tls: insufficient security",
        "a tls fatal alert has been received", "tls: inappropriate fallback", "tls: no application protocol",
        "error in protocol version", "no supported cipher suites have been found",
        "could not create ssl/tls secure channel",
    )),
    ("go_alert", ("remote error: tls: ",)),
    ("client_certificate", (
        "tls: certificate required", "remote error: tls: bad certificate", "alert bad certificate",
        "certificate required", "no required ssl certificate was sent", "could not load pem client certificate",
        "remote error: tls: unsupported certificate", "remote error: tls: revoked certificate",
        "remote error: tls: expired certificate", "remote error: tls: unknown certificate",
    )),
    ("unrecognized_name", (
        "unrecognized name", "unrecognized_name", "remote error: tls: internal error", "tlsv1 alert internal error",
    )),
    ("bad_mac", (
        "bad record mac", "decryption failed or bad record", "tls: error decrypting message",
        "bad_record_mac", "received record with version", "unexpected message", "decode error",
        "tls: decryption failed", "tls: record overflow", "tls: error decoding", "tls: illegal parameter",
        "tls: access denied", "tls: downgrade attempt", "server key share", "did not send a key share",
        "tls: received unexpected", "tls: server sent an",
    )),
    ("mitm_name", (
        "zscaler", "netskope", "goskope", "fortinet", "fortigate", "palo alto", "umbrella", "blue coat",
        "bluecoat", "sophos", "kaspersky", "avast", "eset ssl", "bitdefender", "mcafee", "forcepoint",
        "websense", "watchguard", "sonicwall", "check point", "checkpoint", "barracuda", "mitmproxy",
        "charles proxy", "fiddler", "burp", "portswigger", "untangle", "cloudflare for teams",
        "cloudflare gateway", "ssl inspection", "tls inspection", "ssl-inspection", "corporate proxy",
        "company proxy", "deep packet", "menlo", "iboss", "skyhigh", "smoothwall", "lightspeed", "securly",
        "adguard", "mitm",
    )),
    # answers of servers
    ("too_many", (
        "429 too many requests", "too many requests", "returned error: 429", "rate limit exceeded", "status 429",
        ": 429",
    )),
    ("stream", (
        "stream error", "server sent goaway", "client connection force closed",
        "http2: client connection lost", "http2_stream", "http/2 stream", "http/2 framing layer",
        "http2 framing layer", "curl 92",
        "server closed idle connection", "http2: response body closed", "connection shutting down",
        "graceful shutdown goaway", "http2: client con", "http2: frame too", "http2: response header",
        "http2: unexpected", "internal_error; received from peer",
        "protocol_error", "refused_stream", "http2: invalid",
    )),
    ("html", ("looking for beginning of value", "<!doctype html", "<html")),
    ("vpc", ("securitypolicyviolated", "vpc service controls", "vpcservicecontrols")),
    ("api_limit", ("api rate limit exceeded for",)),
    ("no_live", ("no live upstreams", "no healthy upstream")),
    ("upstream_late", ("upstream timed out (110",)),
    ("gateway_timeout", (
        "504 gateway time", "499 client closed", "returned error: 504", "upstream timed out",
    )),
    # sums
    ("mismatch", ("checksum mismatch", "security error", "this download does not match", "; expected sum h1:")),
    ("mismatch_sumdb", ("reported by the checksum server",)),
    ("sum_words", ("h1:", "go.sum", "sum.golang", "verifying ")),
    ("sumdb_lies", (
        "misbehaving", "not authenticated", "invalid signed note", "malformed verifier",
        "cannot authenticate", "malformed lookup", "malformed tree", "invalid tree note", "tree note",
        "malformed record", "inconsistent", "malformed note", "note has no verifiable signatures",
        "unverifiable signatures", "checksum missing from sumdb response", "sumdb tile",
        "security error\ngo.sum database", "database server",
        "go.sum database server",
    )),
    ("verifying", ("verifying ",)),
    # modules
    ("unknown_revision", (
        "unknown revision", "couldn't find remote ref", "no matching versions for query",
        "reference not found", "bad object", "unadvertised object", "not our ref",
        "no secure protocol found", "does not exist in the remote", "no commits found", "fatal: invalid reference:",
        "is not an ancestor", "did not match any file(s) known to git", "no such ref", "ambiguous argument",
        "unknown commit",
        "does not match version-control timestamp", "revision is shorter than canonical",
        "revision is longer than canonical", "cannot find tag",
        "missing revision", "find remote branch", "remote branch", "is not a tag)", "ambiguous revision",
        "disallowed version string", "query refers to a non-semver revision",
    )),
    ("path_declared", ("declares its path as", "was required as", "unexpected module path")),
    ("path_mismatch", (
        "module path must match major version", "should be v0 or v1",
        "with go.mod file in subdirectory", "module contains a go.mod file, so",
        "major version must be compatible", "has malformed module path",
        "so .mod file must match", "missing module path at revision", "used for two different module paths",
    )),
    ("path_malformed", (
        "malformed import path", "invalid char '", "invalid module path",
        "invalid github.com import path", "invalid import path", "invalid version control suffix",
        "leading dot in path element", "is not a module path", "invalid gitlab",
        "invalid bitbucket.org import path", "cannot contain schema", "must not be local directory",
    )),
    ("not_a_package", (
        "is not in goroot", "is not in std", "but does not contain package",
        "cannot find module providing package", "no go source files",
        "not a known package", "not a package path", "cannot find package", "module found, but does not",
        "does not contain package",
    )),
    ("cannot_contain", ("cannot contain module", "cannot contain package")),
    ("vendor_gap", ("cannot find package \".\" in", "inconsistent vendoring in")),
    ("lookup_disabled", ("import lookup disabled by -mod=",)),
    ("no_meta", ("no go-import meta", "no <meta", "meta tag", "did not match meta", "no meta tag")),
    ("unrecognized_import", ("unrecognized import path",)),
    ("zip_names", ("malformed file path", "module source tree too large", "case-insensitive file name collision")),
    ("zip_invalid", (
        "create zip: ", "multiple entries for file",
        "too large (max size", "has unexpected file", "unexpected file name", "go.mod file too large",
        "malformed go.mod", "path does not have prefix \"", "disallowed path element",
        "zip file too large", "license file too large",
    )),
    ("import_collision", ("case-insensitive import collision",)),
    ("zip_broken", ("not a valid zip file", "zip: checksum error", "zip: unsupported", "unzip ")),
    ("malformed_http", ("malformed http response",)),
    ("bad_gzip", ("gzip: invalid header", "gzip: invalid checksum")),
    ("redirects", ("stopped after 10 redirects", "too many redirects")),
    ("to_insecure", ("from secure url", "to insecure url", " uses insecure protocol")),
    ("vcs_undetected", ("unable to detect version control system",)),
    ("meta_wrong", ("disagree about go-import", "multiple meta tags match")),
    ("odd_answer", ("invalid response from proxy", "proxy returned info for version")),
    ("goauth", (
        "goauth encountered", "goauth command", "goauth=git dir method", "goauth=git encountered",
        "goauth=off cannot", "'git credential fill'",
    )),
    ("fetch_late", ("fetch timed out", "fetch timeout", "download timed out", "temporarily unavailable")),
    # version control
    ("git_prompt", (
        "could not read username", "could not read password", "terminal prompts disabled",
        "cannot prompt because", "unable to read askpass", "user interactivity has been disabled",
        "no such device or address",
    )),
    ("sign_in", ("203 non-authoritative information",)),
    ("git_denied", (
        "authentication failed", "access denied", "invalid username or password",
        "password authentication was removed", "support for password", "http basic",
        "bad credentials", "authentication required", "invalid credentials",
        "write access to repository not granted", "login failed",
        "you may not have access to this repository", "tf400813", "tf401019", "saml sso",
        "401 unauthorized", "unauthorized", "has an ip allow list", "your account is suspended",
    )),
    ("repo_missing", (
        "repository not found", "repository does not exist", "not valid: is this a git repository",
        "does not appear to be a git repository",
        "project you were looking for could not be found", "you don't have permission to view it",
        "requested repository does not exist", "repository unavailable", "dmca", "returned error: 451",
        "access to this repository has been disabled",
        "could not read from remote repository", "repository is disabled", "repository has been",
    )),
    ("repo_hidden", ("project you were looking for could not be found", "don't have permission to view it")),
    ("repo_missing_plain", ("repository not found",)),
    ("ssh_key", (
        "permission denied (publickey", "host key verification failed",
        "no supported authentication methods", "could not open a connection to your authentication agent",
        "load key", "identityfile", "too many authentication failures",
        "remote host identification has changed", "knownhosts", "unprotected private key",
        "unable to authenticate", "sign_and_send_pubkey", "no matching host key type", "error in libcrypto",
        "bad permissions", "are too open", "bad owner or permissions on", "host key is known for",
        "host key is not cached", "possible dns spoofing detected", "potential security breach",
        "command-line line 0: ", "bad configuration option: ",
    )),
    ("ssh_words", ("git@", "ssh://", "ssh: ", "publickey", "port 22")),
    ("git_port", ("port 9418", "unauthenticated git protocol", "git://", "protocol 'git'")),
    ("git_clone_ssh", ("git clone git@", "git clone ssh://", "clone 'git@", "git pull", "git push")),
    ("vcs_missing", (
        "missing git command", "missing bazaar command",
        "missing subversion command", "missing fossil command", "cannot run ssh",
        "git executable not found",
    )),
    # go looks for Mercurial too where git was not let in.
    ("hg_missing", ("missing mercurial command",)),
    ("vcs_half", (
        "unable to find git", "invalid active developer path", "no developer tools were found",
        "unable to find remote helper for", "not supported or disabled in libcurl",
    )),
    ("vcs_not_found", (
        "git: command not found", "git: not found", "hg: command not found", "'git' is not recognized",
        "bzr: command not found", "svn: command not found",
    )),
    ("dubious", (
        "dubious ownership", "unsafe repository", "error obtaining vcs status", "obtaining vcs status",
    )),
    ("hung_up", (
        "hung up unexpectedly", "rpc failed", "index-pack failed", "fetch-pack", "the remote end hung up",
        "invalid index-pack", "expected flush after ref listing", "protocol error: bad pack",
        "inflate: data stream error", "remote: internal server error", "bad line length character",
    )),
    ("git_transfer", ("rpc failed; ", "index-pack failed", "fetch-pack", "invalid index-pack")),
    # this machine
    ("no_space", (
        "no space left on device", "disk quota exceeded", "there is not enough space", "disk full",
        "enospc", "no space left", "filesystem is full", "file system is full",
    )),
    ("read_only", ("read-only file system",)),
    ("odd_files", (
        "file name too long",
        "function not implemented", "operation not supported", "stale nfs", "stale file handle",
        "insufficient permission", "failed to write object", "filename too long", "creating work dir",
        "could not create leading directories", "text file busy", "not a directory", "too many open files",
        "unable to create thread", "malloc failed", " is corrupt", "error: object file",
    )),
    ("no_home", (
        "gomodcache entry is relative", "neither gomodcache nor gopath is set", "module cache not found",
        "build cache is required", "gopath entry is relative", "gopath entry cannot start with shell",
        "could not create module cache", "$home is not defined", "missing $gopath",
        "gocache is not defined", "%localappdata% is not defined", "must be set to use modules",
    )),
    ("cache_changed", ("zip has been modified", "dir has been modified", "missing ziphash", "corrupted index")),
    ("toolchain_missing", (
        "toolchain not available", "too many toolchain switches", "no releases found for go >=",
        "is a language version but not a toolchain version",
    )),
    ("toolchain_old", (
        "invalid go version", "gotoolchain=local)", "(running go", "invalid gotoolchain", "invoked to provide go1",
        "invalid toolchain", "go.mod requires go", "module requires go", "go.mod file indicates go",
        "is too new", "unknown directive: godebug", "unknown block type: tool", "unknown block type: retract",
        "unknown block type: godebug", "unknown block type: ignore", "requires newer go version",
        "language version", "not supported by this version", "cannot compile go", "note: module requires",
        "toolchain upgrade needed", "checksum database disabled by gosumdb=off",
        "flag provided but not defined: -modcache",
        "cannot find \"go1.", "but go.work lists go",
    )),
)  # fmt: skip


# --- words that carry something -----------------------------------------------------------------------------------


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE)


_YOUNG: Final = (
    r"embed|io/fs|net/netip|slices|maps|cmp|log/slog|iter|unique|structs|weak|context|plugin|encoding/json/v2"
    r"|math/(?:rand/v2|bits)|go/(?:version|types|constant|importer|build/constraint|doc/comment)|net/http/httptrace"
    r"|testing/(?:fstest|slogtest|synctest|cryptotest)|hash/maphash|debug/buildinfo|mime/quotedprintable"
    r"|crypto/(?:ed25519|ecdh|mlkem|hkdf|hpke|pbkdf2|sha3|fips140)|runtime/(?:metrics|coverage|trace)"
)
"""Packages of the standard library that came with Go 1.5 or later."""
_OLD: Final = (
    r"go/build|bufio|bytes|encoding/json|errors|flag|fmt|io|io/ioutil|log|math|net|net/http|os|os/exec|path|path/filepath"
    r"|reflect|regexp|runtime|sort|strconv|strings|sync|testing|time|unicode"
)
"""Some that have been there from the start: a Go that lacks one of them has lost its GOROOT."""

_AT_HOME: Final = (
    r"(?:\w+\.)?(?:github|gitlab|golang|google|goproxy|githubusercontent)\.\w+ [\[(]"
    r"(?:127\.\d+\.\d+\.\d+|::1|0\.0\.0\.0)[\])]"
)
"""A name that everybody knows, with an address of this machine."""

# tag, a plain text that must be there before the pattern is tried, the pattern
PATTERNS: Final[tuple[tuple[str, str, str], ...]] = (
    ("socks_fault", "socks5", r"(?<![-/\w])socks5h?\b(?!://|[-@/\w])"),
    (
        "portal_name", "certificate is valid for",
        r"certificate is valid for [^\n]*?(?:login\.|portal|wifi|hotspot|captive|guest)[^\n]*, not ",
    ),
    ("no_more_said", "unknown authority", r"x509: certificate signed by unknown authority\W*$"),
    ("lists_module", ": invalid character", r"module [\w-]+(?:\.[\w-]+)+/[^\s:]*: invalid character"),
    ("package_line", "package ", r"(?:^|\s)package [\w.-]+\.[\w./-]+: "),
    ("chain", "", r"\brequires\b|\bimports\b|\bupdating to\b|\btested by\b|\bupgrading\b"),
    (
        "fs_denied", "denied",
        (
            r"\b(?:mkdir|open|unlinkat|remove|rename|write|stat|lstat|chmod|chdir|creating|create|rm|fopen"
            r"|link|symlink|flock|fork/exec|scandir)\b[^\n]*[/\\][^\n]*(?:permission denied"
            r"|access is denied)|permission denied[^\n]*[/\\]\.?(?:cache|pkg|go)\b|(?:could not|cannot"
            r"|can't|failed to|unable to) (?:create|open|write|lock|initialize|mkdir)[^\n]*(?:permission"
            r"|access is|is) denied|fetch_head[^\n]*denied"
        ),
    ),
    ("fs_denied", "used by another process", r"[/\\][^\n]*being used by another process"),
    (
        "fs_denied", "operation not permitted",
        r"\b(?:mkdir|open|unlinkat|chmod|rename|flock|chtimes|link) [^\n]*operation not permitted",
    ),
    ("fs_denied", "permi", r"\b(?:eacces|eperm): (?:permission denied|operation not permitted), \w+ '"),
    ("fs_denied", "input/output error", r"input/output error"),
    (
        "vcs_missing", "is not installed",
        r"\b(?:git|hg|mercurial|bzr|bazaar|svn|subversion|fossil) is not installed",
    ),
    (
        "vcs_missing", "executable file not found",
        r"exec: \"?(?:git|hg|bzr|svn|fossil|ssh|git-remote-\w+)(?:\.exe)?\"?: executable file not found",
    ),
    # what git would take for a URL
    ("path_malformed", "unrecognized import path", r"unrecognized import path \"(?:[\w.-]+@[\w.-]+:|\w+://)"),
    # "malformed module path" stands before both: a character that cannot be, and a name that is nobody's host
    ("path_malformed", "malformed module path", r"malformed module path \"[^\"]*\": (?!missing dot)"),
    ("path_no_dot", "first path element", r"missing dot in first path element"),
    ("path_no_dot", "hostname", r"import path does not begin with hostname"),
    # packages that younger versions of Go brought along
    (
        "std_too_new", "",
        rf"\b(?:package|load|path) \"?(?:{_YOUNG})\b\"?[^\n]*"
        r"(?:not in (?:std|goroot)|missing dot|in any of|begin with hostname)",
    ),
    ("std_too_new", "providing package", rf"providing package (?:{_YOUNG})(?![\w/.-])"),
    ("std_too_new", "unrecognized import path", rf"unrecognized import path \"(?:{_YOUNG})\""),
    ("hostname_with_path", "resolve hostname", r"resolve hostname [\w.-]+\.[a-z]\w*:[^\s:]"),
    ("git_failed", "git ", r"\bgit (?:ls-remote|fetch|clone)\b[^\n]*exit status \d+"),
    # Only GOPATH mode hands the version on to git as if it were part of the name.
    (
        "gopath_hint", "git clone",
        r"git clone (?:-- )?https?://[^\s@]+@(?:latest|master|main|v\d[\w.]*|[0-9a-f]{7,40})\s",
    ),
    # Until Go 1.12 a commit that could not be fetched, for whatever reason, was "unknown" too.
    ("old_unknown", "unknown revision", r"@\S+: unknown revision|(?:err|goproxy:) unknown revision"),
    # GOPATH mode, `go get PATH` without a version, and Go before its default proxy: what is asked for is public
    (
        "asked_in_public", "",
        (
            r"\bgo(?: get)?:? (?:module )?[\w.-]+/[^\s@:]+: git "
            r"|^(?:\S+ )?go: \S+@v\S+: git (?:fetch|ls-remote|clone)"
        ),
    ),
    # the words of git's own library, as flux and argo hand them on
    (
        "clone_denied", "authentication required",
        (
            r"(?:clone|cloning|list refs|repository not accessible|testing repository connectivity)"
            r"[^\n]*: authentication required\b"
        ),
    ),
    ("asked_ssh", "git", r"git (?:ls-remote|fetch) [^\n]*(?:ssh://|\bgit@[\w.-]+:)"),
    (
        "ssh_timeout", "port 22",
        (
            r"port 22: (?:connection timed out|operation timed out|connection refused|no route"
            r"|network is unreach|unknown error|bad file number)|closed by \S+ port 22|reset by \S+ port 22"
        ),
    ),
    ("ssh_timeout", "exchange_identification", r"exchange_identification"),
    # as older versions of ssh put it
    ("ssh_timeout", "connection closed by ", r"^connection closed by [\da-f.:]+$"),
    # Only ssh, git:// and a path of this machine have no more to say than this.
    (
        "only_unread", "could not read from remote",
        (
            r"\A(?![\s\S]*(?:not found|not exist|does not appear|could not be found|not valid|denied|disabled"
            r"|hung up|timed out|refused|unreachable))[\s\S]*could not read from remote repository"
        ),
    ),
    # Somebody else's module asks for it.
    (
        "asked_by_public", "requires",
        r"\b(?:github\.com|gitlab\.com|gopkg\.in|k8s\.io|gitee\.com)/\S+@v\S+ requires\s+[^\s@]+@v\S+: unrecognized",
    ),
    ("git_port_timeout", "unable to connect to", r"unable to connect to [\w.-]+:"),
    (
        "loopback_proxy", "",
        (
            r"proxyconnect tcp: dial tcp (?:127\.|\[::1\]|localhost)|(?:failed to connect to"
            r"|connect to) (?:127\.0\.0\.1|localhost|::1) port (?!443|22\b)\d+|proxy(?:=|\W+)(?:https?"
            r"|socks5h?)://(?:127\.0\.0\.1|localhost|0\.0\.0\.0)"
        ),
    ),
    ("public_at_home", "ing ", rf"\b(?:connecting to|ping|pinging|trying) {_AT_HOME}"),
    ("public_at_home", "connected to ", rf"\bconnected to {_AT_HOME}"),
    ("read_tcp6", "->", r"(?:read|write) tcp (?:\[[^]]+\])[^\n]*->\[(?!::1\])[^]]+\]:443"),
    ("bare_phrase", "", r"(?<!fetch: )https?://[^\s\"']+\"?: (?:forbidden|blocked|access denied|not allowed)\b[^\n]*$"),
    ("bare_407", "proxy auth", r"https?://[^\s\"]+\"?: proxy authentication[^\n]*$|407"),
    # git's own library says it of a repository, in single quotes
    ("bare_407", "authentication", r"https?://[^\s\"']+\"?: authentication ?required\b"),
    (
        "bare_gateway", "",
        (
            r"(?<!fetch: )https?://[^\s\"']+\"?: (?:bad gateway|service unavailable|gateway time-?out"
            r"|internal server error|proxy error|tunnel[^\n]*failed|host unreachable)[^\n]*$"
        ),
    ),
    (
        "bare_other", "",
        (
            r"(?<!fetch: )https?://[^\s\"']+\"?: (?:bad request|method not allowed|not found|unauthorized"
            r"|not implemented|network is unreachable)[ \t]*$"
        ),
    ),
    # go itself waits for nothing but the answer to CONNECT with a limit of its own (a minute)
    ("bare_deadline", "deadline", r"https?://[^\s\"]+\"?: context deadline exceeded[ \t]*$"),
    ("tunnel_eof", "unexpected eof", r"(?:get|head) \"?https://[^\s\"]+\"?: unexpected eof"),
    ("get_url", "", r"\b(?:Get|Post|Head) \W?https?:"),
    ("status_401", "401", r"(?::\s+|status(?: code)?:? |returned )401\b"),
    ("status_403", "403", r"(?::\s+|status(?: code)?:? |returned )403\b|\) ?: 403"),
    ("status_404", "404", r"(?::\s+|status(?: code)?:? |returned )404\b"),
    ("logged_404", " /", r"\b(?:404|410) /[\w.-]+\.\w+/\S*@(?:v/|latest)"),
    # No fault: the module proxy leaves the sums to the database, and go asks that itself.
    ("only_supported", "/supported", r"404 /\S*/supported\b|/supported: 404"),
    ("status_404", "410", r"(?::\s+|status(?: code)?:? |returned )410\b"),
    ("not_json", "beginning of value", r"module [\w-]+\.[\w.-]+/[^\s:]+: invalid character"),
    # go asks Bitbucket which system a repository is kept in before it fetches anything.
    ("bitbucket_says_no", "api.bitbucket.org", r"api\.bitbucket\.org/2\.0/repositories/[^\n]*: 4(?:0[134]|10)\b"),
    # 436 and its like are what the seller of a domain that has run out answers with.
    ("status_404", "go-get=1", r"go-get=1\"?: 4(?:0[2567]|1[1-9]|2[0-8]|[3-9]\d)\b"),
    ("status_500", "500", r"(?::\s+|status(?: code)?:? |returned )500\b"),
    # Until Go 1.16 a repository that could not be read at all had "unknown" revisions too.
    ("maybe_unknown", "at revision", r"go\.mod at revision \S+: unknown revision"),
    ("login_in_url", "@", r"https?://(?:[^\s/@'\"]+@)[\w.<-]"),
    (
        "vcs_not_found", "not found",
        r"\b(?:ssh|git|hg|svn|bzr)(?: ?: line \d+)?: (?:ssh|git|hg|svn|bzr|command)?:? ?not found",
    ),
    ("toolchain_old", "path@version", r"path@version syntax with 'go get'(?! and)"),
    ("gopath_hint", "path@version", r"path@version syntax with 'go get' and"),
    ("path_mismatch", "go.mod has ", r"go\.mod has (?:non-|post-)"),
    ("path_mismatch", "invalid: ", r"version \"v[^\"]*\" invalid: should be v"),
    (
        "goproxy_not_effective", "does not override",
        r"go env -w goproxy=\S* does not override conflicting os environment variable",
    ),
    # Go before modules, and GOPATH mode, take a version for a part of the name.
    ("versioned_path", "@", r"import path \"\w[^\"@]*@[^\":]*\"|^package \w\S*@[^\s:]+: "),
    ("only_warned", "warning: modules disabled", r"^(?:go(?: get)?: )?warning: modules disabled"),
    ("maybe_unknown", "fatal: ", r"fatal: (?:bad object|ambiguous argument|invalid reference)"),
    ("hostname_with_path", "is not supported", r"protocol '[^']*@[^']*' is not supported"),
    # Files in the module cache that were never written to their end
    ("odd_files", "found 'eof'", r"[/\\]pkg[/\\]mod[/\\]\S+\.go:1:1: expected 'package', found 'eof'"),
    ("toolchain_old", "go.mod:", r"go\.mod:\d+: usage: go 1"),
    # A copy in the module cache that lost its settings: go calls the remote "origin".
    ("odd_files", "git", r"not a git repository: \S*[/\\]cache[/\\]vcs|'origin' does not appear to be a git"),
    (
        "odd_files", "exit status 128",
        (
            r"git (?:fetch|ls-remote|log|cat-file)[^\n]*exit status 128:\s*fatal: "
            r"(?:not a git repository|kein git-repository|pas un dépôt git|ni este ni|不是.{0,3}git)"
        ),
    ),
    ("lacks_mod", "missing ", r"missing \S*go\.mod (?:and \S+ )?at revision|parsing go\.mod: missing module line"),
    (
        "std_broken", "pa",
        (
            r"package (?:cmd|runtime|internal)/\S+ is not in (?:goroot|std)"
            rf"|package (?:{_OLD}) is not in (?:goroot|std)"
            rf"|unrecognized import path \"(?:{_OLD})\""
        ),
    ),
    ("tls_version", "unsupported protocol", r"unsupported protocol(?! scheme)"),
    ("read_timeout", "read tcp", r"read tcp [^\n]*->[^\n]*: i/o timeout"),
    ("body_eof", "use of closed", r"read tcp [^\n]*: use of closed network connection"),
    ("stream", "connection error: ", r"connection error: (?:[A-Z_]+_ERROR|ENHANCE_YOUR_CALM)\b"),
    (
        "dns_unable", "lookup ",
        (
            r"lookup \S+(?: on \S+)?: (?:invalid dns response|device or resource busy|system error|unrecognized address"
            r"|no suitable address|res_n\w+ fail|non-recoverable)"
        ),
    ),
    # A directory of one's own without Go files is no package of somebody else.
    (
        "no_go_files", " go ",
        r"no (?:buildable )?go (?:source )?files in (?!(?:[a-z]:)?[/\\](?!\S*(?:[/\\]src[/\\][\w-]+\.\w|@v)))",
    ),
    ("file_proxy_miss", "file://", r"reading file://\S+/@v/\S+: (?:not found|open |no such|the system cannot find)"),
    ("served_5xx", "/@v/", r"\"get \S*/@v/\S+ http/[\d.]+\" 5\d\d\b"),
    # actions/setup-go
    ("toolchain_unfetched", "download version", r"failed to download version \d[\w.-]*: [^\n]*http response: 4\d\d"),
    ("toolchain_unfetched", "unable to find go version", ""),
    ("fetch_said", "curl: (", r"curl: \((?:16|18|28|35|52|55|56)\) "),
    ("fetch_said", "104, ", r"\(104, '(?:connection reset|econnreset)"),
    ("powershell_timeout", "connection attempt failed", r"(?:invoke-\w+|iwr|irm) ?: a connection attempt failed"),
    ("url_malformed", "invalid port", r"parse \"[^\"]*\": invalid port"),
    ("tls_internal", "tls: internal error", r"tls: internal error"),
    ("toolchain_old", "unknown directive", r"unknown directive: (?:toolchain|tool|godebug|ignore)$"),
    ("no_versions", "no matching versions", r"no matching versions for query \"(?:latest|upgrade|patch)"),
    # as a bot's log of what it asked for writes it
    ("status_404", "go-get=1", r"\b404 https://\S+\?go-get=1"),
    ("status_400", "400", r": 400 bad request"),
    ("status_451", "451", r": 451\b"),
    (
        "status_5xx", " 5",
        (
            r"(?:: |status(?: code)?:? |returned (?:error: )?)(?:5[0-9][0-9])\b"
            r"|5\d\d (?:internal server error|bad gateway|service unavailable|gateway time)"
        ),
    ),
    ("repo_missing", "repository '", r"repository '[^'\n]+' not found"),
    ("repo_missing", "returned error: 404", r"^(?![^\n]*curl: \(22\))[^\n]*returned error: 404"),
    ("git_denied", "returned error: 40", r"^(?![^\n]*curl: \(22\))[^\n]*returned error: 40[13]"),
    ("git_5xx", "returned error", r"the requested url returned error: 5\d\d"),
    ("git_trouble", "remote error: ", r"remote error: (?:internal server error|service unavailable|bad gateway)"),
    # Why git failed decides, where its words stand behind it.
    ("unknown_revision", "invalid pseudo-version", r"invalid pseudo-version(?!: git )"),
    ("meta_mismatch", "did not match import path", r"\(meta tag \S+ did not match import path"),
    # as servers write it that ask others for names, and as a socket says it
    ("dns_timeout", "i/o timeout", r"read udp \S+->\S+:53: (?:read: )?i/o timeout"),
    ("dns_timeout", "dns over tls", r"read tcp \S+->\S+:853: (?:read: )?i/o timeout"),
    # Cut off before the first word of the server: nothing of it was seen but an open port.
    (
        "handshake_cut", "",
        (
            r"ssl_connect: (?:connection (?:was )?reset|ssl_error_syscall)[^\n]* in connection to [\w.-]+:443"
            r"|curl: \(35\) [^\n]*unexpected eof while reading|remote host terminated the handshake"
        ),
    ),
    ("read_cut", "read tcp", r"read tcp (?!127\.|\[::1\])\S+->\S+:443: read: connection reset by peer"),
    (
        "dns_timeout", "lookup ",
        (
            r"lookup \S+(?: on \S+)?: (?:read (?:udp|tcp)[^\n]*|dial (?:udp|tcp)[^\n]*|)(?:i/o timeout"
            r"|operation timed out|connection timed out)"
        ),
    ),
    (
        "dns_timeout", "lookup ",
        r"lookup [^\n]*(?:context deadline exceeded|: timeout|operation was canceled|i/o timeout)",
    ),
    (
        "dns_refused", "lookup ",
        r"lookup [^\n]*:53[^\n]*(?:connection refused|actively refused|port unreachable)",
    ),
    (
        "dns_no_way", "lookup ",
        r"lookup [^\n]*(?:unreachable|no route to host|not permitted|invalid argument|permission denied)",
    ),
    ("old_timeout", "dial tcp: i/o timeout", r"dial tcp: i/o timeout"),
    # an address that somebody put crosses in place of
    ("dial_timeout", "i/o timeout", r"dial tcp [^\s:]+: (?:connect: )?i/o timeout"),
    ("dst_root", "is after 2021-09-30", r"is after 2021-09-30t14:01:15z"),
)  # fmt: skip

_DIAL: Final = (
    r"(?:dial|connect) (?:tcp|udp)\d?:?(?: \S+->)? (?P<at>\[[^]]*\]|[\d.]+|[\w.-]+|):(?P<port>\d+): "
    r"(?:connect: |connectex: |socket: |bind: )?(?P<how>.*)"
)
_CURL: Final = r"failed to connect to (?P<at>\S+) port (?P<port>\d+)[^:\n]*: ?(?P<how>.*)"
_OLD_CURL: Final = r"failed connect to (?P<at>[^\s:]+):(?P<port>\d+); (?P<how>.*)"
_APT: Final = (
    r"initiate the connection to \S+:(?P<port>\d+) \((?P<at>[0-9a-f:.]+)\)\. - connect \(\d+: "
    r"(?P<how>[^)]*)\)"
)
_GIT: Final = r"\[\d+: (?P<at>[0-9a-f.:]+)\]: errno=(?P<how>.*)(?P<port>)"
_WGET: Final = (
    r"connecting to (?:\S+ \(\S+\)\|)?(?P<at>[0-9a-f.:]+)\|?:(?P<port>\d+)\.\.\. failed: (?P<how>.*)"
)
_NGINX6: Final = r"connect\(\) to (?P<at>\[[0-9a-f:.]+\]):(?P<port>\d+) failed \(\d+: (?P<how>[^)]*)\)"

_HOW: Final = (
    ("dial_timeout", (
        "timeout", "timed out", "did not properly respond", "connection attempt failed",
        "connected party", "unknown error", "couldn't connect to server", "deadline", "could not connect",
        "operation now in progress", "no error",
    )),
    ("dial_refused", ("refused", "actively", "no connection could be made")),
)  # fmt: skip


def words_in(text: str) -> Iterator[str]:
    """The tags of a text by itself, without who was asked."""
    low = text.lower()
    for tag, texts in WORDS:
        if any(word in low for word in texts):
            yield tag
    for tag, must, pattern in PATTERNS:
        if must in low and _compiled(pattern).search(text):
            yield tag
    for m in _dials(text, low):
        how = m["how"].lower()
        told = [tag for tag, words in _HOW if any(word in how for word in words)]
        # In letters that nobody can read any more: most connections fail by a time-out.
        yield from told or (["dial_timeout"] if not how.isascii() else [])


def _dials(text: str, low: str) -> Iterator[re.Match[str]]:
    for must, pattern in (
        ("tcp", _DIAL),
        ("failed to connect", _CURL),
        ("failed connect", _OLD_CURL),
        ("errno=", _GIT),
        ("initiate the", _APT),
        ("... failed: ", _WGET),
        ("connect() to [", _NGINX6),
    ):
        if must in low:
            yield from _compiled(pattern).finditer(text)


def _where(text: str, target: Target) -> Iterator[str]:
    """The addresses that were dialled, or that a connection broke to."""
    for m in _dials(text, text.lower()):
        elsewhere = target.url and m["at"].strip("[]") != target.host and m["port"] != "443"
        bare = m.re.pattern == _WGET and "|" not in m[0] and m["port"] not in ("443", "80")
        if bare or (elsewhere and m.re.pattern == _CURL):
            yield "dials_another"  # they name whom they dial: not the host of the URL is the forward proxy
        if m["port"] not in ("53", "22"):
            yield from address_tags(m["at"], target.host)
            yield "dialled"
    for m in _compiled(r"->(\[[^]]+\]|[\d.]+):(\d+)\b").finditer(text):
        if m[2] in ("443", "80") or f":{m[2]}/" in f"{target.url}/":
            yield from address_tags(m[1], target.host)
        elif m[2] not in ("53", "22") and (target.module or (target.host and not _loopback(target.host))):
            yield "odd_port"  # the connection that broke does not lead to the host of the URL: it leads to a proxy
            if _loopback(m[1]):
                yield "loopback_proxy"


def _loopback(host: str) -> bool:
    return "to_loopback" in address_tags(host, "")


_TIME: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
_TIMES: Final = rf"current time (?P<now>{_TIME})\S* is (?P<side>before|after) (?P<end>{_TIME})"
_LONG: Final = 45
"""Days after which a certificate of a large public host has certainly been renewed."""


def _when(text: str, target: Target) -> Iterator[str]:
    """What the two times of an expired certificate say: a clock that is wrong by months is no expiry."""
    m = _compiled(_TIMES).search(text)
    if m is None:
        return
    try:
        now, end = datetime.fromisoformat(m["now"]), datetime.fromisoformat(m["end"])
    except ValueError:  # a paste may hold anything
        return
    yield "times"
    if m["side"] == "before":
        yield "not_yet"
    elif (now - end).days >= _LONG and {"google_host", "public_code"} & set(host_tags(target.host)):
        yield "long_past"
    yield "expired"
