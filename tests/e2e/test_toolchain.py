"""GOTOOLCHAIN through goferry: a toolchain is a module like any other, and go insists on its proof."""

import io
import json
import subprocess
import zipfile
from pathlib import Path

from e2e.ferry import NEEDS_GO, Client, goferry, serving, upstream
from modtree import info
from proxyworld import Tree

pytestmark = NEEDS_GO

GO = "go1.999.0"
MODULE = "golang.org/toolchain"
GREETING = f"this is {GO} from a fixture"


def toolchain(version: str) -> dict[str, bytes]:
    """A toolchain whose go is a shell script. What else is in it is what go itself looks for."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, body in {
            "go.mod": f"module {MODULE}\n",
            "bin/go": f"#!/bin/sh\necho {GREETING}\n",
            "bin/gofmt": "#!/bin/sh\n",
            "pkg/tool/fake": "",
            "lib/fake": "",
        }.items():
            archive.writestr(f"{MODULE}@{version}/{name}", body)
    return {
        f"{MODULE}/@v/{version}.info": info(version),
        f"{MODULE}/@v/{version}.mod": f"module {MODULE}\n".encode(),
        f"{MODULE}/@v/{version}.zip": packed.getvalue(),
    }


def test_go_fetches_a_toolchain_through_goferry_and_runs_it(tmp_path: Path) -> None:
    asked = subprocess.run(["go", "env", "GOOS", "GOARCH"], capture_output=True, text=True, check=True)
    version = f"v0.0.1-{GO}." + "-".join(asked.stdout.split())
    tree = Tree(toolchain(version))
    with upstream(tree) as lab:
        flags = ("--upstream", lab.url, "--sumdb", tree.log.verifier_key)
        chosen = {"GOTOOLCHAIN": GO}
        for name, more in (("cold", ()), ("offline", ("--offline",))):
            with serving(tmp_path, *flags, *more) as ferry:
                client = Client(tmp_path / name, ferry.url, tree.log.verifier_key, extra=chosen)
                done = client.go("version")
                assert (done.returncode, done.stdout.strip()) == (0, GREETING), done.stderr
                assert f"downloading {GO}" in done.stderr
        listed = goferry(tmp_path, "cache", "list", "--json", "--store", str(tmp_path / "store"), MODULE)
        assert [row["versions"] for row in json.loads(listed.stdout)["modules"]] == [[version]]
        tree.files[f"{MODULE}/@v/{version}.zip"] = b"PK"
        with serving(tmp_path / "evil", *flags) as ferry:
            client = Client(tmp_path / "evil client", ferry.url, tree.log.verifier_key, extra=chosen)
            assert "403 Forbidden" in client.go("version").stderr
