"""For each cause: what mends it, in words and commands, and the one probe that would settle whether it is the one.

Sentences are keys for gettext. `{host}` and `{module}` stand for what the paste was about. The commands are for a
shell; `docker` and `ci` say the same for a Dockerfile and for a CI job where it is said differently there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from goferry.i18n import N_


@dataclass(frozen=True, slots=True)
class Advice:
    """fix and probe are keys; the rest are command lines, "" where there is none to type."""

    fix: str
    shell: tuple[str, ...] = ()
    docker: tuple[str, ...] = ()
    ci: tuple[str, ...] = ()
    probe: str = N_("Run the diagnosis on the machine where it failed.")
    probe_command: str = "goferry doctor {module}"


_MIRROR: Final = ("go env -w GOPROXY=https://goproxy.cn,direct",)
_MIRROR_DOCKER: Final = ("ENV GOPROXY=https://goproxy.cn,direct",)
_MIRROR_CI: Final = ("GOPROXY: https://goproxy.cn,direct",)
_PRIVATE: Final = ("go env -w GOPRIVATE={prefix}",)
_PRIVATE_DOCKER: Final = ("ENV GOPRIVATE={prefix}",)
_PRIVATE_CI: Final = ("GOPRIVATE: {prefix}",)
_CA_DOCKER: Final = (
    "COPY company-ca.crt /usr/local/share/ca-certificates/",
    "RUN update-ca-certificates",
)

ADVICE: Final[Mapping[str, Advice]] = {
    # settings
    "gopath_mode_ignores_goproxy": Advice(
        N_("Switch module mode on, and run go inside a module; only then is GOPROXY read."),
        ("go env -w GO111MODULE=on", "go mod init example.com/app"), ("ENV GO111MODULE=on",), ("GO111MODULE: on",),
        N_("See which mode go is in: no go.mod path means none is used."), "go env GO111MODULE GOMOD"),
    "goproxy_off": Advice(
        N_("Give GOPROXY a mirror again."), _MIRROR, _MIRROR_DOCKER, _MIRROR_CI,
        N_("See the value and where it comes from."), "go env GOPROXY; env | grep GOPROXY"),
    "goproxy_setting_not_effective": Advice(
        N_("Set GOPROXY in the environment of the process that fails: a value set elsewhere does not reach it, "
           "and go env -w never beats a variable of the environment."),
        ("export GOPROXY=https://goproxy.cn,direct",), _MIRROR_DOCKER, _MIRROR_CI,
        N_("Print what the failing process itself reads, in the same step."), "go env GOPROXY GOENV"),
    "goproxy_value_malformed": Advice(
        N_("Write GOPROXY as a list of URLs with commas, without quotes, blanks or semicolons, `direct` in lower case."),
        _MIRROR, _MIRROR_DOCKER, _MIRROR_CI, N_("See the value as go reads it."), "go env GOPROXY"),
    "goprivate_not_set": Advice(
        N_("Name your private modules in GOPRIVATE, so that neither the public proxy nor the checksum database is asked."),
        _PRIVATE, _PRIVATE_DOCKER, _PRIVATE_CI,
        N_("Ask again past the proxy and the checksum database; if that works, this was it."),
        "GOPRIVATE={prefix} go mod download {module}"),
    "goproxy_comma_no_fallback": Advice(
        N_("Put `|` instead of `,` behind the entry that fails with neither 404 nor 410, or repair that entry."),
        ("go env -w 'GOPROXY=https://{host}|direct'",), ("ENV GOPROXY=https://{host}|direct",), (),
        N_("See whether the next entry has it."), "GOPROXY=direct go mod download {module}"),
    "goproxy_lacks_module_no_direct": Advice(
        N_("Add `direct` at the end of GOPROXY, or have the module added to the proxy."),
        ("go env -w GOPROXY=https://{host},direct",), ("ENV GOPROXY=https://{host},direct",), (),
        N_("See whether the origin has it."), "GOPROXY=direct go mod download {module}"),
    # forward proxy
    "forward_proxy_broken": Advice(
        N_("Start the forward proxy again or correct its address; if none is needed, clear the variables."),
        ("unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY", "git config --global --unset http.proxy"),
        ("RUN env -u HTTP_PROXY -u HTTPS_PROXY go mod download",), (),
        N_("Ask through the proxy and past it: one of both fails."), "curl -v -x \"$HTTPS_PROXY\" https://{host}/"),
    "forward_proxy_denied": Advice(
        N_("Ask those who run the forward proxy to allow {host}, or use a mirror that it allows."),
        ("go env -w GOPROXY=https://MIRROR,direct",), (), (),
        N_("Ask the proxy for this host by hand and read its answer."), "curl -v -x \"$HTTPS_PROXY\" https://{host}/"),
    "forward_proxy_loopback_in_container": Advice(
        N_("127.0.0.1 is the container itself: give the proxy's address as the container sees it, or share the host's network."),
        ("docker build --network=host .",
         "docker build --build-arg HTTPS_PROXY=http://host.docker.internal:PORT ."), (), (),
        N_("See what the container has in its proxy variables."), "docker run --rm IMAGE env | grep -i proxy"),
    "forward_proxy_wrong_scheme": Advice(
        N_("Write http:// in the value of HTTPS_PROXY: the scheme is that of the way to the proxy, not of the target."),
        ("export HTTPS_PROXY=http://PROXY:PORT",), ("ENV HTTPS_PROXY=http://PROXY:PORT",), (),
        N_("See whether the proxy speaks plain HTTP."), "curl -v -x http://PROXY:PORT https://{host}/"),
    "forward_proxy_auth_required": Advice(
        N_("Give the proxy its user and password in the URL; go can do Basic only, so NTLM needs a local helper."),
        ("export HTTPS_PROXY=http://USER:PASSWORD@PROXY:PORT",), (), (),
        N_("Read which scheme the proxy wants."), "curl -v -x http://PROXY:PORT https://{host}/ 2>&1 | grep -i proxy-auth"),
    "forward_proxy_overloaded": Advice(
        N_("Try again later or by another proxy; if {host} is internal, name it in NO_PROXY."),
        ("export NO_PROXY=$NO_PROXY,{host}",), (), (),
        N_("Ask for another host through the same proxy."), "curl -v -x \"$HTTPS_PROXY\" https://example.com/"),
    "no_proxy_black_hole": Advice(
        N_("Take {host} out of NO_PROXY: its direct way is closed."), ("env | grep -i no_proxy",),
        probe=N_("Ask with NO_PROXY empty."), probe_command="NO_PROXY= no_proxy= go mod download {module}"),
    "no_proxy_missing": Advice(
        N_("Name {host} in NO_PROXY, as the forward proxy cannot reach it."), ("export NO_PROXY=$NO_PROXY,{host}",),
        probe=N_("Ask past the proxy."), probe_command="NO_PROXY='*' go mod download {module}"),
    # names
    "dns_hijacked": Advice(
        N_("Use a name server that tells the truth, or a mirror under another name; the address that came back is not {host}'s."),
        _MIRROR, _MIRROR_DOCKER, _MIRROR_CI,
        N_("Compare the answer here with that of a public name server."), "goferry dns {host}"),
    "dns_no_resolv_conf": Advice(
        N_("Give the machine or container a name server."),
        ("echo 'nameserver 1.1.1.1' | sudo tee /etc/resolv.conf",), ("docker run --dns 1.1.1.1 …",), (),
        N_("See whether a name server is configured at all."), "cat /etc/resolv.conf"),
    "dns_resolver_unreachable": Advice(
        N_("Use a name server that answers from here; in containers set it in daemon.json or with --dns."),
        ("resolvectl status",), ("docker build --network=host .",), (),
        N_("Ask the configured server and a public one."), "goferry dns {host}"),
    "dns_slow": Advice(N_("Put the name server that answers first, or run a local cache."),
                       probe=N_("Measure the name servers."), probe_command="goferry dns {host}"),
    "dns_negative_filter": Advice(N_("Use another name server: this one denies a name that others know."),
                                  probe=N_("Compare with a public name server."), probe_command="goferry dns {host}"),
    "split_horizon": Advice(N_("Nothing to mend: inside, the name has another address, and rightly."),
                            probe=N_("Compare inside and outside."), probe_command="goferry dns {host}"),
    "hosts_file_override": Advice(
        N_("Remove or correct the line for {host} in the hosts file."), ("goferry hosts list",),
        probe=N_("See whether the hosts file names it."), probe_command="grep -n {host} /etc/hosts"),
    # path
    "goproxy_host_blocked": Advice(
        N_("Use a mirror that can be reached from this network."), _MIRROR, _MIRROR_DOCKER, _MIRROR_CI,
        N_("Try the same module through another mirror; if it works at once, this was it."),
        "GOPROXY=https://goproxy.cn go mod download {module}"),
    "direct_host_blocked": Advice(
        N_("Let a module proxy fetch it for you, or go through a forward proxy."), _MIRROR, _MIRROR_DOCKER, _MIRROR_CI,
        N_("Try the same module through a mirror; if it works at once, this was it."),
        "GOPROXY=https://goproxy.cn go mod download {module}"),
    "ipv6_path_broken": Advice(
        N_("Repair the IPv6 route, or switch IPv6 off on this machine or container until it works."),
        ("sudo sysctl -w net.ipv6.conf.all.disable_ipv6=1",), ("docker run --sysctl net.ipv6.conf.all.disable_ipv6=1 …",), (),
        N_("Ask once by each family."), "curl -4 -sI https://{host}/; curl -6 -sI https://{host}/"),
    "middlebox_reset": Advice(
        N_("Go by another way: a mirror under another name, or a forward proxy; a device on the path cuts the connection."),
        _MIRROR, _MIRROR_DOCKER, _MIRROR_CI,
        N_("Repeat it, then from another network: a reset in the same place every time is a device, a rare one an outage."),
        "goferry doctor https://{host}/"),
    "tls_large_clienthello": Advice(
        N_("Have the device on the path repaired; until then, make the first TLS message small again."),
        ("export GODEBUG=tlsmlkem=0",), ("ENV GODEBUG=tlsmlkem=0",), ("GODEBUG: tlsmlkem=0",),
        N_("Repeat with a small first message; if it passes, this was it."), "GODEBUG=tlsmlkem=0 go mod download {module}"),
    "mtu_blackhole": Advice(
        N_("Make the MTU of the interface fit the path."), ("sudo ip link set dev eth0 mtu 1400",),
        ('{{"mtu": 1400}} in /etc/docker/daemon.json',), (),
        N_("Repeat with a small MTU."), "ping -M do -s 1372 {host}"),
    "sni_filtered": Advice(N_("Use a mirror under another name, or a forward proxy."), _MIRROR, _MIRROR_DOCKER, _MIRROR_CI,
                           N_("Ask the same address under another name."), "goferry doctor https://{host}/"),
    "sandbox_no_network": Advice(
        N_("Builds in this sandbox get no network on purpose: fetch the modules before it, vendor them, or declare them to the build."),
        ("go mod vendor", "go build -mod=vendor ./..."), ("COPY vendor/ vendor/",), (),
        N_("Run the same download outside of the sandbox."), "go mod download {module}"),
    "transient_network": Advice(
        N_("Run it again; if it comes back often, keep a module proxy or a cache nearer to the build."),
        ("go mod download",), probe=N_("Run the same command again without any change."),
        probe_command="go mod download {module}"),
    "captive_portal": Advice(N_("Sign in to the network in a browser first."),
                             probe=N_("See whether a page comes where nothing should."),
                             probe_command="curl -sI http://connectivitycheck.gstatic.com/generate_204"),
    "server_closed_silently": Advice(N_("Tell those who run {host}; until then use another mirror."), _MIRROR,
                                     probe=N_("Ask from another network."), probe_command="goferry doctor https://{host}/"),
    # trust
    "ca_bundle_missing_or_stale": Advice(
        N_("Install or renew the root certificates of the machine or image."),
        ("sudo apt-get install --reinstall ca-certificates",), ("RUN apk add --no-cache ca-certificates",), (),
        N_("Ask two unrelated hosts: if both fail with a public issuer, the store is at fault."),
        "curl -sI https://{host}/ https://example.com/"),
    "tls_mitm_corporate_ca": Advice(
        N_("Get the root certificate of the inspecting firewall, and put it where go and git read it."),
        ("sudo cp company-ca.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates",
         "git config --global http.sslCAInfo /etc/ssl/certs/ca-certificates.crt"), _CA_DOCKER,
        ("SSL_CERT_FILE: /path/to/bundle-with-company-ca.pem",),
        N_("Look who signed the certificate that arrives here."),
        "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -issuer"),
    "clock_skew": Advice(
        N_("Set the clock of this machine or VM."), ("sudo timedatectl set-ntp true",),
        probe=N_("Compare the clock with a server's."), probe_command="date -u; curl -sI https://example.com/ | grep -i ^date"),
    "server_cert_expired": Advice(
        N_("Nothing here is wrong: {host} must renew its certificate; use another mirror until then."), _MIRROR,
        _MIRROR_DOCKER, _MIRROR_CI, N_("Read the dates of the certificate."),
        "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -dates"),
    "server_cert_wrong_host": Advice(
        N_("{host} shows a certificate for other names: its owner must mend it; through a module proxy it is not needed."),
        _MIRROR, probe=N_("Read the names in the certificate, and compare the address with a public name server's."),
        probe_command="goferry dns {host}"),
    "tls_version_mismatch": Advice(N_("Update the older side: client and server share no TLS version or cipher."),
                                   probe=N_("See what the server offers."),
                                   probe_command="openssl s_client -connect {host}:443 -tls1_2 </dev/null"),
    "tls_client_certificate_required": Advice(N_("Ask those who run {host} for a client certificate, or for an entrance without one."),
                                              probe=N_("See whether the server asks for one."),
                                              probe_command="openssl s_client -connect {host}:443 </dev/null | grep -A2 'client certificate'"),
    "tls_server_name_unknown": Advice(N_("{host} has no certificate for this name: check the name, or tell its owner."),
                                      probe=N_("Ask the same address under its usual name."),
                                      probe_command="openssl s_client -connect {host}:443 -servername {host} </dev/null"),
    "revocation_check_slow": Advice(
        N_("Open the way to the revocation servers, or let git on Windows use OpenSSL."),
        ("git config --global http.sslBackend openssl",), probe=N_("Repeat with the check off."),
        probe_command="git -c http.schannelCheckRevoke=false ls-remote https://{host}/"),
    # the module proxy
    "goproxy_server_5xx": Advice(
        N_("The proxy {host} itself fails: wait, use another one, or let `|` fall through to the next entry."),
        _MIRROR, _MIRROR_DOCKER, _MIRROR_CI, N_("Ask the proxy for a module that it surely has."),
        "curl -sI https://{host}/golang.org/x/text/@v/v0.3.0.info"),
    "goproxy_upstream_unreachable": Advice(
        N_("Not your network: the proxy {host} cannot reach the origin. Tell those who run it, or fetch directly."),
        ("GOPROXY=direct go mod download {module}",), probe=N_("Fetch it past the proxy."),
        probe_command="GOPROXY=direct go mod download {module}"),
    "goproxy_lacks_vcs_credentials": Advice(
        N_("Give the module proxy credentials for the private repository, or fetch these modules past it."),
        _PRIVATE, _PRIVATE_DOCKER, _PRIVATE_CI, N_("Fetch it past the proxy with your own credentials."),
        "GOPRIVATE={prefix} go mod download {module}"),
    "rate_limited_429": Advice(
        N_("Ask more slowly, keep the module cache between builds, or use another mirror; 429 does not fall through a comma."),
        ("go env -w 'GOPROXY=https://goproxy.cn|direct'",), probe=N_("Ask once, by hand, after a pause."),
        probe_command="curl -sI https://{host}/golang.org/x/text/@v/v0.3.0.info"),
    "zip_storage_forbidden": Advice(
        N_("The zip comes from a storage host that refuses this network (policy, VPC rule or place): allow it, or use another mirror."),
        _MIRROR, _MIRROR_DOCKER, _MIRROR_CI, N_("See whether .info works and .zip does not."),
        "curl -sIL https://{host}/golang.org/x/text/@v/v0.3.0.zip"),
    "http2_server_fault": Advice(
        N_("The serving side breaks HTTP/2: repeat it, use HTTP/1.1 for now, or use another mirror."),
        ("GODEBUG=http2client=0 go mod download",), ("ENV GODEBUG=http2client=0",), ("GODEBUG: http2client=0",),
        N_("Repeat with HTTP/1.1; if it passes, this was it."), "GODEBUG=http2client=0 go mod download {module}"),
    "mirror_lag_negative_cache": Advice(
        N_("Wait up to half an hour for the mirror, or fetch the new version past it."),
        ("GOPROXY=direct go mod download {module}",), probe=N_("Ask the origin for the version."),
        probe_command="GOPROXY=direct go list -m {module}"),
    "reverse_proxy_timeout": Advice(N_("Give the reverse proxy in front of {host} more time than its upstream needs."),
                                    probe=N_("Ask the upstream past the reverse proxy."),
                                    probe_command="goferry doctor https://{host}/"),
    "reverse_proxy_no_live_upstream": Advice(N_("Start the peers behind the reverse proxy, or take max_fails off."),
                                             probe=N_("Ask the peers themselves."), probe_command="goferry doctor https://{host}/"),
    # checksum database
    "sumdb_unreachable": Advice(
        N_("Use a proxy that passes the checksum database on, or the database's other address; do not switch it off for public modules."),
        ("go env -w GOSUMDB=sum.golang.google.cn",), ("ENV GOSUMDB=sum.golang.google.cn",), ("GOSUMDB: sum.golang.google.cn",),
        N_("Ask the database itself."), "curl -sI https://sum.golang.org/latest"),
    "goproxy_sumdb_mirror_broken": Advice(
        N_("The proxy {host} answers wrongly for the checksum database: use another proxy, or ask the database directly."),
        ("go env -w GOSUMDB='sum.golang.org https://sum.golang.org'",), probe=N_("Ask the database past the proxy."),
        probe_command="GOSUMDB='sum.golang.org https://sum.golang.org' go mod download {module}"),
    "checksum_mismatch_retagged": Advice(
        N_("One version has two contents: ask the author for a new version, and compare before you trust either. "
           "Only if your go.sum holds the odd one, remove that line and fetch again."),
        ("go clean -modcache", "go mod download {module}"),
        probe=N_("Fetch it directly and through the proxy, and compare both sums with the database's."),
        probe_command="curl -s https://sum.golang.org/lookup/{module}"),
    # version control
    "git_credentials_missing": Advice(
        N_("Give git a login that works without asking: a token in ~/.netrc or a credential helper, and ssh or a secret in builds."),
        ("printf 'machine {host} login USER password TOKEN\\n' >> ~/.netrc && chmod 600 ~/.netrc", *_PRIVATE),
        ("RUN --mount=type=secret,id=netrc,target=/root/.netrc go mod download",),
        ("git config --global url.\"https://USER:TOKEN@{host}/\".insteadOf https://{host}/",),
        N_("Ask git for the repository by hand, without a prompt."), "GIT_TERMINAL_PROMPT=0 git ls-remote https://{host}/OWNER/REPO"),
    "git_insteadof_ssh": Advice(
        N_("A rewrite of https to ssh is in force: give ssh a key and the host's key, or remove the rewrite."),
        ("ssh -T git@{host}", "git config --global --get-regexp 'url\\..*\\.insteadof'"),
        ("RUN --mount=type=ssh ssh-keyscan {host} >> /etc/ssh/ssh_known_hosts && go mod download",), (),
        N_("See what git makes of the URL."), "git ls-remote --get-url https://{host}/OWNER/REPO"),
    "git_protocol_blocked": Advice(
        N_("Let git use https instead of git:// or ssh."),
        ("git config --global url.https://{host}/.insteadOf git://{host}/",
         "git config --global url.https://{host}/.insteadOf ssh://git@{host}/"), (), (),
        N_("Try the same repository by https."), "git ls-remote https://{host}/OWNER/REPO"),
    "git_ssh_key_refused": Advice(
        N_("Load a key that {host} knows and accept the host's key, or use https."),
        ("ssh-add -l", "ssh -T git@{host}"), ("RUN --mount=type=ssh git clone …",), (),
        N_("See which keys are offered."), "ssh -vT git@{host}"),
    "vcs_binary_missing": Advice(
        N_("Install git (or hg, svn, …) where go runs, or fetch through a module proxy, which needs none."),
        ("sudo apt-get install git",), ("RUN apk add --no-cache git",), (),
        N_("See whether the program is there."), "git --version"),
    "vanity_host_down": Advice(
        N_("Not your network: the host of the import path, {host}, is down or answers wrongly. A module proxy does not need it."),
        _MIRROR, _MIRROR_DOCKER, _MIRROR_CI, N_("Ask the host from another network."),
        "curl -s 'https://{host}/?go-get=1' | grep go-import"),
    # the author
    "module_path_mismatch": Advice(
        N_("Use the path that the module's go.mod declares (with its /vN), or replace it in your go.mod."),
        ("go mod edit -replace OLD/PATH=NEW/PATH@VERSION",), probe=N_("Read the go.mod of that version."),
        probe_command="go mod download -json {module}"),
    "module_path_wrong": Advice(
        N_("Check the spelling of the path: letters, case, /vN, and whether that package exists in the module."),
        probe=N_("Open the path in a browser, or ask for its versions."), probe_command="go list -m -versions {path}"),
    "module_zip_invalid": Advice(
        N_("The author must make a new version without the file that the module rules forbid; until then use another version."),
        ("go list -m -versions {path}",), probe=N_("Read what the rules object to."),
        probe_command="curl -s https://sum.golang.org/lookup/{module}"),
    "unknown_revision": Advice(
        N_("The version or commit is not (or no longer) in the repository: require one that is."),
        ("go get {path}@latest", "go mod tidy"), probe=N_("List the versions that exist."),
        probe_command="GOPROXY=direct go list -m -versions {path}"),
    "repo_private_or_deleted_upstream": Advice(
        N_("The repository is gone, private or renamed: use a mirror that still has it, a fork by replace, or a version without it."),
        ("go mod edit -replace {path}=github.com/FORK/REPO@VERSION", "go mod why -m {path}"),
        probe=N_("Open the repository in a browser without being signed in."), probe_command="git ls-remote https://{path}"),
    # this machine
    "local_disk_or_permission": Advice(
        N_("Make the module cache writable for this user and make room on its disk; don't run go by sudo."),
        ("sudo chown -R \"$(id -un)\" \"$(go env GOMODCACHE)\"", "df -h \"$(go env GOMODCACHE)\""),
        ("ENV GOMODCACHE=/tmp/gomod GOCACHE=/tmp/gocache",), (),
        N_("Try with a cache elsewhere."), "GOMODCACHE=/tmp/gomod go mod download {module}"),
    "toolchain_not_available": Advice(
        N_("Install the Go version that go.mod asks for, or write it in full (1.23.0, not 1.23)."),
        ("go mod edit -go=1.N.P", "go env -w GOTOOLCHAIN=auto"), ("FROM golang:1.N",), ("go-version-file: go.mod",),
        N_("See which version is asked for and which is there."), "grep -E '^(go|toolchain) ' go.mod; GOTOOLCHAIN=local go version"),
    "tls_truncated_capture": Advice(N_("Capture again, from before the connection, both directions, whole packets.")),
}  # fmt: skip

UNKNOWN: Final = Advice(
    N_("Paste more: the whole output from the command on, with `go env GOPROXY GOPRIVATE GOFLAGS` below it."),
)
