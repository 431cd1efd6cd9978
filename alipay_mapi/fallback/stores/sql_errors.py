"""What the errors of SQLAlchemy's databases mean."""
import sqlalchemy as sa

from .driver_errors import problem_of_driver


def problem_of(error: Exception) -> str:
    """One word for what went wrong."""
    driver = getattr(error, "orig", None)
    if driver is None:
        return "gone" if isinstance(error, sa.exc.TimeoutError) else type(error).__name__
    return problem_of_driver(driver, isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError)),
                             getattr(error, "connection_invalidated", False))
