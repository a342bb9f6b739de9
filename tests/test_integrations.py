"""What is in integrations/ works the way its host runs it: GitHub's runner, GitLab's, pre-commit, sh, systemd."""

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

import goferry
from fixworlds import FixWorld, small_world
from goferry.cli.deps.snippets import SNIPPETS
from sarifschema import uploadable

pytestmark = pytest.mark.go

ROOT = Path(__file__).parent.parent
INTEGRATIONS = ROOT / "integrations"
PROGRAMS = Path(sys.executable).parent


def environment(world: FixWorld, **more: str) -> dict[str, str]:
    """A CI job's: nothing of this machine but PATH, with goferry on it and the world's modules behind it."""
    home = world.folder / "home"
    home.mkdir(exist_ok=True)
    return {
        "PATH": os.pathsep.join([str(PROGRAMS), os.environ["PATH"]]),
        "HOME": str(home),
        "GOFERRY_STORE": str(world.folder / "store"),
        "GOFERRY_UPSTREAM": world.proxy.as_uri(),
        "GOFERRY_SUMDB": "off",
        "GOFERRY_PRIVATE": "example.org",
        "GOCACHE": go_cache(),
        **more,
    }


@cache
def go_cache() -> str:
    """Where this machine keeps what go has built: the standard library takes a minute."""
    done = run(["go", "env", "GOCACHE"], ROOT, os.environ)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def run(words: list[str], cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def spoil(world: FixWorld) -> None:
    """A go.sum that does not say what is built."""
    file = world.start / "go.sum"
    file.write_text(file.read_text().replace("h1:", "h1:A", 1))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> FixWorld:
    """A world whose modules are in its store already: what is tested here is how goferry is called."""
    world = small_world(tmp_path_factory.mktemp("world"))
    done = run([str(PROGRAMS / "goferry"), "warm"], world.start, environment(world))
    assert done.returncode == 0, done.stderr
    return world


@pytest.fixture
def world(original: FixWorld, tmp_path: Path) -> FixWorld:
    for name in ("proxy", "project", "store"):
        shutil.copytree(original.folder / name, tmp_path / name)
    return FixWorld(tmp_path, original.flawed, original.mains)


# ---- a machine without goferry ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """For pip: the wheel of this checkout, everything that it needs as installed already, and no network."""
    folder = tmp_path_factory.mktemp("index")
    done = run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], ROOT, os.environ
    )
    assert done.returncode == 0, done.stdout + done.stderr
    site = folder / "site"
    site.mkdir()
    for entry in Path(yaml.__file__).parent.parent.iterdir():
        if not entry.name.startswith(("goferry", "_goferry", "__pycache__")):
            (site / entry.name).symlink_to(entry)
    return {
        "PYTHONPATH": str(site),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_NO_BUILD_ISOLATION": "0",  # which means that there is none
    }


@pytest.fixture
def machine(tmp_path: Path, index: Mapping[str, str]) -> dict[str, str]:
    """The variables of a machine on which `python3` has pip, and goferry is not installed."""
    python = tmp_path / "python"
    venv.create(python, symlinks=True)
    own = {**index, "PATH": os.pathsep.join([str(python / "bin"), "/usr/local/bin", "/usr/bin", "/bin"])}
    assert shutil.which("goferry", path=own["PATH"]) is None
    go = str(Path(shutil.which("go") or "").parent)
    return {**own, "PATH": os.pathsep.join([own["PATH"], go])}


# ---- the files themselves ---------------------------------------------------------------------------------

SCHEMAS = {
    "github/action.yml": "vendor.github-actions",
    "github/example-workflow.yml": "vendor.github-workflows",
    "gitlab/goferry.yml": "vendor.gitlab-ci",
}


@pytest.mark.parametrize(("name", "schema"), SCHEMAS.items(), ids=list(SCHEMAS))
def test_the_files_have_the_form_that_their_hosts_publish(name: str, schema: str) -> None:
    done = run(
        [str(PROGRAMS / "check-jsonschema"), "--builtin-schema", schema, str(INTEGRATIONS / name)],
        ROOT,
        os.environ,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_the_snippets_have_it_too(ci: str, tmp_path: Path) -> None:
    file = tmp_path / "ci.yml"
    file.write_text(SNIPPETS[ci])
    schema = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}[ci]
    done = run([str(PROGRAMS / "check-jsonschema"), "--builtin-schema", schema, str(file)], ROOT, os.environ)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["github/run.sh", "scheduled/nightly.sh"])
