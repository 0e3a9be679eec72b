"""The pictures of README.md: pages of a run and of a study in a browser.

They take `pip install 'afina[browser]'` and a Chromium.

    afina train examples/classification/config.yaml --out runs/desk
    python bench/studies.py --data DIR --out runs --only sst2-convergence
    python bench/pictures.py runs/desk runs/sst2-convergence

They are written to docs/images/. The texts on them are those of examples/classification, which were written for afina.
"""

from __future__ import annotations

import argparse
import base64
import shutil
import tempfile
from pathlib import Path
from typing import Any

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
WIDTH = 820


def pictured(page: Any, name: str, *, top: float, height: int) -> None:
    """Write the part of a page from a height on."""
    session = page.context.new_cdp_session(page)
    area = {"x": 0, "y": top, "width": WIDTH, "height": height, "scale": 1}
    found = session.send(
        "Page.captureScreenshot", {"format": "webp", "quality": 80, "clip": area, "captureBeyondViewport": True}
    )
    file = IMAGES / f"{name}.webp"
    file.write_bytes(base64.b64decode(found["data"]))
    print(f"{file}: {file.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Draw all of them."""
    from playwright.sync_api import sync_playwright

    import afina

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a run of examples/classification")
    parser.add_argument("study", type=Path, help="folder of a study of convergence")
    args = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.goto(afina.report(args.run, language="en", out=Path(folder) / "run.html").absolute().as_uri())
        pictured(page, "run", top=0, height=520)
        place = "document.querySelector('#errors').getBoundingClientRect().top + scrollY"
        pictured(page, "errors", top=page.evaluate(place), height=640)
        page.goto(afina.report(args.study, language="en", out=Path(folder) / "study.html").absolute().as_uri())
        pictured(page, "study", top=0, height=500)
        browser.close()


if __name__ == "__main__":
    main()
