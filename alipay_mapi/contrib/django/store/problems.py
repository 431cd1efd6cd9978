"""What the errors of Django's databases mean."""
from django.db import Error, InterfaceError, OperationalError

from ....errors import SchemaError, StoreError, show
from ....fallback.stores import contract
from ....fallback.stores.driver_errors import problem_of_driver

#: No such savepoint, no transaction, a transaction in which a statement has failed: SQLSTATE, or MySQL's number.
_ENDED = ("3B001", "25P01", "25P02", 1305)


def problem_of(error: Error) -> str:
    """One word for what went wrong."""
    return problem_of_driver(error.__cause__ or error, isinstance(error, (OperationalError, InterfaceError)))


def has_ended(error: Error) -> bool:
    """Could a savepoint not be let go since its transaction has ended, or can only be undone?"""
    driver = error.__cause__ or error
    codes = [getattr(driver, "pgcode", None), getattr(driver, "sqlstate", None)] + list(driver.args[:1])
    return "no such savepoint" in str(driver) or any(code in _ENDED for code in codes)


def store_error(reason: str, using: str) -> StoreError:
    """See ``contract.store_error``. The tables are Django's to make."""
    if reason != "schema":
        return contract.store_error(reason)
    return SchemaError("the store's tables are not there, or not what this version needs; run manage.py migrate{}, "
                       "with \"alipay_mapi.contrib.django.store\" in INSTALLED_APPS".format(
                           "" if using == "default" else " --database=" + show(using, 40)), reason=reason)
