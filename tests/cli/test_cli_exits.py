"""Every error class has an exit code of its own row, and the codes are those that were promised."""
import inspect

from alipay_mapi import errors
from alipay_mapi.cli import exits

CLASSES = [cls for cls in vars(errors).values() if inspect.isclass(cls) and issubclass(cls, Exception)]


def test_every_class_of_errors_is_in_the_table():
    assert len(CLASSES) > 40
    assert [cls.__name__ for cls in CLASSES if cls not in exits.BY_CLASS] == []


def test_the_table_holds_nothing_else():
    assert set(exits.BY_CLASS) == set(CLASSES)


def test_the_codes_are_these():
    assert {cls.__name__: exits.code_of(cls("x")) for cls in (
        errors.AlipayError, errors.InvalidRequest, errors.SignatureInvalid, errors.NotXML, errors.TransportError,
        errors.GatewayError, errors.OutcomeUnknown, errors.MissingKey)} == {
            "AlipayError": 1, "InvalidRequest": 2, "SignatureInvalid": 4, "NotXML": 4, "TransportError": 5,
            "GatewayError": 7, "OutcomeUnknown": 8, "MissingKey": 78}


def test_what_cannot_be_trusted_is_4_and_what_cannot_be_configured_is_78():
    for cls in CLASSES:
        if issubclass(cls, errors.InvalidMessage):
            assert exits.BY_CLASS[cls] == 4, cls
        if issubclass(cls, errors.ConfigurationError):
            assert exits.BY_CLASS[cls] == 78, cls


def test_a_class_made_outside_takes_the_code_of_its_parent():
    assert exits.code_of(type("Own", (errors.AmountMismatch,), {})("x")) == 4


def test_a_foreign_exception_is_an_internal_error_and_an_interrupt_is_130():
    assert exits.code_of(OSError("x")) == 1
    assert exits.code_of(KeyboardInterrupt()) == 130


def test_every_code_has_a_meaning():
    assert set(exits.BY_CLASS.values()) <= set(exits.MEANINGS)
    assert sorted(exits.MEANINGS) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 75, 78, 130]
