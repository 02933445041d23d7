"""`bottomline assets` writes what the pages load."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from entrypoints.cli import main
from entrypoints.settings import Settings
from entrypoints.site import read_site

CDN = "https://cdn.example.org/bottomline"


def write(data: Path, folder: Path, **environ: str) -> Result:
    return CliRunner().invoke(main, ["assets", str(folder)], env={"BOTTOMLINE_DATA_DIR": str(data), **environ})


def test_it_writes_all_assets_and_no_page_under_their_version(tmp_path: Path, settings: Settings) -> None:
    site = read_site(settings)
    for _ in range(2):
        assert write(tmp_path, tmp_path / "new" / "cdn").exit_code == 0
    (versioned,) = (tmp_path / "new" / "cdn").iterdir()
    assert versioned.name == site.version
    written = {file.name: file.read_bytes() for file in versioned.iterdir()}
    assert written == {name: file.content for name, file in site.assets.items()}
    assert {"page.css", "api.js"} <= set(written)


def test_it_leaves_older_versions_to_the_pages_that_are_open(tmp_path: Path) -> None:
    older = tmp_path / "cdn" / "000000000000"
    older.mkdir(parents=True)
    (older / "page.css").write_text("older")
    write(tmp_path, tmp_path / "cdn")
    assert (older / "page.css").read_text() == "older"


def test_it_says_what_to_set(tmp_path: Path, settings: Settings) -> None:
    version = read_site(settings).version
    unset = write(tmp_path, tmp_path / "cdn").output
    assert "set BOTTOMLINE_ASSETS_URL to where it is then" in unset
    assert f"$BOTTOMLINE_ASSETS_URL/{version}/page.css" in unset
    already = write(tmp_path, tmp_path / "cdn", BOTTOMLINE_ASSETS_URL=CDN).output
    assert f"Pages load them from {CDN}/{version}/" in already


@pytest.mark.parametrize("taken", ["cdn", "cdn/{version}"])
def test_what_cannot_be_written_is_one_line(tmp_path: Path, settings: Settings, taken: str) -> None:
    file = tmp_path / taken.format(version=read_site(settings).version)
    file.parent.mkdir(exist_ok=True)
    file.write_text("a file")
    result = write(tmp_path, tmp_path / "cdn")
    assert result.exit_code != 0
    assert "Traceback" not in result.output
    assert file.read_text() == "a file"
