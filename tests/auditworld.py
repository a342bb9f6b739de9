"""What `deps audit` is run on in tests: a file proxy, a vulnerability database, a store, projects, in one folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from advisories import block, file
from modtree import module as tree_of
from terminal import Said, goferry

FLAW = file(
    "GO-2024-0001",
    block("example.org/flawed", "0 -1.1.0"),
    summary="It breaks",
    aliases=["CVE-2024-1"],
)
"""An advisory about example.org/flawed, fixed in v1.1.0."""

OLD = b'{"Version": "v1.0.0", "Time": "2019-01-02T03:04:05Z"}'


class World:
    """A folder with a file proxy, a vulnerability database, a store, and projects."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.publish(tree_of("example.org/flawed", "v1.0.0", "v1.1.0"))
        middle = {"m.go": b'package middle\n\nimport "example.org/flawed"\n\nvar Name = flawed.Name\n'}
        flawed = [("example.org/flawed", "v1.0.0")]
        self.publish(tree_of("example.org/middle", "v1.0.0", requires=flawed, extra=middle))
        self.publish(tree_of("example.org/old", "v1.0.0") | {"example.org/old/@v/v1.0.0.info": OLD,
                                                             "example.org/old/@latest": OLD})  # fmt: skip
        self.put(f"db/{FLAW[0]}", FLAW[1])

    def put(self, name: str, data: bytes | str) -> Path:
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data.encode() if isinstance(data, str) else data)
        return place

    def publish(self, tree: Mapping[str, bytes]) -> None:
        for key, body in tree.items():
            self.put(f"proxy/{key}", body)

    def project(self, name: str = "app", *requires: str, more: str = "") -> Path:
        lines = [f"require {line}" for line in requires or ("example.org/middle v1.0.0",)]
        text = "\n".join([f"module example.org/{name}", "go 1.21", *lines, more])
        imports = "".join(f'import _ "{line.split()[1]}"\n' for line in lines)
        self.put(f"{name}/main.go", f"package main\n\n{imports}\nfunc main() {{}}\n")
        return self.put(f"{name}/go.mod", text + "\n")

    def audit(self, *words: str, cwd: str = "", **environ: str) -> Said:
        fixed = ["--goproxy", (self.folder / "proxy").as_uri(), "--sumdb", "off", "--fsync"]
        fixed += ["--store", str(self.folder / "store"), "--db", str(self.folder / "db")]
        fixed += [] if "--go" in words or environ else ["--go", "1.99.0"]
        return goferry("deps", "audit", *words, *fixed, cwd=self.folder / cwd, environ=environ)

    def found(self, *words: str, code: int = 1, cwd: str = "") -> Any:
        """The JSON of an audit that ends with this code."""
        said = self.audit("--json", *words, cwd=cwd)
        assert said.code == code, said.err + said.out
        return said.json
