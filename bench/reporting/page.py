"""Pages from the templates: self-contained HTML without script, in which no text is markup.

Called by the modules that write a page by itself: `bench.reporting.curves` and `ablation`.
"""

from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from bench.reporting.export import printable


def render(template: str, values: Mapping[str, object]) -> str:
    """The page that `template` (a file name in `templates/`) makes of `values`."""
    environment = Environment(
        loader=PackageLoader("bench.reporting"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        finalize=lambda value: printable(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(values)
