"""Settings of go that send it the wrong way, or nowhere."""

from typing import Final

from goferry.i18n import N_
from goferry.lab.cases.shared import OTHER_MIRROR, at_proxy, path, proxy_says, set_to
from goferry.lab.codehost import LOGIN
from goferry.lab.goproxy import Fault, Trouble
from goferry.lab.internet import COMPANY_CODE, DEFAULT_PROXY, MIRROR, PROXY, SECRET_GO_MOD
from goferry.lab.modules import HELLO
from goferry.lab.scenario import (
    Client,
    Fate,
    Mend,
    Modules,
    Needs,
    PathRule,
    Scenario,
    When,
)

LOGGED_IN: Final = (
    f'[url "https://{":".join(LOGIN)}@{COMPANY_CODE}/"]\n\tinsteadOf = https://{COMPANY_CODE}/\n'
)
"""git settings of somebody who may read the company's repositories."""

_TERMINAL: Final = (
    "not found: {path}: invalid version: git ls-remote -q origin in a temporary folder: exit status 128:\n"
    f"\tfatal: could not read Username for 'https://{COMPANY_CODE}': terminal prompts disabled\n"
)
_ASKED_FIRST: Final = at_proxy(Modules((When(f"{COMPANY_CODE}/*", Fault(Trouble.STATUS, 404, _TERMINAL)),)))
_PRIVATE: Final = Mend(environ={"GOPRIVATE": COMPANY_CODE})


def _private(name: str, summary: str, **environ: str) -> Scenario:
    return Scenario(
        name,
        summary,
        "goprivate_not_set",
        sites=_ASKED_FIRST,
        client=Client(
            environ={"GOPROXY": f"https://{PROXY},direct", **environ},
            git_config=LOGGED_IN,
            go_mod=SECRET_GO_MOD,
        ),
        mend=_PRIVATE,
    )


def _malformed(name: str, summary: str, value: str) -> Scenario:
    return Scenario(
        name,
        summary,
        "goproxy_value_malformed",
        client=set_to(GOPROXY=value),
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
    )


def _refused(name: str, summary: str, variable: str, value: str) -> Scenario:
    return Scenario(
        name,
        summary,
        "go_setting_refused",
        # What go's own file has then counts.
        client=Client(environ={variable: value}, go_env={"GOSUMDB": "{sumdb_key}"}),
        mend=Mend(environ={variable: ""}),
        needs=Needs.LOOPBACK,
    )


