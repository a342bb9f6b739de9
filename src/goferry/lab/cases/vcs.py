"""Version control: credentials, rewritten URLs, closed ports, programs that are not there, and import pages."""

from typing import Final

from goferry.i18n import N_
from goferry.lab.cases.config import LOGGED_IN
from goferry.lab.cases.shared import DIRECT, at, at_vanity, path
from goferry.lab.goproxy import Fault, Trouble
from goferry.lab.internet import CODE, COMPANY_CODE, PROXY, SECRET_GO_MOD, public
from goferry.lab.modules import HELLO
from goferry.lab.scenario import (
    Client,
    Fate,
    ImportPages,
    Mend,
    Modules,
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
        wants=N_("Somebody who may read the repository has to put in a login for it."),
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