def test_the_scripts_can_be_executed(name: str) -> None:
    assert os.access(INTEGRATIONS / name, os.X_OK)


# ---- GitHub -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """What a composite action left behind."""

    code: int
    said: str
    outputs: Mapping[str, str]
    summary: str


class Runner:
    """Runs the steps of a composite action as documented: expressions in `env` and `run` are filled in, each step is a
    shell with -e, outputs and summary are files."""

    EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")

    def __init__(self, world: FixWorld, machine: Mapping[str, str] | None = None) -> None:
        self._world = world
        self._machine = machine or {}
        self._folder = world.folder / "runner"
        self._folder.mkdir()

    def run(self, **given: str) -> Step:
        action = yaml.safe_load((INTEGRATIONS / "github/action.yml").read_text())
        inputs = {name: row["default"] for name, row in action["inputs"].items()} | given
        known = {f"inputs.{name}": value for name, value in inputs.items()}
        known["github.action_path"] = str(INTEGRATIONS / "github")
        output, summary = self._folder / "output", self._folder / "summary"
        code, said = 0, ""
        for step in action["runs"]["steps"]:
            output.write_text("")
            summary.touch()
            done = self._step(step, known, output, summary)
            said += done.stdout + done.stderr
            for line in output.read_text().splitlines():
                name, _, value = line.partition("=")
                known[f"steps.{step['id']}.outputs.{name}"] = value
            if code := done.returncode:
                break
        outputs = {name: self._fill(row["value"], known) for name, row in action["outputs"].items()}
        return Step(code, said, outputs, summary.read_text())

    def _step(
        self, step: Mapping[str, Any], known: Mapping[str, str], output: Path, summary: Path
    ) -> subprocess.CompletedProcess[str]:
        assert step["shell"] == "bash"
        script = self._folder / "step.sh"
        script.write_text(self._fill(step["run"], known))
        own = {name: self._fill(str(value), known) for name, value in step.get("env", {}).items()}
        files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
        host = {"GITHUB_WORKSPACE": str(self._world.start), "GITHUB_ACTIONS": "true", "CI": "true"}
        env = {**environment(self._world), **self._machine, **host, **files, **own}
        words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
        return run(words, self._world.start, env)

    def _fill(self, text: str, known: Mapping[str, str]) -> str:
        return self.EXPRESSION.sub(lambda found: known.get(found[1], ""), text)


@pytest.mark.parametrize("command", ["audit", "gate"])
def test_the_action_leaves_a_report_a_summary_and_a_status(command: str, world: FixWorld) -> None:
    step = Runner(world).run(version="none", command=command)
    assert step.code == 0, step.said
    assert step.outputs == {"exit-code": "0", "report": "goferry-report.sarif"}
    uploadable((world.start / "goferry-report.sarif").read_text())
    assert step.summary.startswith(f"### goferry deps {command}\n")
    assert len(step.summary.splitlines()) > 2


def test_the_action_installs_what_it_runs(world: FixWorld, machine: Mapping[str, str]) -> None:
    step = Runner(world, machine).run(version=goferry.__version__, command="gate")
    assert (step.code, step.outputs["exit-code"]) == (0, "0"), step.said
    assert "gate: example.net/m passed" in step.summary


def test_a_version_that_nobody_has_fails_the_action(world: FixWorld, machine: Mapping[str, str]) -> None:
    step = Runner(world, machine).run(version="99.0", command="gate")
    assert step.code != 0
    assert "goferry==99.0" in step.said


def test_the_action_locks_too(world: FixWorld) -> None:
    step = Runner(world).run(version="none", command="lock", report="lock.json")
    assert (step.code, step.outputs["report"]) == (0, "lock.json"), step.said
    assert json.loads((world.start / "lock.json").read_text())["verdict"] == "passed"


