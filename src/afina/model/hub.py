"""Models of the Hugging Face hub: is it reachable, and what is kept here where it is not.

transformers asks the hub for each file of a model, several times with pauses. One short question before that tells in
seconds what would otherwise take minutes.
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path

from ..errors import ModelError, printable
from .folder import CONFIG

PATIENCE = 5.0
"""Seconds that the hub has for its first answer, unless HF_HUB_ETAG_TIMEOUT gives it more."""
CURE = (
    "without a network, name a local folder or the embedded model (minilm); what was downloaded before is used "
    "without asking when HF_HUB_OFFLINE=1 is set"
)


@cache
def kept(name: str) -> Path | None:
    """The folder of a model's last download where the hub can't be asked about it; None where it can.

    Args:
        name: A hub id. The answer for it stands until the process ends.

    Raises:
        ModelError: the name is no hub id, or the hub can't be reached and nothing was downloaded before.
    """
    from huggingface_hub import constants, try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        file = try_to_load_from_cache(name, CONFIG)
    except HFValidationError:
        raise ModelError(f"model: there is no folder {printable(name)}, and that is no name of the hub") from None
    if constants.HF_HUB_OFFLINE:
        if isinstance(file, str):
            return None  # transformers takes it from there, and asks nobody
        why = "HF_HUB_OFFLINE is set, so that the hub is not asked"
    else:
        fault = unreachable(name, max(PATIENCE, changed(constants.HF_HUB_ETAG_TIMEOUT)))
        if fault is None:
            return None
        if isinstance(file, str):
            return Path(file).parent
        why = f"the hub ({constants.ENDPOINT}) can't be reached: {fault}"
    raise ModelError(
        f"model: there is no folder {printable(name)}, it was never downloaded to {constants.HF_HUB_CACHE}, and {why}; "
        + CURE
    )


def configuration(name: str) -> Path:
    """The file `config.json` of a model of the hub, downloaded where it is not kept.

    Raises:
        ModelError: there is none, or not for everybody.
    """
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(name, CONFIG))
    except Exception as error:  # those of the library, and of whatever speaks to the network for it
        why = f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
        raise ModelError(
            f"model: there is no folder {printable(name)}, and from the hub it can't be loaded: {why}"
        ) from error


def changed(timeout: float) -> float:
    """Seconds that the user gives the hub; 0 where they are those of the library."""
    from huggingface_hub import constants

    return 0.0 if timeout == constants.DEFAULT_ETAG_TIMEOUT else timeout


def unreachable(name: str, patience: float) -> str | None:
    """Why the hub gives no answer about a model, or None where it gives one, be it a refusal.

    Args:
        name: A hub id.
        patience: Seconds that it has for all of it: looking up its address, and trying several.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError

    faults = [f"no answer in {patience:.0f} seconds"]

    def ask() -> None:
        try:
            get_hf_file_metadata(hf_hub_url(name, CONFIG), timeout=patience)
        except Exception as error:  # those of whatever library speaks to the network
            # That there is no such model, or not for everybody, is an answer: transformers says which.
            if not isinstance(error, HfHubHTTPError) or error.response.status_code >= 500:
                faults[:] = [f"{type(error).__name__}: {str(error).splitlines()[0]}"]
                return
        faults.clear()

    # A name that no server resolves, or an address that swallows what is sent, holds up its thread for minutes.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience)
    return faults[0] if faults else None
