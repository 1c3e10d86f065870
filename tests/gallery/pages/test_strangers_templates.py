"""Templates of somebody else's: not used unasked, and harmless and finite where they are the artist's own."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jinja2
import pytest
from jinja2.exceptions import SecurityError
from PIL import Image

from artgen.errors import ArtgenError
from artgen.gallery.pages.sandbox import Sandbox
from artgen.gallery.pages.templates import find_own_templates, list_assets
from artgen.runs.store import Run

ROOT = Path(__file__).parents[3]
GIGABYTE = 2**30
MARK = "made by a stranger"
RUNS = '{{ cycler.__init__.__globals__.os.system("touch HACKED") }}'
CHAIN = '{{% set ns = namespace(a="ab") %}}{{% for i in range(40) %}}{{% set ns.a = {0} %}}{{% endfor %}}'
CHAIN += "{{{{ ns.a|length }}}}"
NESTED = "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}"
NESTED += "{% set ns.b = [ns.b, ns.b] %}{% endfor %}"
ESCAPES = [
    RUNS,
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ 'a'.format.__globals__ }}",
    "{{ '{0.__class__.__mro__}'.format(site) }}",
    "{{ site|attr('__class__') }}",
    "{{ [site]|map(attribute='__class__')|join }}",
    "{{ settings.parse_raw('x', allow_pickle=True, proto='pickle') }}",
    "{{ settings.parse_file('gallery.toml') }}",
    "{{ settings.folder.joinpath('HACKED').write_text('x') }}",
    "{{ settings.find_about_file().unlink() }}",
    "{{ settings['model_dump']() }}",
    "{{ settings.model_config.update(frozen=1) }}",
    "{{ [1].append(1) }}",
    "{{ site.series[0].__init__('') }}",
    "{% for a in [1] %}{{ loop.__class__ }}{% endfor %}",
    "{{ self._TemplateReference__context }}",
    '{% include "../gallery.toml" %}',
    '{% include "/etc/hostname" %}',
    '{% include "artgen/../../pyproject.toml" %}',
]
GROWING = [
    "{% for i in range(10**9) %}{% endfor %}",
    "{{ 'a' * 10**10 }}",
    "{{ 10**10 * 'a' }}",
    "{{ ['a'] * 10**10 }}",
    "{{ (10**10)**(10**9) }}",
    "{{ '%10000000000d' % 1 }}",
    "{{ '%*d' % (10**9, 1) }}",
    "{{ '%(a).1000000000f'|format(a=1) }}",
    "{{ '{:10000000000}'.format(1) }}",
    "{{ '{:{w}}'.format(1, w=10**10) }}",
    "{{ 'a'|center(10000000000) }}",
    "{{ 'a'.ljust(10**10) }}",
    "{{ 'a'.zfill(width) if width is defined else 'a'.zfill(10**10) }}",
    "{{ '\t'.expandtabs(10**10) }}",
    "{{ 'a'.translate({97: 'a' * 1000000}) }}",
    "{{ ('a' * 100000)|replace('a', 'a' * 100000) }}",
    "{{ ('a' * 100000).replace('a', 'a' * 100000) }}",
    "{{ ('a\n' * 1000000)|indent(10000) }}",
    "{{ ('a ' * 1000000)|wordwrap(1, wrapstring='a' * 1000) }}",
    "{{ [1]|batch(10**10, 'a')|list }}",
    "{{ [1]|slice(10**10, 'a')|list }}",
    "{{ 1|round(10**9, 'ceil') }}",
    "{{ [1]|tojson(indent=10**10) }}",
    "{{ range(90000)|map('center', 1000)|join }}",
    "{{ ('a' * 100000).join(['b'] * 100000) }}",
    "{{ (1).to_bytes(10**10) }}",
    "{{ lipsum(10**9) }}",
    "{% for i in range(99999) %}{{ 'a' * 10000 }}{% endfor %}",
    "{% set a %}{% for i in range(99999) %}{{ 'a' * 10000 }}{% endfor %}{% endset %}{{ a|length }}",
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    '{% include "404.html" %}',
    "{% block a %}{{ self.a() }}{% endblock %}",
    *(CHAIN.format(each) for each in ("ns.a ~ ns.a", "ns.a + ns.a", "ns.a * 2", "[ns.a, ns.a]|join")),
    *(CHAIN.format(each) for each in ("'%s%s' % (ns.a, ns.a)", "'{0}{0}'.format(ns.a)")),
]
LONG = [
    "{% for i in range(99) recursive %}{{ loop(range(99999)) if loop.depth < 5 }}{% endfor %}",
    "{% macro a(n) %}{% if n %}{{ a(n - 1) }}{{ a(n - 1) }}{% endif %}{% endmacro %}{{ a(60) }}",
    "{% for i in range(999) %}{{ 'www.a.de '.ljust(99999)|urlize|length }}{% endfor %}",
]
"""A million steps take a while."""
ENDLESS = [
    f"{NESTED}\n{{{{ ns.a == ns.b }}}}",
    f"{NESTED}\n{{{{ ns.a }}}}",
    f"{NESTED}\n{{{{ ns.a|tojson }}}}",
]
"""What no limit of the sandbox sees: a single step that never ends."""


def publish(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, with at most 60 seconds of computing and 4 GB."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
        resource.setrlimit(resource.RLIMIT_AS, (4 * GIGABYTE, 4 * GIGABYTE))

    return subprocess.run(
        [sys.executable, "-m", "artgen", "publish", "--workers=1", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=limit,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a site of one small picture, a ``gallery.toml`` and an empty ``templates/``."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "photos").mkdir()
    Image.new("RGB", (32, 24), (200, 30, 40)).save(folder / "photos" / "a.png")
    (folder / "gallery.toml").write_text("widths = [16]\n")
    (folder / "about.md").write_text("# Me\n")
    assert publish(folder, "photos").returncode == 0
    (folder / "templates").mkdir()
    return folder


def attack(project: Path, template: str) -> str:
    """Publish with this template; the one line that is said, after all that must hold whatever it holds."""
    (project / "templates" / "404.html").write_text(template)
    before = (project / "gallery" / "404.html").read_bytes()
    done = publish(project, "photos")
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    note, line = done.stderr.splitlines()
    assert note == "pages by your own templates in templates"
    assert line.startswith("templates")
    assert not (project / "HACKED").exists()
    assert (project / "about.md").exists()
    assert (project / "gallery" / "404.html").read_bytes() == before
    return line


@pytest.mark.parametrize("template", [RUNS, "\n" + GROWING[0]])
def test_a_hostile_template_ends_with_one_message(project: Path, template: str) -> None:
    assert attack(project, template).startswith(f"templates/404.html:{template.count(chr(10)) + 1}: ")


@pytest.mark.slow
@pytest.mark.parametrize("template", ESCAPES + GROWING + LONG)
def test_every_hostile_template_ends_with_one_message(project: Path, template: str) -> None:
    assert attack(project, template).startswith("templates/404.html")


@pytest.mark.slow
@pytest.mark.parametrize("template", ENDLESS)
def test_a_template_that_no_limit_sees_is_ended(project: Path, template: str) -> None:
    line = attack(project, template)
    assert "takes longer than 11 s" in line or "memory" in line.lower() or "ends the process" in line


@pytest.mark.parametrize("template", ESCAPES + GROWING)
def test_the_sandbox_alone_refuses_it_at_once(template: str) -> None:
    """The same without the process around it, which would end it too, but later."""
    from artgen.gallery.pages.site import Series, Site
    from artgen.gallery.works.settings import SiteSettings

    sandbox = Sandbox(jinja2.DictLoader({"404.html": template}))
    settings = SiteSettings()
    site = Site("", "", (Series("all", "", "", 0, (), (), ()),), settings)
    refusals = (
        SecurityError,
        jinja2.TemplateNotFound,
        *((OverflowError, RecursionError, jinja2.UndefinedError) if template in GROWING else ()),
    )
    with pytest.raises(refusals):
        sandbox.get_template("404.html").render(site=site, settings=settings)


def test_what_templates_may_do() -> None:
    """Every kind of thing that is bounded, within its bounds."""
    may = "{{ 'a' * 3 }}{{ 2 ** 5 }}{{ '%05.1f' % 1.5 }}{{ '{:>4,}'.format(7) }}{{ 'b'|center(3) }}"
    may += "{{ 'c'.ljust(2) }}|{{ ['d', 'e']|join('-') }}{{ 'f\ng'|indent(2) }}"
    may += "{% for a in 'hi' %}{{ loop.index }}/{{ loop.length }}{% endfor %}"
    may += "{% macro m(n) %}{{ n }}{{ m(n - 1) if n }}{% endmacro %}{{ m(2) }}{{ '<' ~ n ~ ('>'|safe) }}"
    text = Sandbox(jinja2.DictLoader({"t": may})).get_template("t").render(n=1)
    assert text == "aaa32001.5   7 b c |d-ef\n  g1/22/2210&lt;1>"


@pytest.mark.parametrize(
    "inside", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["named", "inside"]
)
def test_templates_that_came_with_a_recipe_or_a_run(
    tmp_path: Path, finished_run: Callable[..., Path], inside: bool
) -> None:
    """Next to the recipe that the run's database names, in the run's own folder, and next to the pictures."""
    run = finished_run(shapes=((24, 24),), picks=(1,))
    mailed = tmp_path / "mailed"
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (32, 24)).save(tmp_path / "photos" / "a.png")
    for folder in (mailed, run, tmp_path / "photos"):
        (folder / "templates" / "assets").mkdir(parents=True)
        (folder / "templates" / "404.html").write_text(MARK + RUNS)
        (folder / "templates" / "assets" / "x.css").symlink_to("/etc/passwd")
    with Run.open(run) as opened:
        opened.write_fact("recipe folder", "../../mailed")
    (run / "gallery.toml").write_text("widths = [16]\n")
    (tmp_path / "own.toml").write_text("widths = [16]\n")
    folder, *arguments = (run, ".") if inside else (tmp_path, str(run), "photos", "--settings=own.toml")
    done = publish(folder, *arguments, f"--to={tmp_path / 'site'}")
    assert (done.returncode, "templates" in done.stderr) == (0, False), done.stderr
    assert MARK not in (tmp_path / "site" / "404.html").read_text()
    assert not (tmp_path / "site" / "assets" / "x.css").exists()
    assert not (folder / "HACKED").exists()


@pytest.mark.slow
def test_the_artists_own_templates(tmp_path: Path) -> None:
    """Next to the ``gallery.toml`` that is named, or in the folder that is."""
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (32, 24)).save(tmp_path / "photos" / "a.png")
    (tmp_path / "mine" / "templates").mkdir(parents=True)
    (tmp_path / "mine" / "gallery.toml").write_text("widths = [16]\n")
    (tmp_path / "mine" / "templates" / "404.html").write_text("{{ site.title }} is elsewhere")
    done = publish(tmp_path, "photos", "--settings=mine/gallery.toml")
    assert "your own templates in mine/templates" in done.stderr
    assert (tmp_path / "gallery" / "404.html").read_text() == "Photos is elsewhere"


def links_out(templates: Path) -> None:
    (templates / "assets" / "x.css").symlink_to("/etc/passwd")


def folder_links_out(templates: Path) -> None:
    (templates / "assets" / "fonts").symlink_to("/etc")


def includes_a_link(templates: Path) -> None:
    (templates / "secret").symlink_to("/etc/passwd")
    (templates / "404.html").write_text('{% include "secret" %}')


def leads_nowhere(templates: Path) -> None:
    (templates / "assets" / "x.css").symlink_to("gone.css")


def leads_in_a_circle(templates: Path) -> None:
    (templates / "assets" / "x.css").symlink_to("x.css")


def is_a_pipe(templates: Path) -> None:
    os.mkfifo(templates / "assets" / "x.css")


def is_huge(templates: Path) -> None:
    with (templates / "assets" / "x.css").open("wb") as file:
        file.truncate(2**40)  # nothing of it is on the disk


def template_is_huge(templates: Path) -> None:
    (templates / "404.html").write_text("a" * 2_000_000)


def are_too_many(templates: Path) -> None:
    for number in range(5001):
        (templates / "assets" / f"{number}.css").touch()


def is_itself_a_link(templates: Path) -> None:
    (templates / "assets").rmdir()
    templates.rmdir()
    templates.symlink_to("/etc")


REFUSED = {
    links_out: "x.css: a link that leads out of",
    folder_links_out: "fonts: a link that leads out of",
    includes_a_link: "secret: a link that leads out of",
    leads_nowhere: "x.css: cannot be read (No such file or directory)",
    leads_in_a_circle: "x.css: cannot be read (Too many levels of symbolic links)",
    is_a_pipe: "x.css: no regular file",
    is_huge: "x.css: larger than the 100 MB that a file may have",
    are_too_many: "more than 5,000 files",
    is_itself_a_link: "templates: a link that leads out of its folder",
}


@pytest.mark.parametrize("spoil", [each for each in REFUSED if each is not are_too_many])
def test_files_that_are_not_read(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    (tmp_path / "templates" / "assets").mkdir(parents=True)
    spoil(tmp_path / "templates")
    with pytest.raises(ArtgenError, match=re.escape(REFUSED[spoil])):
        [*list_assets(find_own_templates(None, tmp_path))]


@pytest.mark.parametrize(
    "spoil",
    [links_out, *(pytest.param(each, marks=pytest.mark.slow) for each in [*REFUSED, template_is_huge][1:])],
)
def test_files_that_are_not_published(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (32, 24)).save(tmp_path / "photos" / "a.png")
    (tmp_path / "gallery.toml").write_text("widths = [16]\n")
    (tmp_path / "templates" / "assets").mkdir(parents=True)
    spoil(tmp_path / "templates")
    done = publish(tmp_path, "photos")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    said = REFUSED.get(spoil, "404.html: larger than the 1 MB that a template may have")
    assert said in done.stderr.splitlines()[-1]
    assert not (tmp_path / "gallery").exists()


@pytest.mark.slow
def test_preview_uses_them_no_more_than_publish(tmp_path: Path, finished_run: Callable[..., Path]) -> None:
    run = finished_run(shapes=((24, 24),), picks=(1,))
    (tmp_path / "mailed" / "templates").mkdir(parents=True)
    (tmp_path / "mailed" / "templates" / "404.html").write_text(MARK + RUNS)
    with Run.open(run) as opened:
        opened.write_fact("recipe folder", "../../mailed")
    (tmp_path / "gallery.toml").write_text("widths = [16]\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "artgen", "preview", "--no-browser", "--port=0", "--json", f"--run={run}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = "".join(iter(process.stdout.readline, "}\n")) + "}"
        assert json.loads(said)["site"] == "gallery"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
    assert MARK not in (tmp_path / "gallery" / "404.html").read_text()
    assert not (tmp_path / "HACKED").exists()
