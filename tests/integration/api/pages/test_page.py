import gzip
import re
from base64 import b64encode
from hashlib import sha256

import pytest

from api.pages.assets import FOLDER, MEDIA_TYPES
from tests.installation import Installation
from tests.integration.api_client import Api

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
HAZARDS = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|sessionStorage")


def page(api: Api) -> str:
    return api.get("/", accept=BROWSER).text


def addresses(text: str) -> list[str]:
    return re.findall(r'(?:src|href)="([^"#]+)"', text)


def an_asset(api: Api) -> str:
    return next(each for each in addresses(page(api)) if each.startswith("/assets/"))


def test_a_browser_gets_the_page(api: Api) -> None:
    response = api.get("/", accept=BROWSER)
    assert (response.status_code, response.mimetype) == (200, "text/html")
    assert set(response.vary) == {"Accept", "Accept-Encoding"}
    assert response.headers["Cache-Control"] == "no-cache"


def test_page_and_files_are_compressed_for_browsers_that_take_it(api: Api) -> None:
    for address in ("/", an_asset(api)):
        plain, small = (api.get(address, accept=BROWSER, accept_encoding=each) for each in ("identity", "br, gzip"))
        assert (plain.content_encoding, small.content_encoding) == (None, "gzip")
        assert gzip.decompress(small.data) == plain.data


@pytest.mark.parametrize("accept", ["application/json", "*/*", ""])
def test_programs_are_sent_to_the_documentation(api: Api, accept: str) -> None:
    response = api.get("/", accept=accept)
    assert (response.status_code, response.headers["Location"]) == (302, "/docs")


def policy_of(api: Api) -> dict[str, str]:
    policy = api.get("/", accept=BROWSER).headers["Content-Security-Policy"]
    return dict(each.strip().partition(" ")[::2] for each in policy.split(";"))


def test_the_page_may_ask_nobody_else_and_make_no_markup(api: Api) -> None:
    directives = policy_of(api)
    assert directives["default-src"] == "'none'"
    assert directives["connect-src"] == "'self'"
    assert (directives["require-trusted-types-for"], directives["trusted-types"]) == ("'script'", "'none'")


def test_one_script_and_one_style_sheet_are_written_into_the_page_and_allowed_to_the_letter(api: Api) -> None:
    written = [re.findall(rf"<{tag}>(.*?)</{tag}>", page(api), re.DOTALL) for tag in ("script", "style")]
    [script], [sheet] = [[b64encode(sha256(each.encode()).digest()).decode() for each in texts] for texts in written]
    policy = policy_of(api)
    assert (policy["script-src"], policy["style-src"]) == (f"'self' 'sha256-{script}'", f"'sha256-{sheet}'")


def test_no_other_script_or_style_is_written_into_the_page(api: Api) -> None:
    rest = re.sub(r"<(script|style)>.*?</\1>", "", page(api), flags=re.DOTALL)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", rest)


def test_everything_that_the_page_names_is_served_from_here(api: Api) -> None:
    named = addresses(page(api))
    assert len(named) > 20
    for address in named:
        with api.get(address) as response:
            assert (address, response.status_code, bool(response.data)) == (address, 200, True)


def test_a_browser_keeps_the_files_for_good_because_their_address_is_of_this_version(api: Api) -> None:
    asset = an_asset(api)
    assert "immutable" in api.get(asset).headers["Cache-Control"]
    assert api.get(re.sub(r"/assets/\w+/", "/assets/0123/", asset)).status_code == 404


@pytest.mark.parametrize("name", ["../page.py", "../../app.py", "vendor/uplot/LICENSE", "nothing.js"])
def test_other_files_are_not_served(api: Api, name: str) -> None:
    folder = an_asset(api).split("/")[2]
    assert api.get(f"/assets/{folder}/{name}").status_code == 404


def test_the_page_asks_for_a_key_where_the_api_does(installation: Installation) -> None:
    api = installation.open_api(installation.configure(AUTH="on"))
    assert 'data-keys="on"' in page(api)
    assert api.get("/api/v1/overview").status_code == 401


def test_no_script_of_ours_makes_markup_of_text_or_keeps_a_key() -> None:
    ours = [path for path in FOLDER.rglob("*.js") if "vendor" not in path.parts]
    assert len(ours) > 20
    assert [path.name for path in ours if HAZARDS.search(path.read_text())] == []
    assert sorted(path.name for path in ours if "localStorage" in path.read_text()) == ["early.js", "scheme.js"]


def test_no_file_of_the_page_names_another_host() -> None:
    files = [path for path in FOLDER.rglob("*") if path.suffix in MEDIA_TYPES and "vendor" not in path.parts]
    foreign = re.compile(r"https?://(?!www\.w3\.org/2000/svg)[\w.]")
    assert [path.name for path in files if foreign.search(path.read_text())] == []


def test_the_vendored_library_has_its_licence_beside_it() -> None:
    assert "MIT" in (FOLDER / "vendor" / "uplot" / "LICENSE").read_text()
