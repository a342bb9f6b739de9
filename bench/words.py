"""The words of the tables, in both languages of the documentation.

Scenarios name their figures in English. Chinese is made from those names: a demand as a whole, a figure beside the
demands phrase by phrase, because its name is put together from a contestant, a case and a size.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_DEMANDS: Final = {
    "go mod download, 188 modules, cold ÷ straight from upstream": "go mod download，188 个模块，无缓存 ÷ 直接访问上游",
    "the same warm ÷ file:// floor, database off": "同上，有缓存 ÷ file:// 底线，停用数据库",
    "the same, serve --offline, database on: go.sum lines that differ": (
        "同上，serve --offline，启用数据库：go.sum 中不同的行数"
    ),
    "go list -m -u all, warm ÷ straight from upstream": "go list -m -u all，有缓存 ÷ 直接访问上游",
    "go list -m -u all, warm": "go list -m -u all，有缓存",
    "200 B cached ÷ nginx static": "200 B，已缓存 ÷ nginx 静态文件",
    "5 KB cached ÷ nginx static": "5 KB，已缓存 ÷ nginx 静态文件",
    "200 B cached ÷ goproxy/goproxy": "200 B，已缓存 ÷ goproxy/goproxy",
    "5 KB cached ÷ goproxy/goproxy": "5 KB，已缓存 ÷ goproxy/goproxy",
    "1 MB cached ÷ nginx static": "1 MB，已缓存 ÷ nginx 静态文件",
    "20 MB cached ÷ nginx static": "20 MB，已缓存 ÷ nginx 静态文件",
    "p99 at 64 connections, 200 B ÷ nginx": "64 个连接时的 p99，200 B ÷ nginx",
    "p99 at 64 connections, 5 KB ÷ nginx": "64 个连接时的 p99，5 KB ÷ nginx",
    "1 MB over TLS, HTTP/1.1 ÷ nginx": "1 MB，TLS，HTTP/1.1 ÷ nginx",
    "20 MB over TLS, HTTP/1.1 ÷ nginx": "20 MB，TLS，HTTP/1.1 ÷ nginx",
    "1 MB over TLS, HTTP/2 ÷ nginx": "1 MB，TLS，HTTP/2 ÷ nginx",
    "20 MB over TLS, HTTP/2 ÷ nginx": "20 MB，TLS，HTTP/2 ÷ nginx",
    "resident memory, 1 worker, idle": "常驻内存，1 个工作进程，空闲",
    "resident memory, 1 worker, after 64 x 20 MB": "常驻内存，1 个工作进程，64 x 20 MB 之后",
    "8 stalled readers of a 400 MB cold body, growth": "8 个停滞的客户端读取未缓存的 400 MB 响应，内存增长",
    "cold 5 KB misses over TLS, one core": "5 KB 未命中，TLS，单核",
    "cold 20 MB zips with hashing over TLS, one core": "未缓存的 20 MB zip，含计算校验和，TLS，单核",
    "list p99, upstream answers after 5 s ÷ warm hit": "list 的 p99，上游 5 秒才应答 ÷ 缓存命中",
    "list p99, upstream down ÷ warm hit": "list 的 p99，上游中断 ÷ 缓存命中",
    "20 identical misses at once, 1 worker: upstream fetches": (
        "20 个相同的未命中请求同时到来，1 个工作进程：上游请求数"
    ),
    "20 identical misses at once, 2 workers: upstream fetches": (
        "20 个相同的未命中请求同时到来，2 个工作进程：上游请求数"
    ),
    "upstream cuts 30 % of bodies, 500 modules: failures": "上游截断 30 % 的响应，500 个模块：失败数",
    "h1 of a 50 MB zip ÷ bare SHA-256 of its content": "50 MB zip 的 h1 ÷ 对其内容单独计算 SHA-256",
    "build list of 1,000 modules, unseen go.mod ÷ go list -m all": (
        "1,000 个模块的构建列表，从未见过的 go.mod ÷ go list -m all"
    ),
    "the same again, project unchanged ÷ go list -m all": "同上，项目未变 ÷ go list -m all",
    "goferry --help": "goferry --help",
    "advisories in 55 real go.mod files: findings": "55 份真实依赖清单中的漏洞公告：发现数",
    "4,023 requirements against the shipped advisories": "4,023 个依赖与自带漏洞公告匹配",
    "one go.mod file, from the start of the process": "一份依赖清单，从进程启动算起",
    "1,000 repositories, warm": "1,000 个仓库，已加载",
    "most resident memory in all of that": "其间的最大常驻内存",
    "deps gate, 500 lines of go.sum, empty store, 50 ms to all peers": "门禁，go.sum 500 行，空存储，到各方 50 毫秒",
    "the same again, warm store, offline": "同上，存储已热，离线",
    "deps gate, 150 vendored modules, warm store, offline": "门禁，150 个 vendor 模块，存储已热，离线",
    "lines of go.sum, all proven by the log": "由日志证明的 go.sum 行数",
    "vendored files compared": "比较过的 vendor 文件数",
}

_PHRASES: Final = (
    (r"requirements of 1,000 repositories", "1,000 个仓库的依赖数"),
    (r"requirements", "依赖数"),
    (r"processor time of a cold start", "冷启动的处理器时间"),
    (r"opening the database", "打开数据库"),
    (r"the same lists again", "再次匹配"),
    (r"modules of the graph", "图中的模块数"),
    (r"modules listed otherwise than straight", "与直接访问所列不同的模块数"),
    (r"modules listed", "列出的模块数"),
    (r"cold (\d+ KB) zips with hashing", r"未缓存的 \1 zip，含计算校验和"),
    (r"cold (\d+ KB) misses without waiting for the disk", r"\1 未命中，不等待磁盘"),
    (r"first byte of a (\d+ MB) cold body for (\d+) readers", r"\2 个客户端得到未缓存的 \1 响应首字节的时间"),
    (r"peak during (\d+ x \d+ MB)", r"\1 期间的峰值"),
    (r"after (\d+ x \d+ MB)", r"\1 之后"),
    (r"growth without file pages", "不计文件页的内存增长"),
    (r"growth", "内存增长"),
    (r"shared pages once", "共享页只计一次"),
    (r"upstream fetches of one (\.\w+)", r"同一个 \1 的上游请求数"),
    (r"upstream requests", "上游请求数"),
    (r"failed zips of (\d+)", r"\1 个 zip 中的失败数"),
    (r"failed of (\d+)", r"\1 次下载中的失败数"),
    (r"go list without -e", "不带 -e 的 go list"),
    (r"files in it", "其中的文件数"),
    (r"bare SHA-256", "单独计算 SHA-256"),
    (r"empty store", "空存储"),
    (r"new go\.mod", "新的 go.mod"),
    (r"project unchanged", "项目未变"),
    (r"one pass", "一次"),
    (r"database on", "启用数据库"),
    (r"list p99", "list 的 p99"),
    (r"of content", "（按内容计）"),
    (r"content", "内容"),
    (r"straight", "直接访问"),
    (r"stalled", "客户端停滞"),
    (r"offline", "离线"),
    (r"floor", "底线"),
    (r"again", "再次"),
    (r"first", "首次"),
    (r"idle", "空闲"),
    (r"upstream (\d+) ms away", r"上游往返时延 \1 毫秒"),
    (r"cold", "无缓存"),
    (r"warm", "有缓存"),
    (r"slow", "上游缓慢"),
    (r"down", "上游中断"),
    (r"hit", "缓存命中"),
)
"""Longer ones first: what stands in another one comes after it."""


def _as_it_is(name: str) -> str:
    return name


def _chinese(name: str) -> str:
    if whole := _DEMANDS.get(name):
        return whole
    for english, chinese in _PHRASES:
        name = re.sub(rf"\b{english}\b", chinese, name)
    return name.replace(", ", "，").replace(": ", "：").replace(" （", "（")


@dataclass(frozen=True, slots=True)
class Words:
    """One language. `name` turns the name of a figure, or its unit, into it."""

    columns: tuple[str, str, str, str]
    beside: tuple[str, str]
    passed: str
    failed: str
    missing: str
    machine: str
    pace: str
    versions: str
    """What stands between two versions."""
    quick: str
    absent: str
    name: Callable[[str], str]


ENGLISH: Final = Words(
    columns=("what", "measured", "demand", ""),
    beside=("beside", "figure"),
    passed="pass",
    failed="FAIL",
    missing="not measured",
    machine="{cpu}, {cores} cores, {memory_gb} GB, {system}, {scratch}; Python {python}; {versions}; "
    "commit {commit}, {when}{quick}",
    pace="Pace of the machine: Python {python} k/s, SHA-256 {sha256} MB/s, memory {memory} MB/s",
    versions=", ",
    quick=" (quick: not for quoting)",
    absent="not measured – {what}: {why}",
    name=_as_it_is,
)
CHINESE: Final = Words(
    columns=("内容", "测得", "要求", ""),
    beside=("其他", "数字"),
    passed="通过",
    failed="未通过",
    missing="未测量",
    machine="{cpu}，{cores} 核，{memory_gb} GB 内存，{system}，{scratch}；Python {python}；{versions}；"
    "提交 {commit}，{when}{quick}",
    pace="机器的速度：Python {python} k/s，SHA-256 {sha256} MB/s，内存 {memory} MB/s",
    versions="、",
    quick="（快速运行：不宜引用）",
    absent="未测量 – {what}：{why}",
    name=_chinese,
)
BY_FOLDER: Final = {"en": ENGLISH, "zh": CHINESE}
"""Language of each folder below docs."""
