"""Who may import whom, and what no module may hold: read from the source, nothing is run.

The picture is in ``docs/architecture.md``. A new module must be added to :data:`LAYERS`.
"""
import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "alipay_mapi"

#: Layer to modules. ``name.*`` is a folder with all that is in it. ``.`` is ``alipay_mapi/__init__.py``.
LAYERS = {
    1: "_version lazy errors error_codes error_code_table charsets amounts times status fields order der keys crypto.* "
       "presign algorithms signing merchant masking",
    2: "services.* request form_body xml_answer messages checks response notification synchronous_return app_result "
       "text_answer trade_state",
    3: "deadline transport client backend merchant_settings installed",
    4: ". migration migration.ams.* migration.json_text migration.errors migration.outcome",
    5: "emulator.* fallback.* migration.arrival migration.backends.* migration.logged.* migration.mapi_results "
       "migration.openapi.* migration.plan migration.reading.* migration.receiving migration.router migration.settings "
       "migration.shadow migration.translate.*",
    6: "testing.* demo.* compat.* contrib contrib.celery contrib.web.*",
    7: "cli.* tour __main__",
    8: "contrib.django.* contrib.flask.*",
}

_SQL = ["fallback.stores." + name for name in ("sql", "sql_connection", "sql_effects", "sql_errors", "sql_orders",
                                               "sql_schema", "sql_versions", "sql_write")]

#: Third-party package to the modules that may import it.
MAY_IMPORT = {
    "requests": ["transport", "deadline", "emulator.sender", "testing.*"],
    "urllib3": ["transport", "deadline", "testing.*"],
    "lxml": ["xml_answer"],
    "Crypto": ["crypto.*"],
    "Cryptodome": ["crypto.*"],
    "cryptography": ["crypto.cryptography"],
    "rich": ["cli.*"],
    "werkzeug": ["emulator.web", "emulator.ams_web", "emulator.server", "contrib.flask.*"],
    "jinja2": ["emulator.pages", "emulator.ams_pages", "demo.report"],
    "segno": ["emulator.pages"],
    "pytest": ["testing.plugin"],
    "sqlalchemy": _SQL + ["fallback.stores.opening"],
    "prometheus_client": ["fallback.prometheus"],
    "celery": ["contrib.celery"],
    "django": ["contrib.django.*"],
    "flask": ["contrib.flask.*"],
    "click": ["contrib.flask.*"],
    "markupsafe": ["contrib.flask.*"],
    "blinker": ["contrib.flask.*"],
}

#: Modules that may import a third-party package at their top, because they are themselves imported inside functions.
MAY_BE_HEAVY = ["transport", "xml_answer", "crypto.*", "emulator.sender", "emulator.web", "emulator.server",
                "emulator.pages", "emulator.ams_pages", "emulator.ams_web", "demo.report", "testing.plugin",
                "testing.adapter", "fallback.prometheus", "contrib.celery", "contrib.django.*",
                "contrib.flask.*"] + _SQL

#: Layers 1 and 2 take values and return values: no socket, file, clock, process or environment.
IMPURE = {"os", "pathlib", "io", "tempfile", "shutil", "socket", "ssl", "select", "subprocess", "time", "http",
          "urllib.request", "random", "threading", "asyncio"}


def module_name(path):
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) or "."


SOURCES = {module_name(path): path for path in sorted(PACKAGE.glob("**/*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8"), str(path)) for name, path in SOURCES.items()}


def listed(name, patterns):
    return any(name == pattern or pattern.endswith(".*") and (name + ".").startswith(pattern[:-1])
               for pattern in patterns)


def layer_of(name):
    found = [layer for layer, patterns in LAYERS.items() if listed(name, patterns.split())]
    return found[0] if len(found) == 1 else None


