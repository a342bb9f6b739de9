"""What a scenario teaches, by the cause that it shows: what is seen, why, how its neighbours differ, what mends it.

Scenarios of one cause share a lesson; what is special about each is its summary and what it changes in the world.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from goferry.i18n import N_


@dataclass(frozen=True, slots=True)
class Lesson:
    """Four sentences or so, each an English key."""

    seen: str
    why: str
    apart: str
    mend: str


LESSONS: Final[Mapping[str, Lesson]] = {
    "gopath_mode_ignores_goproxy": Lesson(
        N_("go says that modules are disabled, or dials the host of the import path although GOPROXY is set."),
        N_("With GO111MODULE=off there are no modules, and so nothing that GOPROXY could be asked for."),
        N_("With GOPROXY=off modules are on and the message names GOPROXY."),
        N_("Unset GO111MODULE, in the environment and in the go env file, and work in a folder with a go.mod."),
    ),
    "goproxy_off": Lesson(
        N_("go says: module lookup disabled by GOPROXY=off."),
        N_("The value off forbids the network for modules; only what is in the module cache can be used."),
        N_("GOFLAGS=-mod=vendor also does without the network, but complains about the vendor folder."),
        N_("Set GOPROXY to a module proxy, or fill the module cache before."),
    ),
    "goproxy_setting_not_effective": Lesson(
        N_("go asks a proxy that you thought you had replaced."),
        N_("The value was written where this process does not look: into another shell's file, or with go env -w below "
           "a variable of the environment, which wins."),
        N_("A malformed value is read, and complained about; this one is never read."),
        N_("Look at go env GOPROXY in the same shell, and set or unset the variable there."),
    ),
    "goproxy_value_malformed": Lesson(
        N_("go complains about the proxy URL itself, or asks for a path with a strange tail."),
        N_("Entries are parted by a comma or a bar; direct and off are in lower case; quotes belong to the shell."),
        N_("A right value for a wrong host fails by name or connection."),
        N_("Write the list anew: https://first.example.org,direct."),
    ),
    "go_setting_refused": Lesson(
        N_("go stops before it asks anybody, and its message names a variable: GOFLAGS, GOVCS, GOSUMDB, GOTOOLCHAIN."),
        N_("The value has a form that go does not know, or forbids the program that the module needs."),
        N_("A wrong GOPROXY is a fault of its own; GO111MODULE=off is a value that go knows."),
        N_("Take the variable away, in the environment or with go env -u, or write it as go help environment says."),
    ),
    "goprivate_not_set": Lesson(
        N_("A company's module is not found at a public proxy, or the checksum database does not know it."),
        N_("Without GOPRIVATE go asks the public proxy and the public database for every path, private ones too."),
        N_("With GOPRIVATE set and a login missing, git itself complains and no proxy is named."),
        N_("Set GOPRIVATE to the host or folder, without a scheme: git.corp.example.com."),
    ),
    "goproxy_comma_no_fallback": Lesson(
        N_("The first proxy's refusal is the last word, though others follow in the list."),
        N_("After a comma go goes on only when the answer was 404 or 410; a 403, a 5xx or a timeout ends the search."),
        N_("With one entry only there is nothing to fall back to, and the fault is the server's alone."),
        N_("Put a bar between the entries, which goes on after any failure, or mend the first proxy."),
    ),
    "goproxy_lacks_module_no_direct": Lesson(
        N_("404 or 410 from every proxy, for a module that exists at its origin."),
        N_("The proxies do not have it, and the list does not end in direct."),
        N_("If the origin lacks the version too, the version is wrong; if older versions are there, the mirror lags."),
        N_("Add direct to GOPROXY, or put the module into the proxy."),
    ),
    "forward_proxy_broken": Lesson(
        N_("proxyconnect with refused or a timeout, or a bare EOF, for every host."),
        N_("HTTPS_PROXY names a forward proxy that does not take connections or drops them."),
        N_("A refusal with a number (403, 407, 503) comes from a proxy that works."),
        N_("Unset HTTPS_PROXY where the direct way is open, or name a proxy that works."),
    ),
    "forward_proxy_denied": Lesson(
        N_("The bare word Forbidden, without the URL being read."),
        N_("The forward proxy answered CONNECT with 403: its policy forbids this target."),
        N_("A 403 of the module proxy is shown as reading URL: 403 Forbidden."),
        N_("Ask for the host to be allowed, use a mirror that is, or go past the proxy where that is open."),
    ),
    "forward_proxy_loopback_in_container": Lesson(
        N_("proxyconnect to 127.0.0.1 is refused, inside a container."),
        N_("In a container 127.0.0.1 is the container, and the proxy runs on its host."),
        N_("On the host itself a refused loopback proxy is one that is not started."),
        N_("Name the host as the container sees it, or unset the variables for the container."),
    ),
    "forward_proxy_wrong_scheme": Lesson(
        N_("The first record does not look like a TLS handshake, or an EOF right after the request."),
        N_("The scheme of HTTPS_PROXY says how to speak with the proxy, not with the target."),
        N_("A proxy that is down refuses or stays silent; this one answers in the other language."),
        N_("Write http:// for a plain proxy, https:// for one with TLS."),
    ),
    "forward_proxy_auth_required": Lesson(
        N_("The bare words Proxy Authentication Required."),
        N_("The forward proxy answered CONNECT with 407. go can give a user and password, not a Windows login."),
        N_("403 means that it knows enough of you, and forbids the target."),
        N_("Put user and password into the URL of HTTPS_PROXY; for NTLM run a local proxy that logs in."),
    ),
    "forward_proxy_overloaded": Lesson(
        N_("A bare Service Unavailable, Bad Gateway or Gateway Timeout, perhaps after a while."),
        N_("The forward proxy is up and cannot carry the tunnel now."),
        N_("The same words after reading URL come from the module proxy."),
        N_("Wait, or go past the proxy where the direct way is open."),
    ),
    "no_proxy_black_hole": Lesson(
        N_("A timeout by address, although HTTPS_PROXY is set."),
        N_("An entry of NO_PROXY matches the host, so go takes the direct way, which is closed here."),
        N_("If the forward proxy cannot reach the host either, the host is what is blocked."),
        N_("Take the entry out of NO_PROXY."),
    ),
    "no_proxy_missing": Lesson(
        N_("A bare Bad Gateway for a host inside the company."),
        N_("The host goes to the forward proxy, which does not know it; directly it would be reached."),
        N_("If it cannot be reached directly either, the host is down."),
        N_("Add it to NO_PROXY, with commas: .corp.example.com."),
    ),
    "dns_hijacked": Lesson(
        N_("A certificate for somebody else, or a refused or silent address that is not the host's."),
        N_("The name server, or somebody on the way to it, answers with a false address."),
        N_("A hosts file does the same on this machine; a CDN gives other addresses that work."),
        N_("Use a name server that does not lie, or one over HTTPS or TLS."),
    ),
    "dns_no_resolv_conf": Lesson(
        N_("lookup on [::1]:53 or 127.0.0.1:53: connection refused."),
        N_("resolv.conf names no server, so go asks this machine."),
        N_("A real server's address in the message means that this one is out of reach."),
        N_("Write a nameserver line into resolv.conf."),
    ),
    "dns_resolver_unreachable": Lesson(
        N_("i/o timeout or connection refused at port 53 of the name server, for every name."),
        N_("Nobody answers questions at the address in resolv.conf."),
        N_("If other hosts cannot be reached by address either, there is no network at all."),
        N_("Name another server in resolv.conf."),
    ),
    "dns_slow": Lesson(
        N_("Everything works, and everything takes seconds longer than it should."),
        N_("Answers come late, or only from the second server after the first was waited for."),
        N_("A slow path is slow for bytes too, not for names only."),
        N_("Put a server that answers first, or run a caching one on this machine."),
    ),
    "dns_negative_filter": Lesson(
        N_("no such host, server misbehaving, or a refused connection to 0.0.0.0, for one name."),
        N_("The name server denies a name that others know."),
        N_("If others deny it too, the name is wrong."),
        N_("Use another name server, or another mirror."),
    ),
    "hosts_file_override": Lesson(
        N_("A certificate for somebody else, or a refused connection, while name servers tell the truth."),
        N_("A line in the hosts file wins over every name server."),
        N_("A lying name server gives the false answer to direct questions too."),
        N_("Take the line out of the hosts file."),
    ),
    "goproxy_host_blocked": Lesson(
        N_("Thirty seconds of silence, a refusal, or no route, for the module proxy only."),
        N_("A filter, or the host itself, does not let connections through; others are well."),
        N_("If only TLS for its name fails, it is a filter on server names."),
        N_("Name a mirror that is reached from here in GOPROXY."),
    ),
    "direct_host_blocked": Lesson(
        N_("The host of the import path or the code host cannot be reached, with GOPROXY=direct."),
        N_("Without a module proxy go and git must reach every host themselves."),
        N_("A host that answers with an error is up; then its page is the fault."),
        N_("Put a module proxy into GOPROXY."),
    ),
    "ipv6_path_broken": Lesson(
        N_("TLS handshake timeout at an IPv6 address, though IPv4 works."),
        N_("IPv6 connects, so go never tries IPv4, and then no byte passes."),
        N_("IPv6 that is refused at once does no harm, as go falls back."),
        N_("Mend or switch off IPv6 on this machine, or pin the IPv4 address for a while."),
    ),
    "middlebox_reset": Lesson(
        N_("connection reset by peer right after TLS begins, at every host."),
        N_("A device on the way resets what it does not like."),
        N_("If another server name passes at the same address, the name is what is filtered."),
        N_("Take another way out, or a forward proxy; ask who runs the network."),
    ),
    "tls_large_clienthello": Lesson(
        N_("TLS handshake timeout with a new go, while curl or an old go works."),
        N_("The first message of TLS with post-quantum keys does not fit into one packet, and a device drops it."),
        N_("If the server's large packets are lost, small first messages fail too."),
        N_("GODEBUG=tlsmlkem=0 makes it small again, until the device is replaced."),
    ),
    "mtu_blackhole": Lesson(
        N_("TLS handshake timeout, or a download that stops; small answers come."),
        N_("Full-size packets vanish on the way, and the message that would say so is dropped."),
        N_("A large first message that is dropped fails before the server says anything."),
        N_("Lower the MTU of the interface, of the tunnel or of Docker's network."),
    ),
    "sni_filtered": Lesson(
        N_("A reset or a timeout in the handshake with one host, whose address is reached."),
        N_("A device reads the server name in the first message and stops those on its list."),
        N_("With another name at the same address the server answers."),
        N_("Use a mirror under another name, or another way out."),
    ),
    "sandbox_no_network": Lesson(
        N_("network is unreachable, or operation not permitted, for everything at once."),
        N_("The build runs without a network by design."),
        N_("With a network something always works: an address, a name, loopback apart."),
        N_("Bring the modules in before: vendor, or a filled module cache, or a file:// proxy."),
    ),
    "captive_portal": Lesson(
        N_("A certificate of a sign-in page, or HTML in place of JSON."),
        N_("The network sends everybody to its sign-in page first."),
        N_("A company's firewall signs for the right names; a portal does not."),
        N_("Sign in with a browser, then try again."),
    ),
    "server_closed_silently": Lesson(
        N_("EOF or unexpected EOF."),
        N_("The other side ends the connection without saying why, at once or in the middle of a body."),
        N_("A device on the way sends a reset mostly, and does it for other hosts too."),
        N_("Use another mirror, and tell those who run this one."),
    ),
    "ca_bundle_missing_or_stale": Lesson(
        N_("certificate signed by unknown authority, for every host."),
        N_("The machine has no certificate store, or one that is too old for the authorities in use."),
        N_("If the authority is a company's and no public store has it, the traffic is inspected."),
        N_("Install or update ca-certificates, or name a store with SSL_CERT_FILE."),
    ),
    "tls_mitm_corporate_ca": Lesson(
        N_("certificate signed by unknown authority, and the same unknown authority for unrelated hosts."),
        N_("A firewall opens the traffic and signs it anew with the company's authority."),
        N_("With a public authority the store is what is old."),
        N_("Give the company's authority to go (system store or SSL_CERT_FILE) and to git (http.sslCAInfo)."),
    ),
    "clock_skew": Lesson(
        N_("certificate has expired or is not yet valid, for every host, with a strange current time."),
        N_("This machine's clock is wrong."),
        N_("A single host whose certificate expired is that host's fault."),
        N_("Set the clock, and let it be kept right."),
    ),
    "server_cert_expired": Lesson(
        N_("certificate has expired, for one host."),
        N_("Its owner forgot to renew it."),
        N_("If all hosts seem expired, this machine's clock is wrong."),
        N_("Use another mirror until it is renewed."),
    ),
    "server_cert_wrong_host": Lesson(
        N_("certificate is valid for another name."),
        N_("The server has moved or is set up wrongly."),
        N_("If the address is not the host's, names are what is wrong."),
        N_("Use another mirror, and tell its owner."),
    ),
    "tls_version_mismatch": Lesson(
        N_("remote error: tls: protocol version not supported, or handshake failure."),
        N_("The server finds no version or cipher in common with the client."),
        N_("An unknown name is alert 112, a missing client certificate 116 or, in TLS 1.2, also 40 after its request."),
        N_("Update what is older; use another mirror meanwhile."),
    ),
    "tls_client_certificate_required": Lesson(
        N_("remote error: tls: certificate required, or handshake failure after the server asked for one."),
        N_("The server wants a client certificate, and go has none to give."),
        N_("If the server never asks for one, versions or ciphers do not fit."),
        N_("Use a way in that takes other credentials."),
    ),
    "tls_server_name_unknown": Lesson(
        N_("remote error: tls: unrecognized name."),
        N_("The server has no certificate for this name."),
        N_("A filter on the way sends a reset, not an alert."),
        N_("Correct the name, or the server's settings."),
    ),
    "goproxy_server_5xx": Lesson(
        N_("reading URL: 500 or 502; or not a valid zip file, gzip: invalid header, stopped after 10 redirects."),
        N_("The module proxy itself fails, or what it sends is no answer that go could use."),
        N_("If its text tells of a host that it cannot reach, its own network is the fault."),
        N_("Use another mirror, or wait."),
    ),
    "goproxy_upstream_unreachable": Lesson(
        N_("server response: with a network error that names another machine's way."),
        N_("The module proxy cannot reach the origin from where it is."),
        N_("The same words without server response are about this machine."),
        N_("Use another mirror, or tell those who run this one."),
    ),
    "goproxy_lacks_vcs_credentials": Lesson(
        N_("server response: terminal prompts disabled, from the company's own proxy."),
        N_("The module proxy has no login for the private repository."),
        N_("From a public proxy the same words mean that a private module was asked for there."),
        N_("Give the module proxy a login, or set GONOPROXY and fetch with your own."),
    ),
    "rate_limited_429": Lesson(
        N_("429 Too Many Requests."),
        N_("This client, or all behind its address, asked for too much."),
        N_("503 is the server's own trouble."),
        N_("Wait as long as Retry-After says, ask for less at once, or keep a cache of your own."),
    ),
    "zip_storage_forbidden": Lesson(
        N_("Everything works but the zip, which is 403, or 400 where a token or signature has run out."),
        N_("Zips lie with a storage host, which refuses this client, this network, or the mirror's own signature."),
        N_("If .info and .mod are refused too, it is the proxy's policy; if the storage's name or certificate is at "
           "fault, that is the cause."),
        N_("Use a mirror that serves zips itself."),
    ),
    "http2_server_fault": Lesson(
        N_("stream error, or server sent GOAWAY."),
        N_("The server, or what stands before it, breaks HTTP/2."),
        N_("If HTTP/1.1 fails too, it is not the protocol."),
        N_("GODEBUG=http2client=0 speaks HTTP/1.1 until it is mended."),
    ),
    "mirror_lag_negative_cache": Lesson(
        N_("404 for a version that has just been tagged."),
        N_("The mirror looked before the tag was there and remembers that, or has not looked yet."),
        N_("If the origin lacks the tag too, the version is wrong."),
        N_("Wait for half an hour, or fetch this one directly."),
    ),
    "reverse_proxy_timeout": Lesson(
        N_("504 Gateway Time-out on a page of nginx or a load balancer."),
        N_("What stands before the module proxy gave up before it answered."),
        N_("504 from a forward proxy is a bare Gateway Timeout."),
        N_("Try again, as the answer may be ready by now; let its owner raise the time."),
    ),
    "reverse_proxy_no_live_upstream": Lesson(
        N_("503 no healthy upstream, or its like, at once."),
        N_("All machines behind the load balancer are marked as down."),
        N_("A module proxy that fails itself says more, or takes longer."),
        N_("Use another mirror until they are back."),
    ),
    "sumdb_unreachable": Lesson(
        N_("verifying: with a timeout, a refusal or a reset at the checksum database."),
        N_("Modules can be reached, the database cannot."),
        N_("If the message names the module proxy's /sumdb/, its mirror of the database is broken."),
        N_("Use a module proxy that mirrors the database, or another name of it in GOSUMDB."),
    ),
    "goproxy_sumdb_mirror_broken": Lesson(
        N_("verifying: with an error at the module proxy's /sumdb/ path."),
        N_("The proxy says that it answers for the database and does not, or refuses the question."),
        N_("If the database itself is named, the way to it is what is broken."),
        N_("Use another module proxy, or name the database with a URL in GOSUMDB."),
    ),
    "checksum_mismatch_retagged": Lesson(
        N_("checksum mismatch, SECURITY ERROR."),
        N_("One version has two contents: the tag was moved after it was published."),
        N_("If the proxy's bytes and the origin's are the same, go.sum is what is old."),
        N_("Take a later version; never switch the check off before you know which content is right."),
    ),
    "git_credentials_missing": Lesson(
        N_("could not read Username: terminal prompts disabled, or Authentication failed, from git; where the host "
           "shows a page to sign in, unknown revision or no go-import meta tags."),
        N_("The repository wants a login, and go runs git without anybody to ask; or the token that git has is no "
           "longer good."),
        N_("Code hosts say the same for repositories that do not exist."),
        N_("Give git a login: a credential helper, netrc, or an insteadOf with a token."),
    ),
    "git_insteadof_ssh": Lesson(
        N_("Host key verification failed, or Permission denied (publickey), for an https path."),
        N_("An insteadOf rule turns https into ssh, for which there is no key or known host here."),
        N_("git ls-remote --get-url shows whether a rule is at work."),
        N_("Take the rule out, or give this user a key and the host's key."),
    ),
    "git_protocol_blocked": Lesson(
        N_("unable to connect, at port 9418 or 22."),
        N_("The network lets https pass and other protocols not."),
        N_("A server that refuses a key was reached."),
        N_("Let an insteadOf rule turn git:// or ssh:// into https://."),
    ),
    "git_ssh_key_refused": Lesson(
        N_("Permission denied (publickey), or Host key verification failed."),
        N_("The server is reached by ssh, and accepts none of the keys; or its own key is unknown here, or another one "
           "than before."),
        N_("If an insteadOf rule made it ssh, the rule is the fault."),
        N_("Give the key to the account, load it into the agent, or use https. Take a changed host key only when its "
           "owner has published it."),
    ),
    "vcs_binary_missing": Lesson(
        N_("executable file not found in $PATH."),
        N_("A direct download needs git, or another program, and it is not installed or not on PATH."),
        N_("Through a module proxy none is needed."),
        N_("Install it, or set GOPROXY to a module proxy."),
    ),
    "vanity_host_down": Lesson(
        N_("unrecognized import path, with a status or without a go-import tag."),
        N_("The host of the import path does not say where the code is."),
        N_("If it cannot be reached at all from here, but from elsewhere, it is blocked."),
        N_("Use a module proxy, which does not need it."),
    ),
    "module_path_mismatch": Lesson(
        N_("module declares its path as: A, but was required as: B."),
        N_("The module was renamed or forked, and its go.mod names another path."),
        N_("A misspelt path is not found at all."),
        N_("Require the declared path, or replace the module."),
    ),
    "module_path_wrong": Lesson(
        N_("Not found by the proxy and unrecognized by the host."),
        N_("The path is misspelt, or never existed."),
        N_("If older versions are known somewhere, the repository is gone."),
        N_("Correct the path in go.mod and in the imports."),
    ),
    "module_zip_invalid": Lesson(
        N_("malformed file path, or another rule of zips, while unpacking."),
        N_("The module holds names that no module may have."),
        N_("A broken download fails its checksum first."),
        N_("Take another version; tell the author."),
    ),
    "unknown_revision": Lesson(
        N_("unknown revision, or invalid version."),
        N_("The version that go.mod wants was never tagged, its tag lacks the v, or the tag was deleted."),
        N_("A mirror that lags lacks what the origin has."),
        N_("Take a version that exists: go list -m -versions MODULE."),
    ),
    "repo_private_or_deleted_upstream": Lesson(
        N_("could not read Username, for what was public once."),
        N_("The owner made the repository private, renamed or deleted it; code hosts ask for a login then."),
        N_("A private repository of your own wants your login."),
        N_("Use a mirror that still has it, replace it by a fork, or do without."),
    ),
    "local_disk_or_permission": Lesson(
        N_("permission denied, read-only file system, or no space left on device."),
        N_("The module cache cannot be written."),
        N_("Nothing of the network is named in the message."),
        N_("Make room, mend the owner, or name another folder with GOMODCACHE."),
    ),
    "toolchain_not_available": Lesson(
        N_("go.mod requires a newer go, or toolchain not available."),
        N_("The go line wants a version that GOTOOLCHAIN forbids or the proxy does not have."),
        N_("Other modules come from the same proxy without trouble."),
        N_("Install that version of go, or lower the go line."),
    ),
}  # fmt: skip
