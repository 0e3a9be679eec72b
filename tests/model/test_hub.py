"""A hub that can't be reached is found out in seconds; what was downloaded before still loads."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from afina.errors import ModelError
from afina.model import hub
from afina.model.families import Source, locate
from tests.tiny import tiny_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CLOSED = "http://127.0.0.1:9"


@pytest.fixture
def online(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A process that may ask the hub, which is at an address where nothing listens, with an empty cache."""
    constants = pytest.importorskip("huggingface_hub").constants
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    at(constants, CLOSED, monkeypatch)
    hub.kept.cache_clear()
    yield constants
    hub.kept.cache_clear()


def at(constants: Any, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hub be at an address."""
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


def downloaded(root: Path, make: bool = True) -> Path:
    """The snapshot of a model in a cache."""
    repository = root / "models--somebody--model"
    snapshot = repository / "snapshots" / COMMIT
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    snapshot.mkdir(parents=True)
    if make:
        tiny_model(snapshot)
    else:
        (snapshot / "config.json").write_text("{}")
    return snapshot


def test_an_unreachable_hub_is_said_without_trying_again(online: Any) -> None:
    with pytest.raises(ModelError) as caught:
        locate("somebody/model")
    said = str(caught.value)
    for part in ("no folder 'somebody/model'", CLOSED, "refused", "minilm", "HF_HUB_OFFLINE=1", online.HF_HUB_CACHE):
        assert part in said


def test_a_model_that_was_downloaded_is_a_folder_when_the_hub_is_away(online: Any) -> None:
    snapshot = downloaded(Path(online.HF_HUB_CACHE))
    assert locate("somebody/model") == Source(str(snapshot), True)


def test_a_hub_that_never_answers_costs_what_it_is_given(online: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes the connection and says nothing
        at(online, f"http://127.0.0.1:{server.getsockname()[1]}", monkeypatch)
        fault = hub.unreachable("somebody/model", 0.2)
    assert fault is not None
    assert "no answer in 0 seconds" in fault or "imeout" in fault


class Broken(BaseHTTPRequestHandler):
    """A gateway that reaches nobody, or a hub that knows no such model."""

    status = 504

    def do_HEAD(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing is said."""


@pytest.mark.parametrize(("status", "reached"), [(504, False), (404, True), (401, True)])
def test_a_refusal_is_an_answer_and_a_broken_gateway_is_none(
    online: Any, monkeypatch: pytest.MonkeyPatch, status: int, reached: bool
) -> None:
    monkeypatch.setattr(Broken, "status", status)
    with HTTPServer(("127.0.0.1", 0), Broken) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        at(online, f"http://127.0.0.1:{server.server_address[1]}", monkeypatch)
        assert (hub.unreachable("somebody/model", 5.0) is None) == reached


def test_offline_what_was_not_downloaded_is_said_at_once(online: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE is set"):
        locate("somebody/model")
    hub.kept.cache_clear()
    downloaded(Path(online.HF_HUB_CACHE), make=False)
    assert locate("somebody/model") == Source("somebody/model", False)


def test_what_is_no_name_of_the_hub(online: Any) -> None:
    with pytest.raises(ModelError, match="no folder 'my model', and that is no name of the hub"):
        locate("my model")
