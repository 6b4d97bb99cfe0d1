"""Jinja2: templates from files, inheritance, macros, filters, escaping, async rendering, its own sandbox."""
import asyncio
import pathlib

import jinja2
import jinja2.sandbox

HERE = pathlib.Path(__file__).parent
ROWS = [
    {"name": "straw", "kind": "cheap", "amount": 1.5, "note": "light & <b>dry</b>, carried by whoever passes the barn"},
    {"name": "wood", "kind": "fair", "amount": 20, "note": ""},
    {"name": "brick", "kind": "fair", "amount": 300.25, "note": "heavy"},
]


def money(value):
    return f"{value:,.2f} \N{EURO SIGN}"


def environment(**options):
    made = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, **options)
    made.filters["money"] = money
    return made


def mistakes(made):
    for source in ["{% for %}", "{{ nothing.at.all }}", "{{ 1 / 0 }}", "{% include 'missing.html' %}"]:
        try:
            print(made.from_string(source).render())
        except Exception as error:
            print(type(error).__name__, error)


print(environment().get_template("table.html").render(title="the house", rows=ROWS))
print(environment().get_template("table.html").render(title="an empty one", rows=[]))
print(asyncio.run(environment(enable_async=True).get_template("table.html").render_async(title="later", rows=ROWS)))
mistakes(environment())
for source in ["{{ ''.__class__.__mro__ }}", "{{ range(1000000000) }}"]:
    try:
        print(jinja2.sandbox.SandboxedEnvironment().from_string(source).render())
    except Exception as error:
        print(type(error).__name__, error)
print(sorted(environment().list_templates()))
print(environment().compile("{{ a + b }}", raw=True))
