"""Version control: credentials, rewritten URLs, closed ports, programs that are not there, and import pages."""

from typing import Final

from goferry.i18n import N_
from goferry.lab.cases.config import LOGGED_IN
from goferry.lab.cases.shared import DIRECT, at, at_vanity, path
from goferry.lab.codehost import LOGIN
from goferry.lab.goproxy import Fault, Trouble
from goferry.lab.internet import CODE, COMPANY_CODE, PROXY, SECRET_GO_MOD, company, public
from goferry.lab.modules import HELLO
from goferry.lab.scenario import (
    Client,
    Fate,
    ImportPages,
    Mend,
    Modules,
    Page,
    PathRule,
    Repositories,
    Scenario,
    Site,
    SshServer,
    When,
)
from goferry.lab.tcp import Fault as WireFault

_SILENT: Final = Modules((When("*", Fault(Trouble.STALL)),))
_PROXY_INSTEAD: Final = Mend(environ={"GOPROXY": f"https://{PROXY}"})
_NO_REWRITE: Final = Mend(files={"{home}/.gitconfig": ""})
_SSH_SITE: Final = (Site((CODE,), SshServer(), public(20), port=22, tls=None),)
_ACCEPT: Final = (
    "ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile={home}/known_hosts"
)


_KNOWN: Final = "ssh -o BatchMode=yes -o UserKnownHostsFile={home}/known_hosts"
_OLD_KEY: Final = f"{CODE} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJqfcH6kVXNfHYlPYYqQ0mRGEY0mGvfjUTzWnpnjcCKq\n"
_EXPIRED: Final = LOGGED_IN.replace(LOGIN[1], "token-of-last-year")
_SOMEBODY: Final = N_("Somebody who may read the repository has to put in a login for it.")
_SIGN_IN: Final = (
    f'<html><head><meta name="go-import" content="{COMPANY_CODE}/team/secret git https://{COMPANY_CODE}/team/secret.git">'
    "</head><form>Sign in <input type=password></form></html>\n"
)


def _rewritten(scheme: str) -> str:
    return f'[url "{scheme}://{CODE}/"]\n\tinsteadOf = https://{CODE}/\n'


def _page(place: str) -> tuple[Site, ...]:
    return at_vanity(ImportPages({HELLO: place}))


def _vanity(name: str, summary: str, pages: ImportPages) -> Scenario:
    return Scenario(
        name,
        summary,
        "vanity_host_down",
        sites=at_vanity(pages),
        client=Client(environ=DIRECT),
        mend=_PROXY_INSTEAD,
    )


