"""git, the C library and Windows say the same in other languages, and it means the same."""

import pytest

from goferry.doctor.explain.answer import answer_of
from goferry.doctor.explain.clean import SMALL, paste_of
from goferry.doctor.explain.judge import explain
from goferry.doctor.explain.languages import SAYINGS, as_meant, in_english
from goferry.doctor.explain.surroundings import surroundings_of

RUN = "go: github.com/a/b@v1.0.0: git ls-remote -q origin in /go/vcs/aa: exit status 128:\n\t"
GET = 'go: x.y/z@v1.0.0: Get "https://goproxy.cn/x.y/z/@v/v1.0.0.mod": '


def cause(text: str) -> str:
    return explain([text.encode()]).verdict.cause


# What git 2.39, glibc and Windows print in these languages.
@pytest.mark.parametrize(
    ("text", "english"),
    [
        (
            "致命错误：无法访问 'https://github.com/a/b/'：Failed to connect to github.com port 443: 连接超时",
            "fatal: unable to access 'https://github.com/a/b/': Failed to connect to github.com port 443: "
            "Connection timed out",
        ),
        (
            "schwerwiegend: konnte nicht auf 'https://github.com/a/b/' zugreifen: Failed to connect to github.com "
            "port 443: Verbindungsaufbau abgelehnt",
            "fatal: unable to access 'https://github.com/a/b/': Failed to connect to github.com port 443: "
            "Connection refused",
        ),
        (
            "fatal: «https://github.com/a/b/» недоступно: Failed to connect to github.com port 443: "
            "Время ожидания соединения истекло",
            "fatal: unable to access 'https://github.com/a/b/': Failed to connect to github.com port 443: "
            "Connection timed out",
        ),
        (
            "fatal : impossible d’accéder à 'https://gitlab.example.com/a/b.git/' : "
            "The requested URL returned error: 403",
            "fatal: unable to access 'https://gitlab.example.com/a/b.git/': The requested URL returned error: 403",
        ),
        (
            "致命錯誤: 'https://gitlab.example.com/a/b.git/' 身份驗證失敗",
            "fatal: Authentication failed for 'https://gitlab.example.com/a/b.git/'",
        ),
        (
            "fatal: Autenticación falló para 'https://gitlab.example.com/a/b.git/'",
            "fatal: Authentication failed for 'https://gitlab.example.com/a/b.git/'",
        ),
        (
            "fatal: repositório 'https://github.com/a/b/' inexistente",
            "fatal: repository 'https://github.com/a/b/' not found",
        ),
        (
            'fatal: brak dostępu do „https://github.com/a/b/”: Could not resolve host: github.com',
            "fatal: unable to access 'https://github.com/a/b/': Could not resolve host: github.com",
        ),
        (
            "错误：RPC 失败。curl 18 transfer closed with outstanding read data remaining\n\t"
            "致命错误：过早的文件结束符（EOF）",
            "error: RPC failed; curl 18 transfer closed with outstanding read data remaining\n\tfatal: early EOF",
        ),
        (
            "git@github.com: Permission denied (publickey).\n\t致命错误：无法读取远程仓库。\n\n\t"
            "请确认您有正确的访问权限并且仓库存在。",
            "git@github.com: Permission denied (publickey).\n\tfatal: Could not read from remote repository.\n\n\t"
            "Please make sure you have the correct access rights\n\tand the repository exists.",
        ),
    ],
)  # fmt: skip
def test_what_git_says_in_other_languages_has_the_same_cause(text: str, english: str) -> None:
    assert cause(RUN + text) == cause(RUN + english) != "cannot_tell"


