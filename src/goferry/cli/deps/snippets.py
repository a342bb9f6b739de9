"""What to paste into a CI's file so that every change is built from what is proven. Not translated: people paste it."""

from typing import Final

_GITHUB: Final = """\
# .github/workflows/lock.yml
name: lock
on: [push, pull_request]
permissions:
  contents: read
jobs:
  lock:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-go@v5
        with:
          go-version-file: go.mod
          cache: false
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - uses: actions/cache@v4
        with:
          path: .goferry-store
          key: goferry-${{ hashFiles('**/go.sum', '**/go.work.sum') }}
          restore-keys: goferry-
      - run: pip install goferry
      - run: goferry deps lock --prove-offline --store .goferry-store
"""

_GITLAB: Final = """\
# .gitlab-ci.yml
lock:
  image: golang:1.26
  stage: test
  variables:
    GOFERRY_STORE: "$CI_PROJECT_DIR/.goferry-store"
  cache:
    key:
      files:
        - go.sum
    paths:
      - .goferry-store
  before_script:
    - apt-get update -q && apt-get install -qy python3-venv
    - python3 -m venv /opt/goferry && /opt/goferry/bin/pip install -q goferry
  script:
    - /opt/goferry/bin/goferry deps lock --prove-offline
"""

_JENKINS: Final = """\
// Jenkinsfile
pipeline {
  agent any
  environment {
    GOFERRY_STORE = "${WORKSPACE}/.goferry-store"
  }
  stages {
    stage('lock') {
      steps {
        sh 'python3 -m venv .venv && .venv/bin/pip install -q goferry'
        sh '.venv/bin/goferry deps lock --prove-offline --json > lock.json'
      }
      post {
        always {
          archiveArtifacts artifacts: 'lock.json', allowEmptyArchive: true
        }
      }
    }
  }
}
"""

SNIPPETS: Final = {"github": _GITHUB, "gitlab": _GITLAB, "jenkins": _JENKINS}
