"""An audit as one page without scripts and without anything to load, to be attached or mailed."""

from typing import Any, Final

from goferry.deps.audit.forms import Page, words
from goferry.deps.audit.records import AuditFinding, Kind
from goferry.i18n import _, current

_PAGE: Final = """\
<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ t.title }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1, h2, h3 { line-height: 1.25; } h3 small { font-weight: normal; color: #666; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0 1.6rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid #ddd; }
th { font-size: .9rem; color: #555; }
td:first-child { border-left: .4rem solid #888; white-space: nowrap; }
tr.error td:first-child { border-color: #b00020; } tr.warning td:first-child { border-color: #b26a00; }
tr.info td:first-child { border-color: #2b6cb0; } tr.unproven td:first-child { border-color: #7b2d8e; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
.chain, .said { color: #666; font-size: .9rem; }
footer { color: #666; margin-top: 2rem; }
</style>
</head>
<body>
<h1>{{ t.title }}</h1>
<p><strong>{{ counts }}</strong></p>
{% if compared %}<p>{{ compared }}</p>{% endif %}
{% for owner, projects in owners %}
{% if owners | length > 1 %}<h2>{{ owner or t.nobody }}</h2>{% endif %}
{% for project in projects %}
<h3>{{ project.name }} <small>{{ project.about }}</small></h3>
{% if project.rows %}
<table>
<thead><tr><th>{{ t.severity }}</th><th>{{ t.what }}</th><th>{{ t.module }}</th><th>{{ t.fix }}</th>
<th>{{ t.about }}</th></tr></thead>
<tbody>
{% for row in project.rows %}
<tr class="{{ row.mark }}"><td>{{ row.severity }}</td>
<td>{% if row.url %}<a href="{{ row.url }}">{{ row.name }}</a>{% else %}{{ row.name }}{% endif %}</td>
<td><code>{{ row.subject }}</code></td><td>{{ row.fixed }}</td>
<td>{{ row.message }}{% if row.said %}<div class="said">{{ row.said }}</div>{% endif %}
{% for way in row.ways %}<div class="chain"><code>{{ way }}</code></div>{% endfor %}</td></tr>
{% endfor %}
</tbody>
</table>
{% else %}<p>{{ t.nothing }}</p>{% endif %}
{% endfor %}
{% endfor %}
{% if ignored %}
<h2>{{ t.ignored }}</h2>
<table>
<thead><tr><th>{{ t.what }}</th><th>{{ t.module }}</th><th>{{ t.reason }}</th><th>{{ t.until }}</th></tr></thead>
<tbody>
{% for one in ignored %}
<tr><td>{{ one.finding.id }}</td><td><code>{{ one.finding.module }} {{ one.finding.version }}</code></td>
<td>{{ one.reason }}{% if one.owner %} ({{ one.owner }}){% endif %}</td><td>{{ one.expires or "" }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endif %}
<footer>{{ headline }}; {{ database }}; {{ generated }}</footer>
</body>
</html>
"""


def render(page: Page) -> str:
    """The page in the language in use. Everything from outside is escaped."""
    from jinja2 import Environment, StrictUndefined  # slow to import, and only this form needs it

    audit = page.audit
    template = Environment(
        autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True
    ).from_string(_PAGE)
    return template.render(
        language=current().replace("_", "-"),
        t=_titles(),
        counts=words.counts(audit),
        compared=words.compared(audit),
        owners=_owners(page),
        ignored=audit.ignored,
        headline=words.headline(audit),
        database=words.database(audit),
        generated=audit.generated.isoformat(timespec="minutes"),
    )


def _titles() -> dict[str, str]:
    return {
        "title": _("Dependency audit"),
        "nobody": _("(no owner)"),
        "severity": _("Severity"),
        "what": _("What"),
        "module": _("Module"),
        "fix": _("Fix"),
        "about": _("About"),
        "nothing": _("nothing was found"),
        "ignored": _("Set aside"),
        "reason": _("Reason"),
        "until": _("Until"),
    }


def _owners(page: Page) -> list[tuple[str, list[dict[str, Any]]]]:
    """Each owner with the projects; what is about no project (an ignore file) stands under its own heading."""
    audit = page.audit
    found = [*audit.unproven, *audit.findings]
    projects = {
        project.name: {
            "name": project.name,
            "owner": project.owner,
            "about": f"{project.root}, {words.level(project.level)}",
            "rows": [_row(finding) for finding in found if finding.project == project.name],
        }
        for project in audit.projects
    }
    rest = [finding for finding in found if finding.project not in projects]
    for name in dict.fromkeys(finding.project for finding in rest):
        mine = [finding for finding in rest if finding.project == name]
        projects[name] = {
            "name": name or _("Ignore files"),
            "owner": mine[0].owner,
            "about": "",
            "rows": [_row(finding) for finding in mine],
        }
    owners = sorted({str(p["owner"]) for p in projects.values()}, key=lambda owner: (not owner, owner))
    return [(owner, [p for p in projects.values() if p["owner"] == owner]) for owner in owners]


def _row(finding: AuditFinding) -> dict[str, Any]:
    url = str(finding.details.get("url") or "")
    said = (words.looked(finding), words.remarks(finding))
    unproven = finding.kind is Kind.UNPROVEN
    return {
        "mark": finding.kind.value if unproven else finding.severity.value,
        "severity": words.title(finding.kind) if unproven else words.severity(finding.severity),
        "name": words.name(finding),
        "url": url if url.startswith(("https://", "http://")) else "",
        "subject": words.subject(finding),
        "fixed": words.fixed(finding.fixed),
        "message": str(finding.message),
        "said": ", ".join(word for word in said if word),
        "ways": words.ways(finding),
    }