def imports_of(name, tree, modules):
    """Yield (target, is ours, is at the top, line) for each import; ours are named as in LAYERS."""
    inside = {id(node) for later in ast.walk(tree) if runs_later(later) for node in ast.walk(later)}
    package = [] if name == "." else name.split(".")
    if name in modules and modules[name].name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(tree):
        at_top = id(node) not in inside
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield own_or_foreign(alias.name.split("."), modules) + (at_top, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = (node.module or "").split(".") if node.module else []
            if node.level:
                base = ["alipay_mapi"] + package[:len(package) - node.level + 1] + base
            for alias in node.names:
                yield own_or_foreign(base + [alias.name], modules, base) + (at_top, node.lineno)


def runs_later(node):
    """A function's body, and what stands there for the type checker alone, is not run on import."""
    return isinstance(node, ast.FunctionDef) or isinstance(node, ast.If) and "TYPE_CHECKING" in terms(node.test)


def own_or_foreign(parts, modules, parent=None):
    """``from . import x`` is the module x if there is one, else a name out of the package itself."""
    if parts[0] != "alipay_mapi":
        return ".".join(parent or parts), False
    inner = ".".join(parts[1:]) or "."
    if inner in modules or parent is None:
        return inner, True
    return ".".join(parent[1:]) or ".", True


def every_import(modules=SOURCES, trees=TREES):
    for name, tree in trees.items():
        for target, ours, at_top, line in imports_of(name, tree, modules):
            yield name, target, ours, at_top, "{}:{}".format(modules[name], line)


def test_every_module_has_exactly_one_layer():
    """A module that is missing here escapes every other rule of this file."""
    assert [name for name in SOURCES if layer_of(name) is None] == []


def test_a_module_imports_from_its_own_layer_or_below():
    upward = [(where, target) for name, target, ours, _, where in every_import()
              if ours and (layer_of(target) or 9) > layer_of(name)]
    assert upward == []


def test_the_applications_do_not_import_one_another():
    assert [(where, target) for name, target, ours, _, where in every_import()
            if ours and layer_of(target) == 5 and name.split(".")[0] != target.split(".")[0]
            and {name.split(".")[0], target.split(".")[0]} <= {"emulator", "fallback", "migration"}] == []


def test_each_third_party_package_has_one_place():
    strays = [(where, target) for name, target, ours, _, where in every_import()
              if not ours and target.split(".")[0] in MAY_IMPORT
              and not listed(name, MAY_IMPORT[target.split(".")[0]])]
    assert strays == []


@pytest.mark.skipif(not hasattr(sys, "stdlib_module_names"), reason="Python lists its own modules from 3.10 on")
def test_nothing_else_is_imported():
    """A new dependency is a decision: it goes into MAY_IMPORT and into setup.cfg."""
    known = set(MAY_IMPORT) | set(sys.stdlib_module_names)
    assert [(where, target) for _, target, ours, _, where in every_import()
            if not ours and target.split(".")[0] not in known] == []


def heavy_modules(modules=SOURCES, trees=TREES):
    """Modules that load a third-party package as soon as they are imported, by themselves or through another."""
    at_top = [(name, target, ours) for name, target, ours, top, _ in every_import(modules, trees) if top]
    heavy = {name for name, target, ours in at_top if not ours and target.split(".")[0] in MAY_IMPORT}
    while True:
        more = {name for name, target, ours in at_top if ours and (target in heavy or target.split(".")[0] in heavy)}
        if more <= heavy:
            return heavy
        heavy |= more


def test_third_party_packages_are_imported_where_first_used():
    assert [name for name in sorted(heavy_modules()) if not listed(name, MAY_BE_HEAVY)] == []


def test_layers_one_and_two_are_pure():
    impure = [(where, target) for name, target, ours, _, where in every_import()
              if layer_of(name) in (1, 2) and not ours and (target in IMPURE or target.split(".")[0] in IMPURE)]
    opened = [(name, node.lineno) for name, tree in TREES.items() if layer_of(name) in (1, 2) for node in ast.walk(tree)
              if isinstance(node, ast.Call) and called(node) in ("open", "now", "today", "getenv")]
    assert impure + opened == []


# Rules about the source itself. Each takes a node and says whether it breaks the rule.

def called(call):
    """The last name of what is called: ``now`` for ``datetime.now()``."""
    return getattr(call.func, "attr", getattr(call.func, "id", None))


def literal(node):
    try:
        return True, ast.literal_eval(node)
    except ValueError:
        return False, None


def terms(node):
    """The names an operand goes by: of ``message["sign"].lower()`` it is ``sign``."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [node.attr]
    if isinstance(node, ast.Subscript):
        index = node.slice.value if type(node.slice).__name__ == "Index" else node.slice
        is_literal, value = literal(index)
        return [value] if is_literal and isinstance(value, str) else terms(node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        is_literal, value = literal(node.args[0]) if node.args else (False, None)
        if node.func.attr in ("get", "pop") and is_literal:
            return [value]
        return [node.func.attr] + terms(node.func.value)
    return []


SECRET = ("sign", "signature", "secret", "digest", "hexdigest", "mac", "hmac", "md5_key", "private_key")


def is_secret(node):
    return any(term.lower() == word or term.lower().endswith("_" + word)
               for term in terms(node) if isinstance(term, str) for word in SECRET)


def is_assert(node):
    """Gone under ``python -O``."""
    return isinstance(node, ast.Assert)


def compares_a_secret(node):
    """``==`` stops at the first difference, and the time tells where; ``hmac.compare_digest`` does not.

    Comparing with a literal (``sign == ""``) tells nothing.
    """
    if not isinstance(node, ast.Compare) or not any(isinstance(op, (ast.Eq, ast.NotEq)) for op in node.ops):
        return False
    operands = [node.left] + node.comparators
    return any(is_secret(operand) for operand in operands) and not any(literal(operand)[0] for operand in operands)


def switches_tls_off(node):
    if isinstance(node, ast.keyword):
        return node.arg in ("verify", "check_hostname") and literal(node.value) == (True, False)
    if isinstance(node, ast.Assign):
        return literal(node.value) == (True, False) and any(
            getattr(target, "attr", getattr(target, "id", None)) in ("verify", "check_hostname")
            for target in node.targets)
    if isinstance(node, (ast.Attribute, ast.Name)):
        return (terms(node) or [""])[0] in ("CERT_NONE", "_create_unverified_context", "disable_warnings")
    return False


def runs_a_shell(node):
    if isinstance(node, ast.keyword):
        return node.arg == "shell" and literal(node.value) != (True, False)
    return (isinstance(node, ast.Attribute) and terms(node.value) in (["os"], ["subprocess"])
            and node.attr in ("system", "popen", "getoutput", "getstatusoutput"))


def tells_a_naive_time(node):
    if not isinstance(node, ast.Call):
        return False
    given = len(node.args) + len(node.keywords)
    return (called(node) in ("utcnow", "utcfromtimestamp", "today")
            or called(node) == "now" and given == 0 and isinstance(node.func, ast.Attribute)
            # the emulator's own clock, and a store's: seconds in UTC
            and terms(node.func.value)[:1] not in (["clock"], ["trades"], ["self"], ["store"], ["_store"])
            or called(node) == "fromtimestamp" and given < 2)


def runs_text(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec")


#: rule, what it must catch, what it must let pass
RULES = [
    (is_assert, ["assert x"], ["raise AssertionError(x)"]),
    (compares_a_secret,
     ["sign == expected", "a != message['sign']", "fields.get('sign') == theirs", "md5(x).hexdigest() == theirs",
      "self.md5_key == other.md5_key", "x == shop.private_key", "message['sign'].lower() != ours", "app_secret == x"],
     ["sign_type == theirs", "sign == ''", "sign is None", "name == 'sign'", "len(sign) != length",
      "compare_digest(sign, theirs)", "key == other", "design == x"]),
    (switches_tls_off,
     ["get(u, verify=False)", "session.verify = False", "ssl.CERT_NONE", "ssl._create_unverified_context()",
      "context.check_hostname = False", "urllib3.disable_warnings()"],
     ["get(u, verify=True)", "session.verify = bundle", "verify(sign)", "ssl.CERT_REQUIRED"]),
    (runs_a_shell,
     ["run(c, shell=True)", "Popen(c, shell=flag)", "os.system(c)", "os.popen(c)"],
     ["run(c)", "run(c, shell=False)", "platform.system()"]),
    (tells_a_naive_time,
     ["datetime.now()", "datetime.utcnow()", "datetime.datetime.now()", "date.today()", "datetime.fromtimestamp(t)"],
     ["datetime.now(GMT8)", "datetime.now(tz=GMT8)", "datetime.fromtimestamp(t, GMT8)", "now()",
      "self.clock.now()", "store.now()", "self._store.now()"]),
    (runs_text, ["eval(x)", "exec(x)"], ["ast.literal_eval(x)", "re.compile(x)"]),
]


def breaks(rule, tree):
    return [getattr(node, "lineno", 0) or getattr(getattr(node, "value", None), "lineno", 0)
            for node in ast.walk(tree) if rule(node)]


@pytest.mark.parametrize("rule, hostile, genuine", RULES, ids=[row[0].__name__ for row in RULES])
def test_no_module_breaks_the_rule(rule, hostile, genuine):
    found = ["{}:{}".format(SOURCES[name], line) for name, tree in TREES.items() for line in breaks(rule, tree)]
    assert found == []


@pytest.mark.parametrize("rule, hostile, genuine", RULES, ids=[row[0].__name__ for row in RULES])
def test_the_rule_itself_sees_what_it_must(rule, hostile, genuine):
    assert [line for line in hostile if not breaks(rule, ast.parse(line))] == []
    assert [line for line in genuine if breaks(rule, ast.parse(line))] == []


@pytest.mark.parametrize("name, line, seen", [
    ("presign", "from . import signing", ("signing", True)),
    ("presign", "from .errors import show", ("errors", True)),
    ("presign", "from . import Client", (".", True)),
    ("presign", "import alipay_mapi.transport", ("transport", True)),
    ("presign", "from alipay_mapi.transport import send", ("transport", True)),
    ("services.builders", "from ..transport import send", ("transport", True)),
    ("services.builders", "from . import registry", ("services.registry", True)),
    ("services", "from .registry import table", ("services.registry", True)),
    ("services", "from .. import transport", ("transport", True)),
    (".", "from .client import Client", ("client", True)),
    ("crypto.cryptography", "from cryptography.hazmat import x", ("cryptography.hazmat", False)),
    ("presign", "import lxml.etree", ("lxml.etree", False)),
])
def test_the_reader_of_imports_resolves_each_spelling(name, line, seen):
    files = {module: Path(module.replace(".", "/") + ".py")
             for module in ["presign", "signing", "errors", "transport", "client", "services.builders",
                            "services.registry", "crypto.cryptography"]}
    files.update({package: Path(package, "__init__.py") for package in [".", "services", "crypto"]})
    (target, ours, at_top, _), = imports_of(name, ast.parse(line), files)
    assert (target, ours, at_top) == seen + (True,)


def test_heaviness_is_passed_on_by_imports_at_the_top_alone():
    files = {name: Path(name + ".py") for name in ["transport", "client", "request", "response"]}
    trees = {"transport": ast.parse("import requests"), "client": ast.parse("from .transport import send"),
             "request": ast.parse("def f():\n    from .transport import send"),
             "response": ast.parse("if TYPE_CHECKING:\n    import requests")}
    assert heavy_modules(files, trees) == {"transport", "client"}
