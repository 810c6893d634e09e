"""Chromium: the installed one, or Debian's headless shell, unpacked without installing it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from local.child_environment import child_environment
from local.servers.debian_packages import PackageUnavailable, unpacked_package
from tests.checkout import CHECKOUT

NAMES = ("chromium", "chromium-browser", "google-chrome")
SHELL = "chromium-headless-shell"
COMPANIONS = ("chromium-common", "fonts-dejavu-core")
PACKAGES = CHECKOUT / ".askonce" / "packages"
FLAGS = ("--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run")
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir>{root}/usr/share/fonts</dir><cachedir>{root}/var/cache/fontconfig</cachedir></fontconfig>
"""


class ChromiumMissing(Exception):
    """There is no Chromium, and it can't be downloaded here: `apt-get install chromium` (as root)."""


def chromium_binary(packages: Path = PACKAGES) -> tuple[Path, dict[str, str]]:
    """Return the binary and the environment that it needs; may download it. Raises ChromiumMissing."""
    for name in NAMES:
        if on_path := shutil.which(name):
            return Path(on_path), {}
    try:
        root = unpacked_package(SHELL, packages, COMPANIONS)
    except PackageUnavailable as error:
        message = f"{ChromiumMissing.__doc__} ({error})"
        raise ChromiumMissing(message) from error
    fonts = root / "fonts.conf"
    fonts.write_text(FONTS.format(root=root))
    folders = ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib/*-linux-gnu*/pulseaudio")
    libraries = [str(path) for folder in folders for path in root.glob(folder)]
    needed = {"LD_LIBRARY_PATH": os.pathsep.join(libraries), "FONTCONFIG_FILE": str(fonts)}
    return root / "usr" / "lib" / "chromium" / SHELL, needed


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser that shows nothing, and end it with the block."""
    binary, needed = chromium_binary()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=[*FLAGS], env={**child_environment(needed)})
        try:
            yield browser
        finally:
            browser.close()
