"""A decoder fetched by the real client of the hub from a small server on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

pytestmark = [
    pytest.mark.filterwarnings("ignore:LightningCLI's args parameter"),
    pytest.mark.filterwarnings("ignore:.*exists and is not empty"),
    # lightning 2.6 on jsonargparse 4.53
    pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning"),
]

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CODE = """
from neurodecode.pretrained import PretrainedDecoder
model = PretrainedDecoder.from_pretrained("lab/one", revision="v2")
print(",".join(model.subjects), "Brain decoder" in model.card)
"""


@pytest.fixture
def server(exported) -> Iterator[ThreadingHTTPServer]:
    """Plays the hub for one model: its list of files, and the files."""
    files = {path.name: path.read_bytes() for path in exported.iterdir()} | {"secret.bin": b"x"}

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.answer(body=False)

        def do_GET(self):
            self.answer(body=True)

        def answer(self, body):
            asked.append(self.path)
            name = self.path.rpartition("/")[2]
            if self.path.startswith("/api/models/lab/one/revision/v2"):
                found = [{"rfilename": each} for each in files]
                content = json.dumps({"id": "lab/one", "sha": COMMIT, "siblings": found}).encode()
            elif self.path.startswith(f"/api/models/lab/one/tree/{COMMIT}"):
                found = [
                    {"type": "file", "path": each, "size": len(held), "oid": "0"}
                    for each, held in files.items()
                ]
                content = json.dumps(found).encode()
            elif self.path.startswith("/lab/one/resolve/") and name in files:
                content = files[name]
            else:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_):
            pass

    asked: list[str] = []
    hub = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    hub.asked = asked
    Thread(target=hub.serve_forever, daemon=True).start()
    yield hub
    hub.shutdown()
    hub.server_close()


def fetch(server, home, **environment) -> subprocess.CompletedProcess:
    address = f"http://127.0.0.1:{server.server_port}"
    known = {"HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0",
             "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "*"}  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", CODE], env=os.environ | known | environment, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip


def test_fetched_once_and_loaded_offline_afterwards(server, tmp_path):
    done = fetch(server, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["a.1,b,c", "True"]
    # nothing but the files of a decoder is fetched
    assert not any("secret" in path for path in server.asked)
    server.asked.clear()
    again = fetch(server, tmp_path, HF_HUB_OFFLINE="1")
    assert again.stdout == done.stdout, again.stderr
    assert not server.asked