SCENARIOS: Final = (
    Scenario(
        "goproxy-off",
        N_("GOPROXY=off forbids every download."),
        "goproxy_off",
        client=set_to(GOPROXY="off"),
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
    ),
    _malformed(
        "goproxy-semicolon",
        N_("The entries of GOPROXY are parted by a semicolon."),
        f"https://{PROXY};direct",
    ),
    _malformed("goproxy-wrong-case", N_("GOPROXY says Direct, with a capital letter."), "Direct"),
    _malformed("goproxy-quoted", N_("The quotes of a shell became part of GOPROXY."), f'"https://{PROXY}"'),
    _malformed(
        "goproxy-fullwidth-colon",
        N_("The colon behind https in GOPROXY is a fullwidth one, as an input method for Chinese writes it."),
        f"https：//{PROXY}",
    ),
    _malformed(
        "goproxy-open-password",
        N_("The password in GOPROXY holds a slash and a hash as they are."),
        f"https://developer:let/me#in@{PROXY}",
    ),
    Scenario(
        "goproxy-misspelt-host",
        N_("The host in GOPROXY has a letter too many, and nobody knows it."),
        "goproxy_value_malformed",
        client=set_to(GOPROXY=f"https://proxxy.{PROXY.partition('.')[2]}"),
        mend=OTHER_MIRROR,
        alone="dns_negative_filter",
    ),
    Scenario(
        "goproxy-misspelt-mirror",
        N_("The host in GOPROXY is a public mirror with a letter too many."),
        "goproxy_value_malformed",
        client=set_to(GOPROXY="https://goproxxy.cn"),
        mend=OTHER_MIRROR,
    ),
    Scenario(
        "goproxy-folder-missing",
        N_("GOPROXY is a folder that does not exist."),
        "goproxy_lacks_module_no_direct",
        client=set_to(GOPROXY="file://{home}/no-such-folder"),
        mend=Mend(environ={"GOPROXY": "file://{home}/no-such-folder,direct"}),
    ),
    Scenario(
        "goproxy-login-in-the-clear",
        N_("GOPROXY has a login and http://, and go sends no password in the clear."),
        "goproxy_value_malformed",
        client=set_to(GOPROXY=f"http://developer:let-me-in@{PROXY}"),
        mend=OTHER_MIRROR,
    ),
    _refused("goflags-no-flag", N_("GOFLAGS holds a word that is no flag."), "GOFLAGS", "mod=mod"),
    _refused("gosumdb-no-database", N_("GOSUMDB is something that go does not know."), "GOSUMDB", "none"),
    _refused("gotoolchain-no-toolchain", N_("GOTOOLCHAIN=latest is no toolchain."), "GOTOOLCHAIN", "latest"),
    Scenario(
        "govcs-forbids-git",
        N_("GOVCS forbids git, which the module's repository needs."),
        "go_setting_refused",
        client=set_to(GOPROXY="direct", GOVCS="public:hg"),
        mend=Mend(environ={"GOVCS": ""}),
    ),
    Scenario(
        "goproxy-comma-trap",
        N_("The first entry of GOPROXY answers 403, and the comma after it forbids trying the next."),
        "goproxy_comma_no_fallback",
        sites=proxy_says(403, "forbidden by policy\n", "example.com/*"),
        client=set_to(GOPROXY=f"https://{PROXY},https://{MIRROR}"),
        mend=Mend(environ={"GOPROXY": f"https://{PROXY}|https://{MIRROR}"}),
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "goproxy-comma-trap-500",
        N_("The first entry of GOPROXY answers 500, and the comma after it forbids going direct."),
        "goproxy_comma_no_fallback",
        sites=proxy_says(500, "internal error\n"),
        client=set_to(GOPROXY=f"https://{PROXY},direct"),
        mend=Mend(environ={"GOPROXY": f"https://{PROXY}|direct"}),
    ),
    Scenario(
        "goproxy-without-direct",
        N_("No entry of GOPROXY has the module, and direct is not among them."),
        "goproxy_lacks_module_no_direct",
        sites=at_proxy(Modules(lacks=(f"{HELLO}/*",))),
        client=set_to(GOPROXY=f"https://{PROXY}"),
        mend=Mend(environ={"GOPROXY": f"https://{PROXY},direct"}),
    ),
    Scenario(
        "gopath-mode",
        N_("GO111MODULE=off switches modules off, and GOPROXY with them."),
        "gopath_mode_ignores_goproxy",
        client=set_to(GO111MODULE="off"),
        mend=Mend(environ={"GO111MODULE": "on"}),
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "goproxy-in-other-shell",
        N_("GOPROXY is exported in .bashrc, which the command was not started from."),
        "goproxy_setting_not_effective",
        network=path(PathRule(Fate.RESET, to=DEFAULT_PROXY)),
        client=Client(go_env={"GOPROXY": ""}, files={"{home}/.bashrc": f"export GOPROXY=https://{MIRROR}\n"}),
        mend=OTHER_MIRROR,
    ),
    Scenario(
        "goproxy-environment-wins",
        N_("GOPROXY was set with go env -w, but an older value in the environment wins."),
        "goproxy_setting_not_effective",
        client=Client(
            environ={"GOPROXY": "https://old-proxy.example.org"}, go_env={"GOPROXY": f"https://{PROXY}"}
        ),
        mend=Mend(environ={"GOPROXY": ""}),
    ),
    _private("goprivate-missing", N_("A company's module is asked for at a public proxy.")),
    _private(
        "goprivate-with-scheme",
        N_("GOPRIVATE holds a URL, which matches no module path."),
        GOPRIVATE=f"https://{COMPANY_CODE}/*",
    ),
    _private(
        "goprivate-other-folder",
        N_("GOPRIVATE names another folder of the same host."),
        GOPRIVATE=f"{COMPANY_CODE}/platform",
    ),
)
