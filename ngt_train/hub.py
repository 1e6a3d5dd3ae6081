"""Files of the Hugging Face hub: from its local cache, else downloaded; optional package huggingface_hub."""

from __future__ import annotations

from pathlib import Path

from ngt_train.errors import DataError


def download(name: str, file: str, *, dataset: bool = False, folder: Path | None = None, revision: str = "") -> Path:
    """The local path of one file of a model or dataset.

    Args:
        name: the repository, such as `openai-community/gpt2`.
        folder: where the file goes; without it, into the hub's cache.

    Raises:
        DataError: the package is missing, the hub cannot be reached, or it has no such file.
    """
    try:
        import huggingface_hub
    except ModuleNotFoundError as e:
        raise DataError(
            f"{name}: downloading needs the package huggingface_hub; pip install 'ngtreport[data]', or give a local file"
        ) from e
    quiet()
    kind = "dataset" if dataset else "model"
    try:
        return Path(huggingface_hub.hf_hub_download(name, file, repo_type=kind, revision=revision or None, local_dir=folder))
    except (OSError, ValueError, RuntimeError, huggingface_hub.errors.HfHubHTTPError) as e:
        raise DataError(f"{name}: {file} could not be downloaded ({reason(e)}); connect to the network, or give a local file") from e


def quiet() -> None:
    """Its warnings about retries are not for our user, who gets one sentence."""
    from huggingface_hub.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]


def reason(error: Exception) -> str:
    """The first sentence of an error of the Hugging Face libraries."""
    first = next(iter(str(error).splitlines()), "") or type(error).__name__
    return first.partition(". ")[0].rstrip(".")
