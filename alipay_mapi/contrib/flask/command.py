"""``flask alipay-mapi …``: the whole command line, with the app's settings where an ini file's would stand."""
import sys
from collections.abc import Mapping
from typing import Any

import click

from ...errors import ConfigurationError
from . import signals
from .state import PREFIX, State

PROG = "flask alipay-mapi"
_PLACE = PREFIX + "MERCHANTS"


def forwarding(app: Any, state: State) -> click.Command:
    """The click command: every argument goes on as it is."""
    return _Forwarding("alipay-mapi", help="Sign, ask and verify on Alipay's gateway; --help says more.",
                       add_help_option=False, callback=lambda: _run(app, state, click.get_current_context().args))


class _Forwarding(click.Command):
    def parse_args(self, ctx, args):
        ctx.args = list(args)
        return ctx.args


def _run(app, state, arguments):
    # A layer above; and a web server's process does not need it.
    from ...cli import main
    with app.app_context():
        sys.exit(main(list(arguments), host=_host(app, state)))


def _host(app, state):
    from ...cli.fallback_settings import shown
    from ...cli.host import Host
    usual = Host(prog=PROG, place=_PLACE, merchants={}, finished=lambda tally: signals.tell(
        signals.run_finished, app, tally=tally))
    try:
        configured = state.configured()
        return usual._replace(
            merchants=configured.names, default=configured.default, fallback=configured.fallback_settings,
            store=configured.store if configured.has_store else None,
            store_name=shown(str(configured.get("STORE"))) if configured.has_store else "",
            handler=configured.function("HANDLER"), within=configured.function("WITHIN"), ams=configured.accounts)
    except ConfigurationError as err:
        problem = err
    # What needs no settings, such as --help, works without them.
    return usual._replace(merchants=_Refusing(problem), fallback=_Refusing(problem))


class _Refusing(Mapping):
    """Settings that cannot work: whoever looks into them is told why."""

    def __init__(self, problem: ConfigurationError):
        self._problem = problem

    def _refuse(self, *_: Any) -> Any:
        raise type(self._problem)(str(self._problem))

    __getitem__ = __iter__ = __len__ = __contains__ = _refuse
