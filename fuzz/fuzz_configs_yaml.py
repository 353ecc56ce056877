# Any bytes as a compose file or manifest: a reading or ConfigError at a place; bounded memory and time; no password told.
"""YAML files of containers.

Input: the file. What is read must stand where it says, every edit must apply, and what the edits make must be read again.
"""

from __future__ import annotations

import re

import atheris

with atheris.instrument_imports(include=["leadglass.configs", "leadglass.errors"]):
    from leadglass.configs.containers.readers import READERS
    from leadglass.configs.source import Source, decoded, edited
    from leadglass.configs.yaml_nodes import Mapping, Node, Sequence, documents

# A script finds its neighbours in its own folder; mypy counts modules from the root.
from harness import run  # type: ignore[import-not-found]

from leadglass.configs.reading import Reading
from leadglass.errors import ConfigError

HIDDEN = "zQ7vR2mK9xW4"
SEEN = re.compile(r"(?<=PASSWORD: )zQ7vR\w{3,}")
"""A password where only a password stands."""
COMPOSE = f"""\
x-base: &base
  image: postgres:16
services:
  db:
    <<: *base
    ports: ["5432:5432", {{target: 80, published: "8080", host_ip: 0.0.0.0}}]
    environment:
      POSTGRES_PASSWORD: {HIDDEN}
      URL: postgres://u:{HIDDEN}@db/x
  o:
    image: orthancteam/orthanc:24.1
    ports:
      - "${{BIND:-0.0.0.0}}:${{PORT:-8042}}:8042"  # web
      - 4242:4242
    environment:
      - ORTHANC__AUTHENTICATION_ENABLED=false
      - 'ORTHANC_JSON={{"DicomAlwaysAllowFind": true, "RegisteredUsers": {{"a": "{HIDDEN}"}}}}'
    volumes: [./o.json:/etc/orthanc/o.json]
    configs: [c]
  n: {{extends: db, network_mode: host}}
configs:
  c:
    content: |
      {{"Name": "x"}}
"""
KUBERNETES = f"""\
apiVersion: v1
kind: List
items:
- {{apiVersion: v1, kind: ConfigMap, metadata: {{name: c}}, data: {{o.json: '{{"AuthenticationEnabled": false}}'}}}}
- apiVersion: v1
  kind: Pod
  metadata: {{name: o, labels: {{app: o}}}}
  spec:
    containers:
    - name: o
      image: orthancteam/orthanc
      ports: [{{name: web, containerPort: 8042, hostPort: 80}}]
      env: [{{name: ORTHANC__POSTGRESQL__PASSWORD, value: {HIDDEN}}}]
      volumeMounts: [{{name: v, mountPath: /etc/orthanc}}]
    volumes: [{{name: v, configMap: {{name: c}}}}]
- apiVersion: v1
  kind: Service
  metadata: {{name: o}}
  spec: {{type: NodePort, selector: {{app: o}}, ports: [{{port: 80, targetPort: web}}]}}
- apiVersion: networking.k8s.io/v1
  kind: Ingress
  metadata: {{name: o, annotations: {{nginx.ingress.kubernetes.io/auth-type: basic}}}}
  spec: {{defaultBackend: {{service: {{name: o, port: {{number: 80}}}}}}}}
"""


def target(data: bytes) -> None:
    """What the fuzzer calls."""
    try:
        source = decoded("file", data)
    except ConfigError:
        return
    walked(source)
    for reader in READERS:
        if reader.recognises(source):
            found = read(source, reader.kind)
            if found is not None:
                judged(found)


def read(source: Source, kind: str) -> Reading | None:
    """The file by the reader of its kind; None when it is refused, at a place."""
    reader = next(one for one in READERS if one.kind == kind)
    try:
        return reader.read(source, {})
    except ConfigError as exc:
        placed(exc)
        return None


def placed(refusal: ConfigError) -> None:
    """A refusal says where."""
    assert str(refusal).startswith("file:"), refusal


def judged(found: Reading) -> None:
    """Findings stand in the file, their edits apply one by one, and nothing secret is told."""
    text = found.source.text
    lines = text.count("\n") + text.count("\r") + len(text.splitlines()) + 1
    shown = (found.findings, found.facts, found.listeners, found.ports, found.mounts, found.fronts)
    assert not set(SEEN.findall(repr(shown))) & set(SEEN.findall(text))
    for finding in found.findings:
        assert 1 <= finding.place.line <= lines
        if finding.edits:
            read(Source("file", edited(text, finding.edits)), found.kind)


def walked(source: Source) -> None:
    """Every node lies in the one that it belongs to."""
    try:
        pending: list[Node] = list(documents(source))
    except ConfigError as exc:
        placed(exc)
        return
    while pending:
        node = pending.pop()
        start, end = node.span
        assert 0 <= start <= end <= len(source.text), (start, end)
        if isinstance(node, Mapping):
            pending += (pair.value for pair in node.pairs)
        elif isinstance(node, Sequence):
            pending += node.items


def seeds() -> list[bytes]:
    """One file of each kind, and what YAML can do to a reader."""
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
    )
    return [text.encode() for text in (COMPOSE, KUBERNETES, bomb, "web:\n  image: x\n  ports: [80:80]\n")]


if __name__ == "__main__":
    run(target, seeds())
