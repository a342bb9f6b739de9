"""What git, the C library and Windows say in other languages, in the English that the rest of `explain` reads.

go speaks English; the programs that it runs, and the system whose errors it passes on, speak the language of the user.
A table of the words that matter gives them back in English, so that no signature has to know a second language. The
words are facts of those programs, kept as short as is unambiguous; new versions change the rest of a sentence sooner.
"""

import re
from functools import cache
from typing import Final

# English, and the beginnings of the same in other languages: Chinese (simplified, traditional), Japanese, Korean,
# German, French, Spanish, Portuguese (Brazil, Portugal), Russian, Italian, Polish, Turkish, Vietnamese, Ukrainian.
SAYINGS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    # the C library
    ("connection refused", (
        "拒绝连接", "连接被拒绝", "連線被拒絕", "拒絕連線", "接続を拒否され", "연결이 거부",
        "verbindungsaufbau abgelehnt", "connexion refusée", "conexión rehusada", "conexión rechazada",
        "conexão recusada", "ligação recusada", "в соединении отказано", "соединение отклонено",
        "connessione rifiutata", "połączenie odrzucone", "bağlantı reddedildi", "kết nối bị từ chối",
        "у з'єднанні відмовлено",
    )),
    ("connection timed out", (
        "连接超时", "連線逾時", "連線超過時間", "接続がタイムアウト", "연결 시간 초과", "연결 시간이 초과",
        "die wartezeit für die verbindung ist abgelaufen", "expiration du délai d'attente",
        "délai d'attente expiré", "expiró el tiempo de conexión", "tiempo de espera agotado",
        "tempo esgotado para conexão", "ligação expirada", "время ожидания соединения истекло",
        "connessione scaduta", "przekroczony czas oczekiwania na połączenie", "bağlantıda zaman aşımı",
        "kết nối đã quá hạn", "перевищено інтервал очікування",
    )),
    ("connection reset by peer", (
        "连接被对方重设", "连接被对方重置", "连接被重置", "連線被對方重設", "接続が相手からリセット",
        "연결이 상대편에 의해", "상대편이 연결을 끊음", "vom kommunikationspartner zurückgesetzt",
        "connexion ré-initialisée", "connexion réinitialisée", "conexión reinicializada",
        "conexão fechada pela outra ponta", "ligação reposta pelo peer", "соединение разорвано другой стороной",
        "соединение сброшено", "connessione interrotta dal corrispondente",
        "połączenie zerwane przez drugą stronę", "bağlantı karşıdan kesildi", "kết nối bị đặt lại",
        "вузол розірвав з",
    )),
    ("network is unreachable", (
        "网络不可达", "無法接觸網路", "網路無法連接", "ネットワークに届きません", "네트워크가 접근 불가능",
        "das netzwerk ist nicht erreichbar", "le réseau n'est pas accessible", "la red es inaccesible",
        "la red no es accesible", "a rede está fora de alcance", "rede inacessível", "сеть недоступна",
        "la rete non è raggiungibile", "sieć jest niedostępna", "ağ erişilebilir durumda değil",
        "не вдалося отримати доступ до мережі",
    )),
    ("no route to host", (
        "没有到主机的路由", "找不到通往該主機", "ホストへの経路がありません", "호스트로 갈 루트가 없음",
        "keine route zum zielrechner", "aucun chemin d'accès pour atteindre l'hôte",
        "no existe ninguna ruta hasta el", "não há rota para o host", "нет маршрута до узла",
        "nessun instradamento per l'host", "brak trasy do hosta",
    )),
    ("name or service not known", (
        "未知的名称或服务", "名稱或服務未知", "名前またはサービスが不明", "이름 혹은 서비스를 알 수 없",
        "der name oder der dienst ist nicht bekannt", "nom ou service inconnu", "nombre o servicio desconocido",
        "nome ou serviço desconhecido", "неизвестное имя или служба", "имя или служба не известны",
        "nome o servizio sconosciuto", "ta nazwa lub usługa jest nieznana", "i̇sim ya da servis bilinmiyor",
        "невідома назва чи сервіс",
    )),
    ("temporary failure in name resolution", (
        "域名解析暂时失败", "解析名稱時發生暫時性錯誤", "名前解決に一時的に失敗",
        "temporärer fehler bei der namensauflösung", "échec temporaire dans la résolution",
        "fallo temporal en la resolución", "falha temporári", "временный сбой в разрешении им",
        "errore temporaneo nella risoluzione", "odwzorowanie nazwy jest chwilowo niemożliwe",
        "тимчасова помилка розв'язання назв",
    )),
    ("no space left on device", (
        "设备上没有空间", "磁盘空间不足", "裝置上已無多餘空間", "磁碟空間不足",
        "デバイスに空き領域がありません", "ディスクに十分な空き領域がありません", "장치에 남은 공간이 없음",
        "디스크 공간이 부족", "auf dem gerät ist kein speicherplatz mehr", "es steht nicht genug speicherplatz",
        "aucun espace disponible sur", "espace insuffisant sur le disque", "no queda espacio en el dispositivo",
        "no hay espacio suficiente en", "não há espaço disponível no dispositivo",
        "espaço insuficiente no disco", "на устройстве не осталось", "недостаточно места на диске",
        "spazio esaurito sul device", "spazio su disco insufficiente", "brak miejsca na urządzeniu",
        "aygıt üzerinde boş yer yok", "недостатньо місця на пристрої",
    )),
    ("permission denied", (
        "权限不够", "權限不夠", "拒絕不符權限的操作", "許可がありません", "허가 거부", "keine berechtigung",
        "permission non accordée", "permiso denegado", "permissão negada", "permissão recusada",
        "отказано в доступе", "permesso negato", "erişim engellendi", "không đủ quyền truy cập",
        "відмовлено у доступі",
    )),
    ("read-only file system", (
        "只读文件系统", "唯讀的檔案系統", "読み込み専用ファイルシステム", "읽기전용 파일 시스템",
        "dateisystem ist nur lesbar", "système de fichiers accessible en lecture seul",
        "sistema de ficheros de sólo lectura", "sistema de archivos de solo lectura",
        "sistema de arquivos somente para leitura", "доступна только для чтения", "file system in sola lettura",
        "wyłącznie do odczytu",
    )),
    ("broken pipe", (
        "断开的管道", "管線損壞", "파이프가 깨어짐", "relais brisé", "tubería rota", "обрыв канала",
        "przerwany potok",
    )),
    # Windows
    ("did not properly respond", (
        "没有正确答复", "连接尝试失败", "並未正確回應", "連線嘗試失敗", "正しく応答しなかった", "응답이 없어",
        "nicht richtig reagiert", "n'a pas répondu", "no respondió", "não respondeu",
        "не получен нужный отклик", "non ha risposto", "nie odpowiedziała poprawnie",
        "düzgün bir şekilde yanıt vermedi",
    )),
    ("actively refused it", (
        "积极拒绝", "对象计算机拒绝", "拒否されたため", "연결을 거부했으므로",
        "der zielcomputer die verbindung verweigerte", "l'ordinateur cible l'a expressément refusée",
        "denegó expresamente", "as recusou ativamente", "recusou ativamente", "отверг запрос на подключение",
        "rifiuto persistente", "rifiutato attivamente", "aktywnie odmawia", "etkin olarak reddettiğinden",
    )),
    ("forcibly closed by the remote host", (
        "远程主机强迫关闭了一个现有的连接", "遠端主機已強制關閉", "リモート ホストに強制的に切断",
        "強制的に切断", "원격 호스트에 의해 강제로", "vom remotehost geschlossen", "fermée par l'hôte distant",
        "ha sido interrumpida por el host remoto", "forzado la interrupción de una conexión",
        "cancelamento de uma conexão existente", "принудительно разорвал существующее подключение",
        "interrotta forzatamente dall'host remoto", "wymusił zamknięcie istniejącego połączenia",
        "varolan bir bağlantıyı zorla kapattı",
    )),
    ("established connection was aborted", (
        "你的主机中的软件中止了一个已建立的连接", "已建立的连接", "連線已被您主機上的軟體中止",
        "ホスト コンピューターのソフトウェアによって中止", "호스트 시스템의 소프트웨어의 의해",
        "durch die software auf dem hostcomputer abgebrochen", "a été abandonnée par un logiciel",
        "anulada por el software en su equipo", "anulada pelo software no computador",
        "программа на вашем хост-компьютере разорвала",
    )),
    ("no such host is known", (
        "不知道这样的主机", "无法识别此主机", "無法識別這台主機", "そのようなホストは不明",
        "알려진 호스트가 없", "der angegebene host ist unbekannt", "es ist kein solcher host bekannt",
        "hôte inconnu", "host desconocido", "este host não é conhecido", "host desconhecido",
        "этот хост неизвестен", "host sconosciuto", "nieznany host", "böyle bir ana bilgisayar bilinmiyor",
    )),
    ("forbidden by its access permissions", (
        "以一种访问权限不允许的方式做了一个访问套接字的尝试", "嘗試存取通訊端被拒絕",
        "アクセス許可で禁じられた方法でソケット", "액세스 권한에 의해 숨겨진 소켓",
        "der aufgrund der zugriffsrechte", "de manière interdite par ses autorisations",
        "socket no permitido por sus permisos", "forma proibida pelas permissões",
        "доступ к сокету методом, запрещенным",
    )),
    ("unreachable network", (
        "向一个无法连接的网络尝试了一个套接字操作", "嘗試透過通訊端操作以連線到一個無法連線的網路",
        "到達できないネットワーク", "에 연결할 수 없는 네트워크",
        "vorgang bezog sich auf ein nicht verfügbares netzwerk", "vers un réseau impossible à atteindre",
        "en una red no accesible", "em uma rede inacessível", "операция на сокете при отключенной сети",
    )),
    ("access is denied", (
        "拒绝访问", "存取被拒", "アクセスが拒否", "액세스가 거부", "zugriff verweigert", "accès refusé",
        "acceso denegado", "acesso negado", "accesso negato", "odmowa dostępu", "erişim engellendi.",
    )),
    ("being used by another process", (
        "另一个程序正在使用此文件", "另一個程式正在使用", "別のプロセスが使用中", "다른 프로세스가 파일을 사용",
        "von einem anderen prozess verwendet", "utilisé par un autre processus",
        "está siendo utilizado por otro proceso", "está sendo usado por outro processo",
        "занят другим процессом", "utilizzato da un altro processo", "używany przez inny proces",
    )),
    # git
    ("fatal: ", (
        "致命错误：", "致命错误: ", "致命錯誤：", "致命錯誤: ", "schwerwiegend: ", "schwerwiegender fehler: ",
        "fatal : ", "onulmaz: ",
    )),
    ("error: ", (
        "错误：", "错误: ", "錯誤: ", "erreur : ",
    )),
    ("Cloning into '", (
        "正克隆到 '", "正複製到 '", "klone nach '", "clonage dans '", "clonando en '", "clonando para '",
        "clone in '", "клонирование в «", 'klonowanie do "', "klonlama konumu: '",
    )),
    ("the tls connection was non-properly terminated", ("tls 链接非正常地终止了", "tls 连接非正常地终止了")),
    ("unable to access '", (
        "无法访问 '", "無法存取 '", "konnte nicht auf '", "impossible d'accéder à '",
        "no es posible acceder a '", "incapaz aceder '", "impossibile accedere a '", 'brak dostępu do "',
        'không thể truy cập "',
    )),
    ("authentication failed", (
        "鉴权失败", "认证失败", "身份验证失败", "身份驗證失敗", "认证未通过",
        "authentifizierung fehlgeschlagen", "échec d'authentification", "autenticación falló",
        "falló la autenticación", "autenticação falhou", "autenticazione non riuscita",
        "uwierzytelnienie nie powiodło się", "kimlik doğrulaması başarısız", "ошибка аутентификации",
        "не удалось аутентифицироваться",
    )),
    ("could not read from remote repository", (
        "无法读取远程仓库", "无法读取远端仓库", "無法讀取遠端版本庫", "리모트 저장소에서 읽을 수 없",
        "konnte nicht vom remote-repository lesen", "impossible de lire le dépôt distant",
        "no se pudo leer del repositorio remoto", "não pôde ler do repositório remoto",
        "incapaz de ler o repositório remoto", "не удалось прочитать из внешнего репозитория",
        "impossibile leggere dal repository remoto", "nie można czytać ze zdalnego repozytorium",
        "uzak konum deposu okunamadı", "リモートリポジトリから読み取れませんでした",
    )),
    ("Please make sure", (
        "请确认您有正确的访问权限", "請確認您有正確的存取權限",
        "bitte stellen sie sicher, dass die korrekten zugriffs",
    )),
    ("the remote end hung up unexpectedly", (
        "远端意外挂断了", "远程意外挂断了", "遠端意外掛斷了", "die gegenseite hat unerwartet abgebrochen",
        "l'hôte distant a fermé la connexion de manière inattendue", "el remoto se colgó de manera inesperada",
        "o lado remoto desligou inesperadamente", "interlocutore remoto ha chiuso inaspettatamente",
        "zdalna maszyna nieoczekiwanie się rozłączyła", "uzak konum beklenmedik bir biçimde",
    )),
    ("early eof", (
        "过早的文件结束符", "過早的檔案結束符", "zu frühes dateiende", "fin de fichier prématurée",
        "eof temprano", "eof prematuro", "неожиданный конец файла", "przedwczesny koniec pliku",
    )),
    ("rpc failed", (
        "rpc 失败", "rpc 失敗", "rpc fehlgeschlagen", "échec rpc", "rpc falló", "rpc falhou",
        "rpc non riuscita", "rpc başarısız",
    )),
    ("couldn't find remote ref", (
        "无法找到远程引用", "找不到远程引用", "無法找到遠端引用", "konnte remote-referenz",
        "impossible de trouver la référence distante", "no se pudo encontrar ref remota",
        "impossibile trovare il riferimento remoto", "nie znaleziono zdalnej referencji",
    )),
    ("unable to connect to ", (
        "无法连接到 ", "無法連線到 ", "konnte nicht nach ", "impossible de se connecter à ",
        "no es posible conectar a ",
    )),
    ("could not create ssl/tls secure channel", (
        "未能创建 ssl/tls 安全通道", "無法建立 ssl/tls 的安全通道",
        "es konnte kein geschützter ssl/tls-kanal erstellt werden",
        "impossible de créer un canal sécurisé ssl/tls", "no se puede crear un canal seguro ssl/tls",
        "не удалось создать защищенный канал ssl/tls",
    )),
    ("unable to resolve host address ", (
        "无法解析主机地址", "impossible de résoudre l'adresse de l'hôte", "не удаётся разрешить адрес",
        "no se pudo resolver la dirección del equipo",
    )),
    ("dubious ownership", (
        "可疑的仓库所有权", "检测到可疑的", "zweifelhafte eigentümerschaft", "propriété douteuse",
        "propiedad dudosa",
    )),
    ("git: command not found", (
        "git: 未找到命令", "git：未找到命令", "git：指令找不到", "git: コマンドが見つかりません",
        "git: 명령어를 찾을 수 없", "git: kommando nicht gefunden", "git: befehl nicht gefunden",
        "git : commande introuvable", "git: orden no encontrada", "git: comando não encontrado",
        "git: команда не найдена", "git: comando non trovato", "git: nie znaleziono polecenia",
    )),
)  # fmt: skip