@pytest.mark.parametrize(
    ("text", "english"),
    [
        (
            "dial tcp 142.251.42.241:443: connectex: "
            "由于连接方在一段时间后没有正确答复或连接的主机没有反应，连接尝试失败。",
            "dial tcp 142.251.42.241:443: connectex: A connection attempt failed because the connected party did not "
            "properly respond after a period of time, or established connection failed.",
        ),
        (
            "dial tcp 142.251.42.241:443: connectex: 由于目标计算机积极拒绝，无法连接。",
            "dial tcp 142.251.42.241:443: connectex: No connection could be made because the target machine actively "
            "refused it.",
        ),
        (
            "dial tcp 142.251.42.241:443: connectex: "
            "対象のコンピューターによって拒否されたため、接続できませんでした。",
            "dial tcp 142.251.42.241:443: connectex: No connection could be made because the target machine actively "
            "refused it.",
        ),
        (
            "read tcp 192.168.0.2:5000->142.251.42.241:443: wsarecv: "
            "Удаленный хост принудительно разорвал существующее подключение.",
            "read tcp 192.168.0.2:5000->142.251.42.241:443: wsarecv: "
            "An existing connection was forcibly closed by the remote host.",
        ),
        ("dial tcp: lookup goproxy.cn: Host desconhecido.", "dial tcp: lookup goproxy.cn: no such host"),
        ("dial tcp: lookup goproxy.cn: Nome ou serviço desconhecido", "dial tcp: lookup goproxy.cn: no such host"),
    ],
)  # fmt: skip
def test_what_the_system_says_in_other_languages_has_the_same_cause(text: str, english: str) -> None:
    assert cause(GET + text) == cause(GET + english) != "cannot_tell"


@pytest.mark.parametrize(
    "text",
    [
        "go: writing go.mod cache: mkdir /go/pkg/mod: 权限不够",
        r"go: open C:\Go\pkg\mod\cache\lock: Zugriff verweigert",
        r"rename C:\Go\pkg\mod\a.tmp C:\Go\pkg\mod\a: Процесс не может получить доступ к файлу, так как этот файл "
        "занят другим процессом.",
        "write /go/pkg/mod/cache/a.zip: 设备上没有空间",
        "mkdir /go/pkg/mod: Le système de fichiers accessible en lecture seulement",
    ],
)
def test_what_the_file_system_says_in_other_languages_is_understood(text: str) -> None:
    assert cause(text) == "local_disk_or_permission"


@pytest.mark.parametrize(
    ("taken", "meant"),
    [("gbk", "utf-8"), ("latin-1", "gbk"), ("latin-1", "utf-8")],
)
def test_letters_that_were_read_with_the_wrong_table_are_read_again(taken: str, meant: str) -> None:
    said = "由于目标计算机积极拒绝，无法连接。"
    garbled = said.encode(meant).decode(taken, "replace")
    assert "积极拒绝" in as_meant(f"dial tcp 1.2.3.4:443: connectex: {garbled}")


def test_russian_of_a_console_is_read_again() -> None:
    garbled = "Отказано в доступе.".encode("cp866").decode("cp1251", "replace")
    assert cause(rf"go: open C:\Go\pkg\mod\cache\lock: {garbled}") == "local_disk_or_permission"


def test_what_nobody_can_read_is_a_connection_that_failed() -> None:
    assert (
        cause(GET + "dial tcp 142.251.42.241:443: connectex: \ufffd\ufffd\ufffd\ufffd")
        == "goproxy_host_blocked"
    )


def test_a_saying_is_shown_as_the_user_saw_it() -> None:
    text = RUN + "致命错误：无法访问 'https://github.com/a/b/'：Could not resolve host: github.com"
    shown = [evidence.text for evidence in answer_of(explain([text.encode()])).evidence]
    assert "致命错误：无法访问 'https://github.com/a/b/'：Could not resolve host: github.com" in shown


def test_a_saying_in_a_huge_log_is_kept() -> None:
    noise = "编译中，请稍候\n" * (SMALL // 4)
    text = noise + "curl: (7) Failed to connect to goproxy.cn port 443: 拒绝连接\n" + noise
    assert "拒绝连接" in "\n".join(line.text for line in paste_of([text.encode()]).lines)


def test_no_saying_stands_for_two() -> None:
    stems = [stem for _english, stems in SAYINGS for stem in stems]
    assert len(stems) == len(set(stems))
    assert [stem for stem in stems if stem != stem.lower()] == []


def test_english_stays_as_it_is() -> None:
    for text in ("fatal: early EOF", "dial tcp 1.2.3.4:443: i/o timeout", "Errors: 0", "a clone in the dark"):
        assert in_english(text) == text


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("下载依赖超时，怎么解决", True),
        ("依存関係のダウンロードに失敗しました", False),
        ("下載相依套件時連線逾時", False),
        ("dial tcp: i/o timeout", False),
    ],
)
def test_chinese_is_told_from_what_is_written_with_the_same_characters(text: str, there: bool) -> None:
    assert ("in_china" in surroundings_of(paste_of([text.encode()])).tags) is there