SCENARIOS: Final = (
    Scenario(
        "git-no-credentials",
        N_("The private repository wants a login, and git has none."),
        "git_credentials_missing",
        client=Client(environ={**DIRECT, "GOPRIVATE": COMPANY_CODE}, go_mod=SECRET_GO_MOD),
        mend=Mend(files={"{home}/.gitconfig": LOGGED_IN}),
        wants=_SOMEBODY,
    ),
    Scenario(
        "git-insteadof-ssh",
        N_("A git rule turns https into ssh, and the host key is unknown."),
        "git_insteadof_ssh",
        sites=_SSH_SITE,
        client=Client(environ=DIRECT, git_config=_rewritten("ssh")),
        mend=_NO_REWRITE,
    ),
    Scenario(
        "git-insteadof-ssh-key",
        N_("A git rule turns https into ssh, and the server accepts no key."),
        "git_insteadof_ssh",
        sites=_SSH_SITE,
        client=Client(environ={**DIRECT, "GIT_SSH_COMMAND": _ACCEPT}, git_config=_rewritten("ssh")),
        mend=_NO_REWRITE,
    ),
    Scenario(
        "git-insteadof-without-colon",
        N_("A git rule lacks the colon behind its host, so it makes a URL of nowhere."),
        "git_insteadof_ssh",
        client=Client(environ=DIRECT, git_config=f'[url "git@{CODE}"]\n\tinsteadOf = https://{CODE}/\n'),
        mend=_NO_REWRITE,
    ),
    Scenario(
        "git-port-blocked",
        N_("A git rule turns https into git://, whose port is closed."),
        "git_protocol_blocked",
        network=path(PathRule(Fate.RESET, to=public(20), ports=(9418,))),
        client=Client(environ=DIRECT, git_config=_rewritten("git")),
        mend=_NO_REWRITE,
    ),
    Scenario(
        "git-ssh-port-blocked",
        N_("The repository is named by ssh, whose port is closed."),
        "git_protocol_blocked",
        sites=(*_SSH_SITE, *_page(f"ssh://git@{CODE}/lab/hello")),
        network=path(PathRule(Fate.RESET, to=public(20), ports=(22,))),
        client=Client(environ=DIRECT),
        mend=Mend(files={"{home}/.gitconfig": f'[url "https://{CODE}/"]\n\tinsteadOf = ssh://git@{CODE}/\n'}),
    ),
    Scenario(
        "git-ssh-port-blackhole",
        N_("The repository is named by ssh, and packets to its port vanish."),
        "git_protocol_blocked",
        sites=(*_SSH_SITE, *_page(f"ssh://git@{CODE}/lab/hello")),
        network=path(PathRule(Fate.DROP, to=public(20), ports=(22,))),
        client=Client(environ=DIRECT),
        mend=Mend(files={"{home}/.gitconfig": f'[url "https://{CODE}/"]\n\tinsteadOf = ssh://git@{CODE}/\n'}),
        hangs=True,
    ),
    Scenario(
        "git-ssh-key-refused",
        N_("The repository is named by ssh, and the server accepts no key."),
        "git_ssh_key_refused",
        sites=(*_SSH_SITE, *_page(f"ssh://git@{CODE}/lab/hello")),
        client=Client(environ={**DIRECT, "GIT_SSH_COMMAND": _ACCEPT}),
        mend=Mend(files={"{home}/.gitconfig": f'[url "https://{CODE}/"]\n\tinsteadOf = ssh://git@{CODE}/\n'}),
    ),
    Scenario(
        "git-ssh-host-key-changed",
        N_("The repository is named by ssh, and the server shows another key than before."),
        "git_ssh_key_refused",
        sites=(*_SSH_SITE, *_page(f"ssh://git@{CODE}/lab/hello")),
        client=Client(environ={**DIRECT, "GIT_SSH_COMMAND": _KNOWN}, files={"{home}/known_hosts": _OLD_KEY}),
        mend=Mend(files={"{home}/.gitconfig": f'[url "https://{CODE}/"]\n\tinsteadOf = ssh://git@{CODE}/\n'}),
    ),
    Scenario(
        "git-wrong-token",
        N_("The private repository gets a token from git that it does not accept."),
        "git_credentials_missing",
        client=Client(
            environ={**DIRECT, "GOPRIVATE": COMPANY_CODE}, git_config=_EXPIRED, go_mod=SECRET_GO_MOD
        ),
        mend=Mend(files={"{home}/.gitconfig": LOGGED_IN}),
        wants=_SOMEBODY,
    ),
    Scenario(
        "git-sign-in-page",
        N_("The private repository's host shows git a page to sign in, with status 200."),
        "git_credentials_missing",
        sites=(Site((COMPANY_CODE,), Page(200, _SIGN_IN, "text/html"), company(20), inside=True),),
        client=Client(environ={**DIRECT, "GOPRIVATE": COMPANY_CODE}, go_mod=SECRET_GO_MOD),
        wants=_SOMEBODY,
    ),
    Scenario(
        "code-host-429",
        N_("The code host limits this client, and GOPROXY says direct."),
        "rate_limited_429",
        sites=at(CODE, 20, Page(429, "slow down\n", headers={"Retry-After": "60"})),
        client=Client(environ=DIRECT),
        mend=_PROXY_INSTEAD,
    ),
    Scenario(
        "git-missing",
        N_("git is not installed where go looks for it."),
        "vcs_binary_missing",
        client=Client(environ={**DIRECT, "PATH": "{tools}"}),
        mend=_PROXY_INSTEAD,
    ),
    Scenario(
        "hg-missing",
        N_("The repository is one of Mercurial, which is not installed."),
        "vcs_binary_missing",
        sites=_page(f"hg https://{CODE}/lab/hello"),
        client=Client(environ={**DIRECT, "PATH": "{tools}"}),
        mend=_PROXY_INSTEAD,
    ),
    _vanity(
        "vanity-503",
        N_("The host of the import path answers 503; the code host is well."),
        ImportPages(status=503),
    ),
    Scenario(
        "vanity-names-dead-proxy",
        N_("The host of the import path names a module proxy of its own, which is gone."),
        "vanity_host_down",
        sites=_page("mod https://modules.example.org"),
        client=Client(environ=DIRECT),
        mend=_PROXY_INSTEAD,
    ),
    _vanity("vanity-no-tag", N_("The host of the import path has no page for the module."), ImportPages()),
    Scenario(
        "vanity-silent",
        N_("The host of the import path takes the request and never answers."),
        "vanity_host_down",
        sites=at_vanity(_SILENT),
        client=Client(environ=DIRECT),
        mend=_PROXY_INSTEAD,
        hangs=True,
    ),
    Scenario(
        "code-host-silent",
        N_("The code host takes the request and never answers."),
        "direct_host_blocked",
        sites=at(CODE, 20, _SILENT),
        client=Client(environ=DIRECT),
        mend=_PROXY_INSTEAD,
        hangs=True,
    ),
    Scenario(
        "code-host-stalls",
        N_("The code host sends a part of the repository, and then nothing more."),
        "direct_host_blocked",
        sites=(Site((CODE,), Repositories(), public(20), wire=WireFault(stall_after=20_000)),),
        client=Client(environ=DIRECT),
        mend=_PROXY_INSTEAD,
        hangs=True,
    ),
)