def test_wrong_arguments_leave_no_report(world: FixWorld) -> None:
    step = Runner(world).run(version="none", command="lock", report="lock.json", args="--no-such-flag")
    assert (step.code, (world.start / "lock.json").exists()) == (2, False)


@pytest.mark.parametrize("command", ["audit", "gate", "lock"])
def test_the_action_runs_goferry_once(command: str, world: FixWorld, tmp_path: Path) -> None:
    """Whatever it leaves behind comes from one run."""
    (tmp_path / "bin").mkdir()
    count, counting = tmp_path / "count", tmp_path / "bin/goferry"
    counting.write_text(f'#!/bin/sh\necho "$2" >> {count}\n')
    counting.chmod(0o755)
    path = os.pathsep.join([str(counting.parent), os.environ["PATH"]])
    Runner(world, {"PATH": path}).run(version="none", command=command)
    assert count.read_text().split().count(command) == 1


def test_the_action_fails_with_the_status_of_the_command(world: FixWorld) -> None:
    spoil(world)
    step = Runner(world).run(version="none", command="gate")
    assert (step.code, step.outputs["exit-code"]) == (1, "1")
    assert "::error::goferry deps gate ended with status 1" in step.said


def test_the_action_can_report_without_failing(world: FixWorld) -> None:
    spoil(world)
    step = Runner(world).run(version="none", command="gate", fail="false")
    assert (step.code, step.outputs["exit-code"]) == (0, "1")


def test_arguments_are_words_and_never_shell(world: FixWorld) -> None:
    step = Runner(world).run(
        version="none", command="gate", args="--rule tidy=off --rule $(touch${IFS}pwned)"
    )
    assert (step.code, (world.start / "pwned").exists()) == (2, False)


def test_a_command_that_is_none_is_refused(world: FixWorld) -> None:
    step = Runner(world).run(version="none", command="fix; touch pwned")
    assert (step.code, (world.start / "pwned").exists()) == (2, False)


# ---- GitLab -----------------------------------------------------------------------------------------------


