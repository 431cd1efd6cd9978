"""The shop's settings as the package's own commands take them, and what those commands say of them."""
from typing import Any, List

from django.db import DEFAULT_DB_ALIAS, Error, connections

from ...errors import AlipayError, SchemaError, StoreError
from ...fallback import Fallback
from .process import configured
from .signals import run_finished, send

PROG = "manage.py alipay_mapi"
PLACE = 'ALIPAY_MAPI["MERCHANTS"]'
#: Commands that need no settings.
_ALONE = ("codes", "demo", "emulator", "keys", "tour")


def run(argv: List[str]) -> int:
    """Run one command of the package with the shop's settings: its exit code."""
    from ...cli import main
    from ...cli.host import Host
    words = [word for word in argv if not word.startswith("-")]
    host, problem = Host(PROG, PLACE, {}), None     # type: Any, Any
    try:
        host = host_of_settings()
        if words[:2] == ["fallback", "migrate"] and not _named(argv, "--store", "--config", "--help") \
                and configured().opens(configured().get("STORE")):
            _migrated()
    except AlipayError as err:
        problem = err
    if problem is None or not words or words[0] in _ALONE or _named(argv, "--config", "--help", "--version"):
        return main(argv, host=host)
    return _refused(argv, problem)


def host_of_settings() -> Any:
    """Raises ConfigurationError for settings of which no command could make sense."""
    from ...cli.host import Host
    made = configured()
    own = made.opens(made.get("STORE"))
    return Host(PROG, PLACE, made.names, made.default, made.store if made.has_store else None,
                "Django's database" if own else "ALIPAY_MAPI['STORE']", made.fallback_settings,
                made.function("HANDLER"), made.function("WITHIN"),
                lambda tally: send(run_finished, Fallback, tally=tally), made.accounts)


def _named(argv, *options):
    return any(word.partition("=")[0] in options for word in argv)


def _refused(argv, problem) -> int:
    from ...cli import exits
    from ...cli.output import Output
    out = Output(as_json="--json" in argv)
    code = exits.code_of(problem)
    out.error(problem, code, str(problem))
    out.finish()
    return code


def _migrated() -> None:
    """The tables of Django's store are made by its migrations. Raises SchemaError when some are not applied yet."""
    from django.db.migrations.executor import MigrationExecutor
    missing = None
    try:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes("alipay_mapi_store"))
    except Error:
        pass
    if missing is None:
        raise StoreError("the database could not be asked which migrations it has", reason="gone")
    if missing:
        raise SchemaError("the store is in Django's database, and {} of its migrations not applied; run manage.py "
                          "migrate".format("one is" if len(missing) == 1 else "some are"), reason="schema")
