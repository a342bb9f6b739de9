"""A Report as one page without scripts and without anything to load, to be attached or mailed."""

from typing import Final

from goferry.findings import Report, Severity
from goferry.i18n import N_, _, current

_WORDS: Final = {
    Severity.ERROR: N_("error"),
    Severity.WARNING: N_("warning"),
    Severity.INFO: N_("note"),
    Severity.OK: N_("ok"),
}

_PAGE: Final = """\
<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ report.title }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
article { border-left: .4rem solid #888; padding: .2rem 1rem; margin: 1rem 0; background: #f6f6f6; }
article.error { border-color: #b00020; } article.warning { border-color: #b26a00; }
article.ok { border-color: #1a7f37; }
h2 { font-size: 1.05rem; margin: .4rem 0; } code, pre { font-family: ui-monospace, monospace; }
pre { background: #fff; border: 1px solid #ddd; padding: .6rem; overflow-x: auto; }
footer { color: #666; }
</style>
</head>
<body>
<h1>{{ report.title }}</h1>
{% for finding in report.by_severity() %}
<article class="{{ finding.severity.value }}">
<h2>{{ words[finding.severity] }}: <code>{{ finding.code }}</code>
{%- if finding.location %} <small>{{ finding.location }}</small>{% endif %}</h2>
<p>{{ finding.message }}</p>
{% if finding.fix %}<p>→ {{ finding.fix.summary }}</p>
{% if finding.fix.command %}<pre>{{ finding.fix.command }}</pre>{% endif %}{% endif %}
</article>
{% else %}
<article class="ok"><p>{{ sound }}</p></article>
{% endfor %}
<footer>
{% for name, value in report.facts.items() %}{{ name }} {{ value }}{{ ", " if not loop.last }}{% endfor %}
</footer>
</body>
</html>
"""


def render(report: Report) -> str:
    """The page in the language in use. Everything from outside is escaped."""
    from jinja2 import Environment, StrictUndefined  # slow to import, and only this form needs it

    page = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True).from_string(
        _PAGE
    )
    return page.render(
        report=report,
        language=current().replace("_", "-"),
        words={severity: _(word) for severity, word in _WORDS.items()},
        sound=_("nothing was found"),
    )