def gitlab_job(world: FixWorld, name: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """As GitLab's shell runs a job: what it extends is merged in, its lines are a script that stops at an error."""
    jobs = yaml.safe_load((INTEGRATIONS / "gitlab/goferry.yml").read_text())
    job = {**jobs[jobs[name]["extends"]], **jobs[name]}
    project = {"CI_PROJECT_DIR": str(world.start), "CI_PIPELINE_SOURCE": "merge_request_event", "CI": "true"}
    own = {key: value.replace("$CI_PROJECT_DIR", str(world.start)) for key, value in job["variables"].items()}
    script = "\n".join(["set -e", *job["before_script"], *job["script"]])
    env = {**own, **environment(world), **project, "GOFERRY_PACKAGE": "", **variables}
    return run(["sh", "-c", script], world.start, env)


def test_a_gitlab_job_installs_what_it_runs(world: FixWorld, machine: Mapping[str, str]) -> None:
    done = gitlab_job(world, "goferry-gate", **machine, GOFERRY_PACKAGE=f"goferry=={goferry.__version__}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gate: example.net/m passed" in done.stdout


@pytest.mark.parametrize(
    ("name", "artifact"), [("goferry-audit", "goferry-audit.md"), ("goferry-gate", "goferry-gate.xml")]
)
def test_the_gitlab_jobs_pass_and_leave_their_artifacts(name: str, artifact: str, world: FixWorld) -> None:
    done = gitlab_job(world, name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (world.start / artifact).stat().st_size > 0


def test_a_gitlab_job_fails_with_the_status_of_the_command_and_keeps_its_artifact(world: FixWorld) -> None:
    spoil(world)
    done = gitlab_job(world, "goferry-gate")
    assert done.returncode == 1
    assert "<failure" in (world.start / "goferry-gate.xml").read_text()


def test_every_path_of_a_gitlab_artifact_is_one_that_the_script_writes() -> None:
    jobs = yaml.safe_load((INTEGRATIONS / "gitlab/goferry.yml").read_text())
    for name in ("goferry-audit", "goferry-gate"):
        for path in jobs[name]["artifacts"]["paths"]:
            assert any(path in line for line in jobs[name]["script"])


# ---- pre-commit -------------------------------------------------------------------------------------------


def git(folder: Path, env: Mapping[str, str], *words: str) -> None:
    done = run(["git", *words], folder, env)
    assert done.returncode == 0, done.stderr


def local(hook: str) -> dict[str, Any]:
    """A hook of ours with goferry as it is on this machine. Language `system`: nothing is installed."""
    hooks = {row["id"]: row for row in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    return {"repo": "local", "hooks": [hooks[hook] | {"language": "system"}]}


def committed(world: FixWorld, repo: Mapping[str, Any]) -> dict[str, str]:
    """A repository with everything staged, and a hook on it."""
    (world.start / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [repo]}))
    names = {
        f"GIT_{who}_{what}": f"{what}@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    env = environment(
        world, GIT_CONFIG_NOSYSTEM="1", PRE_COMMIT_HOME=str(world.folder / "pre-commit"), **names
    )
    git(world.start, env, "init", "-q")
    git(world.start, env, "add", "-A")
    return env


@pytest.mark.parametrize("hook", ["goferry-gate", "goferry-audit"])
def test_the_hooks_pass_on_a_good_commit(hook: str, world: FixWorld) -> None:
    env = committed(world, local(hook))
    done = run([str(PROGRAMS / "pre-commit"), "run", hook], world.start, env)
    assert (done.returncode, "Passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_pre_commit_installs_the_hook_from_our_repository(world: FixWorld, index: Mapping[str, str]) -> None:
    """As a user has it: it clones the repository at a tag, makes an environment, and lets pip build goferry in it."""
    origin = world.folder / "origin"
    shutil.copytree(
        ROOT / "src", origin / "src", ignore=shutil.ignore_patterns("__pycache__", "*.mo"), symlinks=True
    )
    for name in ("pyproject.toml", "README.md", "LICENSE", "tools/hatch_build.py", ".pre-commit-hooks.yaml"):
        (origin / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, origin / name)
    repo = {"repo": str(origin), "rev": "v1.0.0", "hooks": [{"id": "goferry-gate"}]}
    env = committed(world, repo) | index
    env["PATH"] = os.environ["PATH"].replace(str(PROGRAMS), "")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"], ["tag", "v1.0.0"]):
        git(origin, env, *words)
    done = run([str(PROGRAMS / "pre-commit"), "run", "goferry-gate", "--verbose"], world.start, env)
    assert (done.returncode, "gate: example.net/m passed" in done.stdout) == (0, True), (
        done.stdout + done.stderr
    )


def test_a_hook_keeps_a_bad_commit_from_being_made(world: FixWorld) -> None:
    spoil(world)
    env = committed(world, local("goferry-gate"))
    done = run([str(PROGRAMS / "pre-commit"), "install"], world.start, env)
    assert done.returncode == 0, done.stderr
    made = run(["git", "commit", "-qm", "bad"], world.start, env)
    assert (made.returncode, "go.sum" in made.stderr + made.stdout) == (1, True)


def test_a_commit_that_touches_no_dependency_is_left_alone(world: FixWorld) -> None:
    env = committed(world, local("goferry-gate"))
    git(world.start, env, "commit", "-qm", "first")
    (world.start / "p.go").write_text((world.start / "p.go").read_text() + "\n// more\n")
    git(world.start, env, "add", "p.go")
    done = run([str(PROGRAMS / "pre-commit"), "run", "goferry-gate"], world.start, env)
    assert (done.returncode, "Skipped" in done.stdout) == (0, True), done.stdout


def test_pre_commit_takes_the_hooks_file() -> None:
    done = run(
        [str(PROGRAMS / "pre-commit"), "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")],
        ROOT,
        os.environ,
    )
    assert done.returncode == 0, done.stdout


# ---- Jenkins ----------------------------------------------------------------------------------------------


def test_the_jenkins_pipeline_installs_and_locks(world: FixWorld, machine: Mapping[str, str]) -> None:
    """Its `sh` steps, each in a shell of its own with -e, as Jenkins runs them."""
    text = SNIPPETS["jenkins"]
    variables = dict(re.findall(r'(?m)^    (\w+) = "(.*)"$', text))
    env = {**environment(world), **machine, "WORKSPACE": str(world.start), "CI": "true"}
    env |= {name: value.replace("${WORKSPACE}", str(world.start)) for name, value in variables.items()}
    steps = re.findall(r"(?m)^ +sh '(.*)'$", text)
    for step in steps:
        done = run(["sh", "-xe", "-c", step], world.start, env)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (len(steps), list(variables)) == (2, ["GOFERRY_STORE"])
    (archived,) = re.findall(r"archiveArtifacts artifacts: '(.*?)'", text)
    assert json.loads((world.start / archived).read_text())["verdict"] == "passed"


# ---- by the clock -----------------------------------------------------------------------------------------


def nightly(world: FixWorld, script: str = "") -> subprocess.CompletedProcess[str]:
    results = world.folder / "results"
    env = environment(world, GOFERRY_AUDIT_PATH=str(world.start), GOFERRY_AUDIT_RESULTS=str(results))
    return run(["sh", script or str(INTEGRATIONS / "scheduled/nightly.sh")], world.folder, env)


def test_the_nightly_audit_keeps_its_result_and_then_shows_only_what_is_new(world: FixWorld) -> None:
    first = nightly(world)
    assert first.returncode == 0, first.stdout + first.stderr
    kept = json.loads((world.folder / "results/latest.json").read_text())
    assert kept["schema"] == "goferry.audit/1"
    second = nightly(world)
    assert second.returncode == 0, second.stdout + second.stderr
    assert [file.name for file in (world.folder / "results").iterdir()] == ["latest.json"]


def test_the_nightly_audit_says_what_it_lacks(world: FixWorld) -> None:
    done = run(["sh", str(INTEGRATIONS / "scheduled/nightly.sh")], world.folder, environment(world))
    assert (done.returncode != 0, "the folder to audit" in done.stderr) == (True, True)


def test_the_crontab_runs_the_script_every_night() -> None:
    text = (INTEGRATIONS / "scheduled/crontab").read_text()
    (line,) = [row for row in text.splitlines() if row and row[0].isdigit()]
    assert re.fullmatch(r"\d+ \d+ \* \* \* /\S+/nightly\.sh", line)
    assert set(re.findall(r"(?m)^(GOFERRY_\w+)=", text)) == {"GOFERRY_AUDIT_PATH", "GOFERRY_AUDIT_RESULTS"}


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """Where there is a systemd; the sections and the script are looked at in any case."""
    units: dict[str, configparser.ConfigParser] = {}
    for name in ("goferry-audit.service", "goferry-audit.timer"):
        shutil.copy(INTEGRATIONS / "scheduled/systemd" / name, tmp_path / name)
        units[name] = configparser.ConfigParser(strict=False, interpolation=None)
        units[name].read(tmp_path / name)
    assert units["goferry-audit.service"]["Service"]["ExecStart"].endswith("/nightly.sh")
    assert units["goferry-audit.timer"]["Timer"]["OnCalendar"]
    if shutil.which("systemd-analyze"):
        words = ["systemd-analyze", "verify", "--man=no", str(tmp_path / "goferry-audit.timer")]
        done = run(words, tmp_path, os.environ)
        assert (done.returncode, "goferry-audit" in done.stderr) == (0, False), done.stderr


def test_the_cron_job_of_kubernetes_runs_the_same_script(world: FixWorld) -> None:
    job = yaml.safe_load((INTEGRATIONS / "scheduled/kubernetes/cronjob.yaml").read_text())
    for version in ("1.25", kubernetes_validate.latest_version()):
        kubernetes_validate.validate(job, version, strict=True)
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    assert mounts == {volume["name"] for volume in pod["volumes"]}
    shell, script = container["command"]
    scripts = next(mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "scripts")
    assert shell == "/bin/sh"
    assert nightly(world, script.replace(scripts, str(INTEGRATIONS / "scheduled"))).returncode == 0
    assert {row["name"] for row in container["env"]} >= {"GOFERRY_AUDIT_PATH", "GOFERRY_AUDIT_RESULTS"}
