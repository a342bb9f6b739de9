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
    commands: tuple[str, ...] = ()
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
        fix=N_("Switch module mode on, and run go inside a module; only then is GOPROXY read."),
        commands=("go env -w GO111MODULE=on", "go mod init example.com/app"),
        docker=("ENV GO111MODULE=on",),
        ci=("GO111MODULE: on",),
        probe=N_("See which mode go is in: no go.mod path means none is used."),
        probe_command="go env GO111MODULE GOMOD",
    ),
    "goproxy_off": Advice(
        fix=N_("Give GOPROXY a mirror again."),
        commands=_MIRROR,
        docker=_MIRROR_DOCKER,
        ci=_MIRROR_CI,
        probe=N_("See the value and where it comes from."),
        probe_command="go env GOPROXY; env | grep GOPROXY",
    ),
    "goproxy_setting_not_effective": Advice(
        fix=N_(
            "Set GOPROXY in the environment of the process that fails: a value set elsewhere does "
            "not reach it, and go env -w never beats a variable of the environment."
        ),
        commands=("export GOPROXY=https://goproxy.cn,direct",),
        docker=_MIRROR_DOCKER,
        ci=_MIRROR_CI,
        probe=N_("Print what the failing process itself reads, in the same step."),
        probe_command="go env GOPROXY GOENV",
    ),
    "goproxy_value_malformed": Advice(
        fix=N_(
            "Write GOPROXY as a list of URLs with commas, without quotes, blanks or semicolons, "
            "`direct` in lower case."
        ),
        commands=_MIRROR,
        docker=_MIRROR_DOCKER,
        ci=_MIRROR_CI,
        probe=N_("See the value as go reads it."),
        probe_command="go env GOPROXY",
    ),
    "go_setting_refused": Advice(
        fix=N_("Write the variable that go names as go reads it, or take it away."),
        commands=("go env -changed",),
        docker=(),
        ci=(),
        probe=N_("See which of go's settings are not the default, and where they come from."),
        probe_command="go env -changed",
    ),
    "goprivate_not_set": Advice(
        fix=N_(
            "Name your private modules in GOPRIVATE, so that neither the public proxy nor the "
            "checksum database is asked."
        ),
        commands=_PRIVATE,
        docker=_PRIVATE_DOCKER,
        ci=_PRIVATE_CI,
        probe=N_("Ask again past the proxy and the checksum database; if that works, this was it."),
        probe_command="GOPRIVATE={prefix} go mod download {module}",
    ),
    "goproxy_comma_no_fallback": Advice(
        fix=N_(
            "Put `|` instead of `,` behind the entry that fails with neither 404 nor 410, or "
            "repair that entry."
        ),
        commands=("go env -w 'GOPROXY=https://{host}|direct'",),
        docker=("ENV GOPROXY=https://{host}|direct",),
        probe=N_("See whether the next entry has it."),
        probe_command="GOPROXY=direct go mod download {module}",
    ),
    "goproxy_lacks_module_no_direct": Advice(
        fix=N_("Add `direct` at the end of GOPROXY, or have the module added to the proxy."),
        commands=("go env -w GOPROXY=https://{host},direct",),
        docker=("ENV GOPROXY=https://{host},direct",),
        probe=N_("See whether the origin has it."),
        probe_command="GOPROXY=direct go mod download {module}",
    ),
    # forward proxy
    "forward_proxy_broken": Advice(
        fix=N_(
            "Start the forward proxy again or correct its address; if none is needed, clear the variables."
        ),
        commands=(
            "unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY",
            "git config --global --unset http.proxy",
        ),
        docker=("RUN env -u HTTP_PROXY -u HTTPS_PROXY go mod download",),
        probe=N_("Ask through the proxy and past it: one of both fails."),
        probe_command='curl -v -x "$HTTPS_PROXY" https://{host}/',
    ),
    "forward_proxy_denied": Advice(
        fix=N_("Ask those who run the forward proxy to allow {host}, or use a mirror that it allows."),
        commands=("go env -w GOPROXY=https://MIRROR,direct",),
        probe=N_("Ask the proxy for this host by hand and read its answer."),
        probe_command='curl -v -x "$HTTPS_PROXY" https://{host}/',
    ),
    "forward_proxy_loopback_in_container": Advice(
        fix=N_(
            "127.0.0.1 is the container itself: give the proxy's address as the container sees it, "
            "or share the host's network."
        ),
        commands=(
            "docker build --network=host .",
            "docker build --build-arg HTTPS_PROXY=http://host.docker.internal:PORT .",
        ),
        probe=N_("See what the container has in its proxy variables."),
        probe_command="docker run --rm IMAGE env | grep -i proxy",
    ),
    "forward_proxy_wrong_scheme": Advice(
        fix=N_(
            "Write http:// in the value of HTTPS_PROXY: the scheme is that of the way to the "
            "proxy, not of the target."
        ),
        commands=("export HTTPS_PROXY=http://PROXY:PORT",),
        docker=("ENV HTTPS_PROXY=http://PROXY:PORT",),
        probe=N_("See whether the proxy speaks plain HTTP."),
        probe_command="curl -v -x http://PROXY:PORT https://{host}/",
    ),
    "forward_proxy_auth_required": Advice(
        fix=N_(
            "Give the proxy its user and password in the URL; go can do Basic only, so NTLM needs "
            "a local helper."
        ),
        commands=("export HTTPS_PROXY=http://USER:PASSWORD@PROXY:PORT",),
        probe=N_("Read which scheme the proxy wants."),
        probe_command="curl -v -x http://PROXY:PORT https://{host}/ 2>&1 | grep -i proxy-auth",
    ),
    "forward_proxy_overloaded": Advice(
        fix=N_("Try again later or by another proxy; if {host} is internal, name it in NO_PROXY."),
        commands=("export NO_PROXY=$NO_PROXY,{host}",),
        probe=N_("Ask for another host through the same proxy."),
        probe_command='curl -v -x "$HTTPS_PROXY" https://example.com/',
    ),
    "no_proxy_black_hole": Advice(
        fix=N_("Take {host} out of NO_PROXY: its direct way is closed."),
        commands=("env | grep -i no_proxy",),
        probe=N_("Ask with NO_PROXY empty."),
        probe_command="NO_PROXY= no_proxy= go mod download {module}",
    ),
    "no_proxy_missing": Advice(
        fix=N_("Name {host} in NO_PROXY, as the forward proxy cannot reach it."),
        commands=("export NO_PROXY=$NO_PROXY,{host}",),
        probe=N_("Ask past the proxy."),
        probe_command="NO_PROXY='*' go mod download {module}",
    ),
    # names
    "dns_hijacked": Advice(
        fix=N_(
            "Use a name server that tells the truth, or a mirror under another name; the address "
            "that came back is not {host}'s."
        ),
        commands=_MIRROR,
        docker=_MIRROR_DOCKER,
        ci=_MIRROR_CI,
        probe=N_("Compare the answer here with that of a public name server."),
        probe_command="goferry dns {host}",
    ),
    "dns_no_resolv_conf": Advice(
        fix=N_("Give the machine or container a name server."),
        commands=("echo 'nameserver 1.1.1.1' | sudo tee /etc/resolv.conf",),
        docker=("docker run --dns 1.1.1.1 …",),
        probe=N_("See whether a name server is configured at all."),
        probe_command="cat /etc/resolv.conf",
    ),
    "dns_resolver_unreachable": Advice(
        fix=N_(
            "Use a name server that answers from here; in containers set it in daemon.json or with --dns."
        ),
        commands=("resolvectl status",),
        docker=("docker build --network=host .",),
        probe=N_("Ask the configured server and a public one."),
        probe_command="goferry dns {host}",
    ),
    "dns_slow": Advice(
        fix=N_("Put the name server that answers first, or run a local cache."),
        probe=N_("Measure the name servers."),
        probe_command="goferry dns {host}",
    ),
    "dns_negative_filter": Advice(
        fix=N_("Use another name server: this one denies a name that others know."),
        probe=N_("Compare with a public name server."),
        probe_command="goferry dns {host}",
    ),
    "split_horizon": Advice(
        fix=N_("Nothing to mend: inside, the name has another address, and rightly."),
        probe=N_("Compare inside and outside."),
        probe_command="goferry dns {host}",
    ),
    "hosts_file_override": Advice(
        fix=N_("Remove or correct the line for {host} in the hosts file."),
        commands=("goferry hosts list",),
        probe=N_("See whether the hosts file names it."),
        probe_command="grep -n {host} /etc/hosts",
    ),
    # path
    "goproxy_host_blocked": Advice(
        fix=N_("Use a mirror that can be reached from this network."),
        commands=_MIRROR,
        docker=_MIRROR_DOCKER,
        ci=_MIRROR_CI,
        probe=N_("Try the same module through another mirror; if it works at once, this was it."),
        probe_command="GOPROXY=https://goproxy.cn go mod download {module}",
    ),
    "direct_host_blocked": Advice(
        fix=N_("Let a module proxy fetch it for you, or go through a forward proxy."),
        commands=_MIRROR,
        docker=_MIRROR_DOCKER,
        ci=_MIRROR_CI,
        probe=N_("Try the same module through a mirror; if it works at once, this was it."),
        probe_command="GOPROXY=https://goproxy.cn go mod download {module}",
    ),
    "ipv6_path_broken": Advice(
        fix=N_("Repair the IPv6 route, or switch IPv6 off on this machine or container until it works."),
        commands=("sudo sysctl -w net.ipv6.conf.all.disable_ipv6=1",),
        docker=("docker run --sysctl net.ipv6.conf.all.disable_ipv6=1 …",),
        probe=N_("Ask once by each family."),
        probe_command="curl -4 -sI https://{host}/; curl -6 -sI https://{host}/",
    ),
    "middlebox_reset": Advice(
        fix=N_(
            "Go by another way: a mirror under another name, or a forward proxy; a device on the "
            "path cuts the connection."
        ),
        commands=_MIRROR,
        docker=_MIRROR_DOCKER,
        ci=_MIRROR_CI,
        probe=N_(
            "Repeat it, then from another network: a reset in the same place every time is a "
            "device, a rare one an outage."
        ),
        probe_command="goferry doctor https://{host}/",
    ),
    "tls_large_clienthello": Advice(
        fix=N_("Have the device on the path repaired; until then, make the first TLS message small again."),
        commands=("export GODEBUG=tlsmlkem=0",),
        docker=("ENV GODEBUG=tlsmlkem=0",),
        ci=("GODEBUG: tlsmlkem=0",),
        probe=N_("Repeat with a small first message; if it passes, this was it."),
        probe_command="GODEBUG=tlsmlkem=0 go mod download {module}",
    ),
    "mtu_blackhole": Advice(
        fix=N_("Make the MTU of the interface fit the path."),
        commands=("sudo ip link set dev eth0 mtu 1400",),
        docker=('{{"mtu": 1400}} in /etc/docker/daemon.json',),
        probe=N_("Repeat with a small MTU."),
        probe_command="ping -M do -s 1372 {host}",
    ),
    "sni_filtered": Advice(
        fix=N_("Use a mirror under another name, or a forward proxy."),
        commands=_MIRROR,
        docker=_MIRROR_DOCKER,
        ci=_MIRROR_CI,
        probe=N_("Ask the same address under another name."),
        probe_command="goferry doctor https://{host}/",
    ),
    "sandbox_no_network": Advice(
        fix=N_(
            "Builds in this sandbox get no network on purpose: fetch the modules before it, vendor "
            "them, or declare them to the build."
        ),
        commands=("go mod vendor", "go build -mod=vendor ./..."),
        docker=("COPY vendor/ vendor/",),
        probe=N_("Run the same download outside of the sandbox."),
        probe_command="go mod download {module}",
    ),
    "transient_network": Advice(
        fix=N_("Run it again; if it comes back often, keep a module proxy or a cache nearer to the build."),
        commands=("go mod download",),
        probe=N_("Run the same command again without any change."),
        probe_command="go mod download {module}",
    ),
    "captive_portal": Advice(
        fix=N_("Sign in to the network in a browser first."),
        probe=N_("See whether a page comes where nothing should."),
        probe_command="curl -sI http://connectivitycheck.gstatic.com/generate_204",
    ),
    "server_closed_silently": Advice(
        fix=N_("Tell those who run {host}; until then use another mirror."),
        commands=_MIRROR,
        probe=N_("Ask from another network."),
        probe_command="goferry doctor https://{host}/",
    ),
    # trust
    "ca_bundle_missing_or_stale": Advice(
        fix=N_("Install or renew the root certificates of the machine or image."),
        commands=("sudo apt-get install --reinstall ca-certificates",),
        docker=("RUN apk add --no-cache ca-certificates",),
        probe=N_("Ask two unrelated hosts: if both fail with a public issuer, the store is at fault."),
        probe_command="curl -sI https://{host}/ https://example.com/",
    ),
    "tls_mitm_corporate_ca": Advice(
        fix=N_("Get the root certificate of the inspecting firewall, and put it where go and git read it."),
        commands=(
            "sudo cp company-ca.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates",
            "git config --global http.sslCAInfo /etc/ssl/certs/ca-certificates.crt",
        ),
        docker=_CA_DOCKER,
        ci=("SSL_CERT_FILE: /path/to/bundle-with-company-ca.pem",),
        probe=N_("Look who signed the certificate that arrives here."),
        probe_command=(
            "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -issuer"
        ),
    ),
    "clock_skew": Advice(
        fix=N_("Set the clock of this machine or VM."),
        commands=("sudo timedatectl set-ntp true",),
        probe=N_("Compare the clock with a server's."),
        probe_command="date -u; curl -sI https://example.com/ | grep -i ^date",
    ),
    "server_cert_expired": Advice(
        fix=N_("Nothing here is wrong: {host} must renew its certificate; use another mirror until then."),
        commands=_MIRROR,
        docker=_MIRROR_DOCKER,
        ci=_MIRROR_CI,
        probe=N_("Read the dates of the certificate."),
        probe_command=(
            "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -dates"
        ),
    ),
    "server_cert_wrong_host": Advice(
        fix=N_(
            "{host} shows a certificate for other names: its owner must mend it; through a module "
            "proxy it is not needed."
        ),
        commands=_MIRROR,
        probe=N_("Read the names in the certificate, and compare the address with a public name server's."),
        probe_command="goferry dns {host}",
    ),
    "tls_version_mismatch": Advice(
        fix=N_("Update the older side: client and server share no TLS version or cipher."),
        probe=N_("See what the server offers."),
        probe_command="openssl s_client -connect {host}:443 -tls1_2 </dev/null",
    ),
    "tls_client_certificate_required": Advice(
        fix=N_("Ask those who run {host} for a client certificate, or for an entrance without one."),
        probe=N_("See whether the server asks for one."),
        probe_command="openssl s_client -connect {host}:443 </dev/null | grep -A2 'client certificate'",
    ),
    "tls_server_name_unknown": Advice(
        fix=N_("{host} has no certificate for this name: check the name, or tell its owner."),
        probe=N_("Ask the same address under its usual name."),
        probe_command="openssl s_client -connect {host}:443 -servername {host} </dev/null",
    ),
    "revocation_check_slow": Advice(
        fix=N_("Open the way to the revocation servers, or let git on Windows use OpenSSL."),
        commands=("git config --global http.sslBackend openssl",),
        probe=N_("Repeat with the check off."),
        probe_command="git -c http.schannelCheckRevoke=false ls-remote https://{host}/",
    ),
    # the module proxy
    "goproxy_server_5xx": Advice(
        fix=N_(
            "The proxy {host} itself fails: wait, use another one, or let `|` fall through to the next entry."
        ),
        commands=_MIRROR,
        docker=_MIRROR_DOCKER,
        ci=_MIRROR_CI,
        probe=N_("Ask the proxy for a module that it surely has."),
        probe_command="curl -sI https://{host}/golang.org/x/text/@v/v0.3.0.info",
    ),
    "goproxy_upstream_unreachable": Advice(
        fix=N_(
            "Not your network: the proxy {host} cannot reach the origin. Tell those who run it, or "
            "fetch directly."
        ),
        commands=("GOPROXY=direct go mod download {module}",),
        probe=N_("Fetch it past the proxy."),
        probe_command="GOPROXY=direct go mod download {module}",
    ),
    "goproxy_lacks_vcs_credentials": Advice(
        fix=N_(
            "Give the module proxy credentials for the private repository, or fetch these modules past it."
        ),
        commands=_PRIVATE,
        docker=_PRIVATE_DOCKER,
        ci=_PRIVATE_CI,
        probe=N_("Fetch it past the proxy with your own credentials."),
        probe_command="GOPRIVATE={prefix} go mod download {module}",
    ),
    "rate_limited_429": Advice(
        fix=N_(
            "Ask more slowly, keep the module cache between builds, or use another mirror; 429 "
            "does not fall through a comma."
        ),
        commands=("go env -w 'GOPROXY=https://goproxy.cn|direct'",),
        probe=N_("Ask once, by hand, after a pause."),
        probe_command="curl -sI https://{host}/golang.org/x/text/@v/v0.3.0.info",
    ),
    "zip_storage_forbidden": Advice(
        fix=N_(
            "The zip comes from a storage host that refuses this network (policy, VPC rule or "
            "place): allow it, or use another mirror."
        ),
        commands=_MIRROR,
        docker=_MIRROR_DOCKER,
        ci=_MIRROR_CI,
        probe=N_("See whether .info works and .zip does not."),
        probe_command="curl -sIL https://{host}/golang.org/x/text/@v/v0.3.0.zip",
    ),
    "http2_server_fault": Advice(
        fix=N_("The serving side breaks HTTP/2: repeat it, use HTTP/1.1 for now, or use another mirror."),
        commands=("GODEBUG=http2client=0 go mod download",),
        docker=("ENV GODEBUG=http2client=0",),
        ci=("GODEBUG: http2client=0",),
        probe=N_("Repeat with HTTP/1.1; if it passes, this was it."),
        probe_command="GODEBUG=http2client=0 go mod download {module}",
    ),
    "mirror_lag_negative_cache": Advice(
        fix=N_("Wait up to half an hour for the mirror, or fetch the new version past it."),
        commands=("GOPROXY=direct go mod download {module}",),
        probe=N_("Ask the origin for the version."),
        probe_command="GOPROXY=direct go list -m {module}",
    ),
    "reverse_proxy_timeout": Advice(
        fix=N_("Give the reverse proxy in front of {host} more time than its upstream needs."),
        probe=N_("Ask the upstream past the reverse proxy."),
        probe_command="goferry doctor https://{host}/",
    ),
    "reverse_proxy_no_live_upstream": Advice(
        fix=N_("Start the peers behind the reverse proxy, or take max_fails off."),
        probe=N_("Ask the peers themselves."),
        probe_command="goferry doctor https://{host}/",
    ),
    # checksum database
    "sumdb_unreachable": Advice(
        fix=N_(
            "Use a proxy that passes the checksum database on, or the database's other address; do "
            "not switch it off for public modules."
        ),
        commands=("go env -w GOSUMDB=sum.golang.google.cn",),
        docker=("ENV GOSUMDB=sum.golang.google.cn",),
        ci=("GOSUMDB: sum.golang.google.cn",),
        probe=N_("Ask the database itself."),
        probe_command="curl -sI https://sum.golang.org/latest",
    ),
    "goproxy_sumdb_mirror_broken": Advice(
        fix=N_(
            "The proxy {host} answers wrongly for the checksum database: use another proxy, or ask "
            "the database directly."
        ),
        commands=("go env -w GOSUMDB='sum.golang.org https://sum.golang.org'",),
        probe=N_("Ask the database past the proxy."),
        probe_command="GOSUMDB='sum.golang.org https://sum.golang.org' go mod download {module}",
    ),
    "checksum_mismatch_retagged": Advice(
        fix=N_(
            "One version has two contents: ask the author for a new version, and compare before "
            "you trust either. Only if your go.sum holds the odd one, remove that line and fetch "
            "again."
        ),
        commands=("go clean -modcache", "go mod download {module}"),
        probe=N_("Fetch it directly and through the proxy, and compare both sums with the database's."),
        probe_command="curl -s https://sum.golang.org/lookup/{module}",
    ),
    # version control
    "git_credentials_missing": Advice(
        fix=N_(
            "Give git a login that works without asking: a token in ~/.netrc or a credential "
            "helper, and ssh or a secret in builds."
        ),
        commands=(
            "printf 'machine {host} login USER password TOKEN\\n' >> ~/.netrc && chmod 600 ~/.netrc",
            *_PRIVATE,
        ),
        docker=(
            "RUN --mount=type=secret,id=netrc"
            " cp /run/secrets/netrc ~/.netrc && go mod download && rm ~/.netrc",
        ),
        ci=('git config --global url."https://USER:TOKEN@{host}/".insteadOf https://{host}/',),
        probe=N_("Ask git for the repository by hand, without a prompt."),
        probe_command="GIT_TERMINAL_PROMPT=0 git ls-remote https://{host}/OWNER/REPO",
    ),
    "git_insteadof_ssh": Advice(
        fix=N_(
            "A rewrite of https to ssh is in force: give ssh a key and the host's key, or remove the rewrite."
        ),
        commands=("ssh -T git@{host}", "git config --global --get-regexp 'url\\..*\\.insteadof'"),
        docker=("RUN --mount=type=ssh ssh-keyscan {host} >> /etc/ssh/ssh_known_hosts && go mod download",),
        probe=N_("See what git makes of the URL."),
        probe_command="git ls-remote --get-url https://{host}/OWNER/REPO",
    ),
    "git_protocol_blocked": Advice(
        fix=N_("Let git use https instead of git:// or ssh."),
        commands=(
            "git config --global url.https://{host}/.insteadOf git://{host}/",
            "git config --global url.https://{host}/.insteadOf ssh://git@{host}/",
        ),
        probe=N_("Try the same repository by https."),
        probe_command="git ls-remote https://{host}/OWNER/REPO",
    ),
    "git_ssh_key_refused": Advice(
        fix=N_("Load a key that {host} knows and accept the host's key, or use https."),
        commands=("ssh-add -l", "ssh -T git@{host}"),
        docker=("RUN --mount=type=ssh git clone …",),
        probe=N_("See which keys are offered."),
        probe_command="ssh -vT git@{host}",
    ),
    "vcs_binary_missing": Advice(
        fix=N_(
            "Install git (or hg, svn, …) where go runs, or fetch through a module proxy, which needs none."
        ),
        commands=("sudo apt-get install git",),
        docker=("RUN apk add --no-cache git",),
        probe=N_("See whether the program is there."),
        probe_command="git --version",
    ),
    "vanity_host_down": Advice(
        fix=N_(
            "Not your network: the host of the import path, {host}, is down or answers wrongly. A "
            "module proxy does not need it."
        ),
        commands=_MIRROR,
        docker=_MIRROR_DOCKER,
        ci=_MIRROR_CI,
        probe=N_("Ask the host from another network."),
        probe_command="curl -s 'https://{host}/?go-get=1' | grep go-import",
    ),
    # the author
    "module_path_mismatch": Advice(
        fix=N_(
            "Use the path that the module's go.mod declares (with its /vN), or replace it in your go.mod."
        ),
        commands=("go mod edit -replace OLD/PATH=NEW/PATH@VERSION",),
        probe=N_("Read the go.mod of that version."),
        probe_command="go mod download -json {module}",
    ),
    "module_path_wrong": Advice(
        fix=N_(
            "Check the spelling of the path: letters, case, /vN, and whether that package exists "
            "in the module."
        ),
        probe=N_("Open the path in a browser, or ask for its versions."),
        probe_command="go list -m -versions {path}",
    ),
    "module_zip_invalid": Advice(
        fix=N_(
            "The author must make a new version without the file that the module rules forbid; "
            "until then use another version."
        ),
        commands=("go list -m -versions {path}",),
        probe=N_("Read what the rules object to."),
        probe_command="curl -s https://sum.golang.org/lookup/{module}",
    ),
    "unknown_revision": Advice(
        fix=N_("The version or commit is not (or no longer) in the repository: require one that is."),
        commands=("go get {path}@latest", "go mod tidy"),
        probe=N_("List the versions that exist."),
        probe_command="GOPROXY=direct go list -m -versions {path}",
    ),
    "repo_private_or_deleted_upstream": Advice(
        fix=N_(
            "The repository is gone, private or renamed: use a mirror that still has it, a fork by "
            "replace, or a version without it."
        ),
        commands=("go mod edit -replace {path}=github.com/FORK/REPO@VERSION", "go mod why -m {path}"),
        probe=N_("Open the repository in a browser without being signed in."),
        probe_command="git ls-remote https://{path}",
    ),
    # this machine
    "local_disk_or_permission": Advice(
        fix=N_(
            "Make the module cache writable for this user and make room on its disk; don't run go by sudo."
        ),
        commands=('sudo chown -R "$(id -un)" "$(go env GOMODCACHE)"', 'df -h "$(go env GOMODCACHE)"'),
        docker=("ENV GOMODCACHE=/tmp/gomod GOCACHE=/tmp/gocache",),
        probe=N_("Try with a cache elsewhere."),
        probe_command="GOMODCACHE=/tmp/gomod go mod download {module}",
    ),
    "toolchain_not_available": Advice(
        fix=N_("Install the Go version that go.mod asks for, or write it in full (1.23.0, not 1.23)."),
        commands=("go mod edit -go=1.N.P", "go env -w GOTOOLCHAIN=auto"),
        docker=("FROM golang:1.N",),
        ci=("go-version-file: go.mod",),
        probe=N_("See which version is asked for and which is there."),
        probe_command="grep -E '^(go|toolchain) ' go.mod; GOTOOLCHAIN=local go version",
    ),
    "tls_truncated_capture": Advice(
        fix=N_("Capture again, from before the connection, both directions, whole packets."),
    ),
}

UNKNOWN: Final = Advice(
    N_("Paste more: the whole output from the command on, with `go env GOPROXY GOPRIVATE GOFLAGS` below it."),
)
