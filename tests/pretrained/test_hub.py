"""The Hugging Face hub, played by functions: nothing here needs a network."""

from __future__ import annotations

from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

from neurodecode.errors import WeightsError
from neurodecode.pretrained import PretrainedDecoder

pytestmark = [
    pytest.mark.filterwarnings("ignore:LightningCLI's args parameter"),
    pytest.mark.filterwarnings("ignore:.*exists and is not empty"),
    # lightning 2.6 on jsonargparse 4.53
    pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning"),
]

#: What the HTTP library of the installed client raises when there is no connection.
NoRoute = HfHubHTTPError.__bases__[0]
FILES = ["README.md", "config.json", "front_end.h5", "model.safetensors"]


def test_an_id_is_fetched_from_the_hub(exported, monkeypatch):
    asked = {}

    def fetch(repo_id, **options):
        asked.update(options, repo_id=repo_id)
        return str(exported)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    model = PretrainedDecoder.from_pretrained("lab/decoder.1", revision="v2")
    assert model.subjects == ["a.1", "b", "c"]
    assert asked.pop("repo_id") == "lab/decoder.1"
    assert asked.pop("revision") == "v2"
    assert sorted(asked.pop("allow_patterns")) == FILES
    assert not asked


@pytest.mark.parametrize(
    "error",
    [
        LocalEntryNotFoundError("nothing\ncached"),
        OfflineModeIsEnabled("offline"),
        NoRoute("no route"),
    ],
)
def test_without_network_the_id_and_the_command_are_named(monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(WeightsError, match=r"lab/one is no folder .*`hf download lab/one`") as seen:
        PretrainedDecoder.from_pretrained("lab/one")
    assert "\n" not in str(seen.value)


def test_the_real_client_is_offline_here():
    with pytest.raises(WeightsError, match="could not be fetched from the Hugging Face hub"):
        PretrainedDecoder.from_pretrained("neurodecode-nobody/nothing")


@pytest.mark.parametrize("name", ["nowhere", "/no/such/folder", "one/two/three", "../up"])
def test_a_folder_that_is_not_there(name):
    with pytest.raises(WeightsError, match="missing; make it with `neurodecode export`"):
        PretrainedDecoder.from_pretrained(name)


class Hub:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple] = []
        self.files: dict[str, bytes] = {}

    def __call__(self, token=None):
        self.asked.append(("token", token))
        return self

    def create_repo(self, repo_id, *, private, exist_ok):
        self.asked.append(("create", repo_id, private, exist_ok))

    def upload_folder(self, *, repo_id, folder_path, allow_patterns, commit_message):
        self.asked.append(("upload", repo_id, sorted(allow_patterns), commit_message))
        self.files = {path.name: path.read_bytes() for path in folder_path.iterdir()}
        return SimpleNamespace(commit_url="https://hub/commit/1")


def test_a_decoder_is_uploaded_privately_unless_told_otherwise(model, exported, monkeypatch):
    hub = Hub()
    monkeypatch.setattr(huggingface_hub, "HfApi", hub)
    assert model.push_to_hub("lab/one", commit_message="First") == "https://hub/commit/1"
    assert hub.asked == [
        ("token", None),
        ("create", "lab/one", True, True),
        ("upload", "lab/one", FILES, "First"),
    ]
    assert hub.files == {path.name: path.read_bytes() for path in exported.iterdir()}
    model.push_to_hub("lab/one", private=False, token="secret")
    assert ("create", "lab/one", False, True) in hub.asked
    assert ("token", "secret") in hub.asked


def test_a_hub_that_refuses_is_one_line(model, monkeypatch):
    hub = Hub()

    def refuse(*_, **__):
        raise NoRoute("no\nroute")

    hub.create_repo = refuse
    monkeypatch.setattr(huggingface_hub, "HfApi", hub)
    with pytest.raises(WeightsError, match=r"lab/one could not be written .*`hf auth login`"):
        model.push_to_hub("lab/one")
