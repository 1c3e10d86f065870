"""``gallery.toml``: sensible without one, every problem said at once with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from artgen.errors import ArtgenError, ValidationErrors
from artgen.gallery.works.settings import SiteSettings, load_settings
from artgen.gallery.works.step_names import default_caption
from artgen.recipe.model import Gallery


def written(folder: Path, text: str) -> Path:
    (folder / "gallery.toml").write_text(text, "utf-8")
    return folder / "gallery.toml"


def test_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "about.md").write_text("mine")  # of something else: nobody said it is for a site
    assert load_settings() == SiteSettings()
    assert load_settings(title="Spring").title == "Spring"
    assert load_settings().find_about_file() is None


def test_the_file_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(
        tmp_path,
        """
        title = "Für 100 % <b>"
        base_url = "https://art.example/site"
        widths = [400, 1600]
        formats = ["jpg"]
        originals = true
        links = [{ name = "Mail", url = "mailto:a@art.example" }]

        [[series]]
        run = "abstracts"
        order = "newest"
        """,
    )
    settings = load_settings(originals=False)
    assert settings.title == "Für 100 % <b>"
    assert settings.base_url == "https://art.example/site/"
    assert settings.originals is False
    assert settings.links[0].url == "mailto:a@art.example"
    assert settings.series[0].order == "newest"
    renditions = settings.rendition_settings()
    assert (renditions.widths, renditions.formats, renditions.jpeg_quality) == ((400, 1600), ("jpg",), 86)


def test_every_problem_at_once(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """titel = "x"
layout = "row"
widths = [900, 400]
formats = ["avif"]
jpeg_quality = 101
originals = "yes"
language = "no language"
base_url = "art.example"
[[links]]
nme = "a"
url = "javascript:alert(1)"
[[series]]
run = 3
""",
    )
    with pytest.raises(ValidationErrors) as caught:
        load_settings(file)
    said = str(caught.value).splitlines()
    for line, words in (
        (1, "titel: unknown key; did you mean 'title'?"),
        (2, "layout: \"row\"; did you mean 'rows'?"),
        (3, "widths: [900, 400]; must be rising whole numbers"),
        (4, 'formats: ["avif"]; must be'),
        (5, "jpeg_quality: 101; must be a whole number from 1 to 100"),
        (6, 'originals: "yes"; must be true or false'),
        (7, 'language: "no language"; must be a language tag'),
        (8, 'base_url: "art.example"; must be an address'),
        (10, "links.0.nme: unknown key; did you mean 'name'?"),
        (11, 'links.0.url: "javascript:alert(1)"; must be an address'),
        (13, "series.0.run: 3; must be a text in quotes"),
    ):
        assert any(each.startswith(f"{file}:{line}: {words}") for each in said), (line, said)
    assert said == sorted(said, key=lambda each: int(each.removeprefix(f"{file}:").partition(":")[0]))


@pytest.mark.parametrize("text", ["title = ", 'title = "\\ud800"', "a = 1\na = 2"])
def test_what_is_no_toml_is_said_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValidationErrors, match=r"gallery\.toml:\d.*not TOML"):
        load_settings(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValidationErrors, match="no such file"):
        load_settings(tmp_path / "other.toml")


@pytest.mark.parametrize("name", ["../secret.md", "/etc/passwd", "a/../../b.md", "C:/x.md", "..\\\\x.md"])
def test_no_path_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValidationErrors, match="within the folder"):
        load_settings(written(tmp_path, f'about = "{name}"'))


def test_the_text_about_the_artist(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    file = written(tmp_path / "site", 'about = "me.md"')
    with pytest.raises(ArtgenError, match=r"no file .*me\.md"):
        load_settings(file).find_about_file()
    (tmp_path / "secret.md").write_text("secret")
    (file.parent / "me.md").symlink_to("../secret.md")
    with pytest.raises(ArtgenError, match="leads out of its folder"):
        load_settings(file).find_about_file()
    (file.parent / "me.md").unlink()
    (file.parent / "me.md").write_text("me")
    assert load_settings(file).find_about_file() == file.parent / "me.md"


def test_the_default_caption_is_that_of_recipes() -> None:
    default = Gallery.model_fields["caption"].default
    assert default_caption("Abstracts", 7) == default.format(title="Abstracts", index=7)