# Where the words of English stand around the name: what is found of it, and the English of the whole.
_AROUND: Final = (
    (
        re.compile(
            r"(?:仓库|版本庫|repository|dépôt|repositorio|repositório) '([^'\n]+)' "
            r"(?:未找到|nicht gefunden|non trouvé|no encontrado|inexistente|non trovato)",
            re.IGNORECASE,
        ),
        r"repository '\1' not found",
    ),
    (re.compile(r'nie znaleziono repozytorium "([^"\n]+)"', re.IGNORECASE), r"repository '\1' not found"),
    (re.compile(r"«([^»\n]+)» недоступно", re.IGNORECASE), r"unable to access '\1'"),
    (re.compile(r"'([^'\n]+)' erişilemiyor", re.IGNORECASE), r"unable to access '\1'"),
)  # fmt: skip
_COLON: Final = re.compile(r"(?<=['\w/.])：")


# Letters that were read with the wrong table: how the bytes were taken, and how they were meant.
_MISREAD: Final = (
    ("gbk", "utf-8"), ("latin-1", "gbk"), ("latin-1", "utf-8"), ("cp932", "utf-8"),
    ("latin-1", "cp932"), ("cp1251", "utf-8"), ("cp1251", "cp866"), ("latin-1", "cp1251"), ("cp1252", "cp850"),
)  # fmt: skip


