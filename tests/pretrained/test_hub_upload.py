"""A decoder uploaded by the real client of the hub to a small server on this machine."""

from __future__ import annotations

import base64
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
import sys
from neurodecode.pretrained import PretrainedDecoder
model = PretrainedDecoder.from_pretrained(sys.argv[1])
print(model.push_to_hub("lab/one", token="hf_of_the_lab", commit_message="Our decoder"))
"""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """Plays the hub for whoever uploads: makes a repository, takes small files in one commit."""

    class Hub(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.answer({"id": "lab/one", "sha": COMMIT, "siblings": []})

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hub.tokens.add(self.headers.get("Authorization"))
            address = f"http://127.0.0.1:{hub.server_port}/lab/one"
            if self.path == "/api/repos/create":
                hub.made.append(json.loads(body))
                self.answer({"url": address, "id": "lab/one"})
            elif self.path.startswith("/api/models/lab/one/preupload/main"):
                asked = json.loads(body)["files"]
                self.answer({"files": [
                    {"path": each["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for each in asked
                ]})  # fmt: skip
            elif self.path.startswith("/api/models/lab/one/commit/main"):
                hub.commits.append([json.loads(line) for line in body.splitlines()])
                url = f"{address}/commit/{COMMIT}"
                self.answer({"commitUrl": url, "commitOid": COMMIT, "success": True})
            elif self.path == "/api/validate-yaml":
                self.answer({"errors": [], "warnings": []})
            else:
                self.send_error(404)

        def answer(self, content):
            text = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    hub = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    hub.made, hub.commits, hub.tokens = [], [], set()
    Thread(target=hub.serve_forever, daemon=True).start()
    yield hub
    hub.shutdown()
    hub.server_close()


def test_files_card_and_message_arrive_in_a_private_repository(server, exported, tmp_path):
    known = {
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path),
        "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "*",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(exported)], env=os.environ | known, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(f"/lab/one/commit/{COMMIT}")
    assert [(each["name"], each["organization"], each["visibility"]) for each in server.made] == [
        ("one", "lab", "private")
    ]
    assert server.tokens == {"Bearer hf_of_the_lab"}
    ((header, *operations),) = server.commits
    assert header["value"]["summary"] == "Our decoder"
    sent = {
        each["value"]["path"]: base64.b64decode(each["value"]["content"]) for each in operations
    }
    assert sent == {path.name: path.read_bytes() for path in exported.iterdir()}
