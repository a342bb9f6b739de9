"""The page of the lab: every scenario, by the cause that it shows, with what it teaches. Written by tools/docs.py."""

from collections.abc import Iterator
from typing import Final

from goferry.i18n import _
from goferry.lab import cases
from goferry.lab.lessons import LESSONS, Lesson
from goferry.lab.scenario import Needs, Scenario

_TITLE: Final = {"en": "The lab: broken networks to learn from", "zh": "实验室：可供学习的故障网络"}
_INTRO: Final = {
    "en": (
        "`goferry lab run NAME` shows a fault on this machine, `goferry lab run NAME -- COMMAND` runs any command in "
        "it, and `goferry lab shell NAME` opens a shell. Every scenario is a network of its own, with name servers, "
        "module proxies, repositories and certificates that exist for as long as the command runs; the default "
        "command is `go mod download`. Scenarios marked *namespace* need Linux with private network namespaces; the "
        "others also work on loopback, on any system."
    ),
    "zh": (
        "`goferry lab run 名称` 在本机重现一种故障，`goferry lab run 名称 -- 命令` 在其中运行任意命令，"
        "`goferry lab shell 名称` 打开一个 shell。每个场景都是一个独立的网络，其中的名字服务器、模块代理、"
        "代码仓库和证书只在命令运行期间存在；默认命令是 `go mod download`。标有 *namespace* 的场景需要 Linux "
        "的私有网络命名空间；其余场景在任何系统的回环地址上也能运行。"
    ),
}
_MADE: Final = {
    "en": "This page is made from the code by `make docs`.",
    "zh": "本页由 `make docs` 从代码生成。",
}
_HEADINGS: Final = {
    "en": ("What is seen", "Why", "Its neighbours", "What mends it"),
    "zh": ("现象", "原因", "相近的故障", "解决办法"),
}
_HEALTHY: Final = {
    "en": (
        "Healthy worlds",
        "Nothing is wrong here, though some of it looks so; a diagnosis must find nothing.",
    ),
    "zh": ("健康的网络", "这里没有任何故障，尽管有些看上去像；诊断不应报告任何问题。"),
}


def lab_page(language: str) -> str:
    """The whole page as Markdown."""
    lines = [f"# {_TITLE[language]}", "", _MADE[language], "", _INTRO[language]]
    for cause, lesson in LESSONS.items():
        lines += ["", f"## `{cause}`", "", *_lesson(lesson, language), "", *_scenarios(cause)]
    title, text = _HEALTHY[language]
    lines += ["", f"## {title}", "", text, "", *_scenarios("")]
    return "\n".join(lines) + "\n"


def _lesson(lesson: Lesson, language: str) -> Iterator[str]:
    texts = (lesson.seen, lesson.why, lesson.apart, lesson.mend)
    for heading, text in zip(_HEADINGS[language], texts, strict=True):
        yield f"- **{heading}**: {_(text)}"


def _scenarios(cause: str) -> Iterator[str]:
    return (_line(scenario) for scenario in cases.SCENARIOS if scenario.expected == cause)


def _line(scenario: Scenario) -> str:
    mark = " *namespace*" if scenario.needs is Needs.NAMESPACE else ""
    more = [_(scenario.wants)] if scenario.wants else []
    if scenario.alone:
        more.append(
            _("Without second opinions of public name servers it cannot be told from {cause}.").format(
                cause=f"`{scenario.alone}`"
            )
        )
    return " ".join((f"- `{scenario.name}`{mark}: {_(scenario.summary)}", *more))