_PARTS: Final = (
    "://",
    "tcp",
    "git",
    "curl",
    "connect",
    "lookup",
    "open ",
    "mkdir ",
    "rename ",
    "write ",
    "fatal",
    "exec",
)
"""What stays readable of a line that is worth it."""


@cache
def _stems() -> tuple[tuple[str, str], ...]:
    """The longest first, so that a saying which contains another one is found whole."""
    pairs = [(stem, english) for english, stems in SAYINGS for stem in stems]
    return tuple(sorted(pairs, key=lambda pair: len(pair[0]), reverse=True))


@cache
def _plain_stems() -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in _stems() if pair[0].isascii())


def in_english(text: str) -> str:
    """The text with the sayings that matter in English; everything else of it stays."""
    found = _found(text)
    if not found and text.isascii():
        return text
    for stem, english in found:
        text = re.sub(re.escape(stem), english, text, flags=re.IGNORECASE)
    for pattern, english in _AROUND:
        text = pattern.sub(english, text)
    return _COLON.sub(": ", text)


def _found(text: str) -> list[tuple[str, str]]:
    low = text.lower()
    return [pair for pair in (_plain_stems() if text.isascii() else _stems()) if pair[0] in low]


def as_meant(text: str) -> str:
    """The text with its bytes read as they were meant, if that makes a saying of it; else as it is."""
    if text.isascii() or not any(part in text for part in _PARTS) or _found(text):
        return text
    for taken, meant in _MISREAD:
        again = text.encode(taken, "ignore").decode(meant, "ignore")
        if again != text and not again.isascii() and _found(again):
            return again
    return text


def matters_in_other_languages(text: str) -> bool:
    """Whether a text holds one of the sayings; asked of the lines of a huge log that are not plain ASCII."""
    low = text.lower()
    return any(stem in low for stem, _english in _stems() if not stem.isascii())
