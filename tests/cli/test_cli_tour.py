"""``tour``: the README's main job; the same each time, and a failure when a check is missing."""
import json

import pytest
from cli_samples import load

from alipay_mapi import tour


def test_the_tour_succeeds_and_says_so(run):
    ran = run("tour")
    assert ran.code == 0 and ran.err == ""
    assert "13 steps: 4 accepted and 9 refused, each as it must be." in ran.out


def test_the_tour_prints_the_same_each_time(run):
    assert run("tour").out == run("tour").out


def test_the_answer_is_shown_with_its_amount_and_a_masked_buyer(run):
    out = run("tour").out
    assert "73.82" in out and "for***@alitest.com" in out and "PAYLINE20200116105303" in out


def test_every_refusal_names_its_class(run):
    out = run("tour").out
    for name in ("ResponseSignatureInvalid", "ResponseSignatureMissing", "OrderMismatch", "InvalidRequest",
                 "UnsafeValue", "AmountMismatch", "SignatureInvalid", "AmbiguousContent", "SignTypeMismatch"):
        assert "refused    {}: ".format(name) in out


def test_json_has_every_step(run):
    told = load(run("tour", "--json"))
    assert told["ok"] is True and len(told["steps"]) == len(tour.tour())
    assert all(step["ok"] for step in told["steps"])
    assert set(told["steps"][0]) == {"part", "what", "expected", "outcome", "ok", "message", "fields", "text"}


@pytest.mark.parametrize("module, name, replacement", [
    ("alipay_mapi.signing", "check", lambda *arguments: None),
    ("alipay_mapi.signing", "find_cut_bytes", lambda pairs: None),
    ("alipay_mapi.signing", "check_sign_type", lambda configured, named: None),
    ("alipay_mapi.notification", "check_amount", lambda *arguments, **named: {}),
    ("alipay_mapi.response", "_check_asked", lambda *arguments: True),
    ("alipay_mapi.request", "_refuse_cuts", lambda sent: None),
    ("alipay_mapi.signing", "sign", lambda *arguments: "0" * 32),
])
def test_taking_a_check_out_makes_the_tour_fail(run, monkeypatch, module, name, replacement):
    monkeypatch.setattr(module + "." + name, replacement)
    ran = run("tour")
    assert ran.code == 1
    assert "WRONG" in ran.out and "FAILED" in ran.out
    assert json.loads(run("tour", "--json").out)["ok"] is False
