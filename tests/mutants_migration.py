"""Mutants of the migration and of ``compat``: rows for ``mutants.py``.

Each row: (the middle of a file's name in ``tests/migration`` or ``tests/compat``; module; source text; what stands
there instead[, source text, instead …]).
"""
_AMS = [
    # what is signed, and how a signature is read
    ("ams_answers", "signing", "    return algorithms.verify(_RSA256, keys, signed, signature.raw)",
     '    return any(algorithms.verify(name, keys, signed, signature.raw) for name in ("RSA2", "RSA"))'),
    ("ams_signing", "signing", '    if found["algorithm"] != ALGORITHM:',
     '    if not found["algorithm"].startswith("RSA"):'),
    ("ams_signing", "signing", "    return algorithms.read_sign(_RSA256, plain)",
     '    import base64\n    return base64.b64decode(re.sub("[^A-Za-z0-9+/]", "", plain) + "===")'),
    ("ams_signing", "signing", 'unquote_to_bytes(text.encode("utf-8", "replace"))',
     'unquote_to_bytes(text.replace("+", " "))'),
    ("ams_signing", "signing", '_TIME = re.compile(r"[0-9][0-9TZ:.+-]{0,39}", re.ASCII)',
     '_TIME = re.compile(r"[ -~]+")'),
    ("ams_answers", "headers", "        if name in found and name in _OURS:", "        if False:"),
    # what is believed of an answer
    ("ams_answers", "answers", "    if client_id != account.client_id:", "    if False:"),
    ("ams_answers", "answers", "    if not signing.fits(account.checking_keys, signed, signature):", "    if False:"),
    ("ams_answers", "answers", "    if answer.result_status not in (F, U):", "    if False:"),
    ("ams_answers", "answers", '    time = _verified(account, path, named, "response-time", body)\n',
     '    json_text.parse(body)\n    time = _verified(account, path, named, "response-time", body)\n'),
    ("ams_answers", "answers", "    _check_asked(answer, asked or {})\n", ""),
    # notifications and their acks
    ("ams_notifications", "notifications", 'answers._verified(account, path, named, "request-time", body)',
     'answers._verified(account, path.partition("?")[0], named, "request-time", body)'),
    ("ams_notifications", "notifications", 'answers._verified(account, path, named, "request-time", body)',
     'answers._verified(account, path, named, min(set(named) & {"request-time", "response-time"}), body)'),
    ("ams_notifications", "notifications", '    if not named.get("signature"):\n',
     '    if not named.get("signature"):\n        return AmsNotification(json_text.parse(body), None, OTHER)\n'
     "    if False:\n"),
    ("ams_notifications", "notifications", '"PAYMENT_PENDING": (PAYMENT_PENDING, ', '"PAYMENT_PENDING": (PAYMENT, '),
    ("ams_notifications", "notifications", 'return _BY_REFUND_STATUS.get(self.text("refundStatus") or "", UNKNOWN)',
     'return _BY_RESULT.get(self.result_status or "", UNKNOWN)'),
    ("ams_notifications", "notifications", "    return ack_unknown() if isinstance(problem, InvalidMessage)",
     "    return ack_taken() if isinstance(problem, InvalidMessage)"),
    # what a code says
    ("migration_results", "results", '    if usual != status or status not in ("S", "F", "U"):',
     '    if status not in ("S", "F", "U"):'),
    ("migration_results", "results", "    if operation not in _STATES or not signed:",
     "    if operation not in _STATES:"),
    # amounts, exact or refused
    ("ams_amounts", "amounts", '    if fraction[decimals:].strip("0"):', "    if False:"),
    ("ams_amounts", "amounts", '"IDR": 2', '"IDR": 0'),
    ("ams_amounts", "amounts", 'STEPS = {"IDR": 100}', "STEPS = {}"),
    ("ams_amounts", "amounts", "    if isinstance(amount, bool) or not isinstance",
     "    if isinstance(amount, float):\n        amount = repr(amount)\n"
     "    if isinstance(amount, bool) or not isinstance"),
    ("ams_amounts", "amounts", "or _VALUE.fullmatch(value) is None:", "or not value.isdigit():"),
    # who we are there
    ("ams_account", "account", "        if _PARTNER.fullmatch(self.client_id):", "        if False:"),
    ("ams_account", "account", "any(private.numbers == key.numbers for key in public)", "False"),
    ("ams_account", "account", '(key.kind != "RSA" or key.private', '("" or key.private'),
    ("ams_account", "account", "        check_gateway(domain, allow_http)\n",
     "        check_gateway(domain, True)\n"),
    ("ams_account", "account", "        domains.check_domain(domain, self.in_store)\n", ""),
]

_MIGRATION = [
    # whose notification it is
    ("arrival", "arrival", "    if kind == _JSON:", '    if named.get("signature"):'),
    ("arrival", "arrival", '        if not named.get("signature"):', "        if False:"),
    ("arrival", "arrival", '    if b"app_id" in names:', '    if b"app_id" in names and b"sign_type" not in names:'),
    # strict JSON
    ("json_text", "json_text", "        if name in found:", "        if False:"),
    ("json_text", "json_text", '    raise NotJSON("NaN and Infinity are not JSON")', "    return word"),
    ("json_text", "json_text", "    if _depth(text) > MAX_DEPTH:", "    if False:"),
    ("json_text", "json_text", '_STRING.sub("", text)', "text"),
    ("json_text", "json_text", 'raw.decode("utf-8")', 'raw.decode("utf-8", "replace")'),
    ("json_text", "json_text", "        if any(isinstance(item, str) and not _is_text(item) for item in value):",
     "        if False:"),
    # a call becomes another gateway's
    ("translate_refusals", "translate/draft", "        for name in sorted(self._params):", "        for name in ():"),
    ("translate_refusals", "translate/draft", "            if name in self.context.ignore:", "            if True:"),
    ("translate_refusals", "translate/draft", "        for name in _SPLIT:", "        for name in ():"),
    ("translate_refusals", "translate/draft", "        if home is None and writes:", "        if False:"),
    ("translate_refusals", "translate/draft", "        elif home not in (None, self.target):", "        elif False:"),
    ("translate_refusals", "translate/draft", "        if self.context.home not in (None, self.target):",
     "        if False:"),
    ("translate_refusals", "translate/draft", "_luhn(found) for found", "False for found"),
    ("translate_refusals", "translate/merchants", "        if seller is not None and seller != draft.partner:",
     "        if False:"),
    ("translate_refusals", "translate/prices", "    if (rmb is None) == (total is None):",
     "    if rmb is None and total is None:"),
    ("translate_ams_payments", "translate/expiry", "    if moment <= now:", "    if False:"),
    ("translate_ams_payments", "translate/expiry", "        if not draft.context.clamp_expiry:", "        if False:"),
    ("translate_openapi", "translate/expiry", "    if not _SMALLEST <= seconds <= _LONGEST:",
     "    if not seconds:"),
    ("translate_ams_orders", "translate/order_numbers",
     "    if trade_no is not None and draft.context.home == draft.target:", "    if trade_no is not None:"),
    ("translate_ams_orders", "translate/ams_order",
     "    if context.order_currency is not None and currency and currency != context.order_currency:",
     "    if False:"),
    ("translate_ams_orders", "translate/ams_order",
     "    if payment_id is not None and context.order_currency is not None:", "    if payment_id is not None:"),
    ("translate_ams_orders", "translate/ams_order", '("PROCESSING", "PENDING")',
     '("PROCESSING", "PENDING", "SUCCESS")'),
    ("translate_ams_orders", "translate/result", "            if _at(answer, check.path) not in check.allowed:",
     "            if False:"),
    ("translate_ams_orders", "translate/ams_registration", "    if not context.first_registration:", "    if False:"),
    ("translate_openapi", "translate/openapi_pay", '    if price.currency != "CNY":', "    if False:"),
    ("translate_openapi", "translate/openapi_pay",
     '    elif price.settlement != "CNY" and not draft.context.settles_in_cny:', "    elif False:"),
    ("translate_openapi", "translate/openapi_order", '    elif currency not in (None, "CNY"):', "    elif False:"),
    # what another gateway says, in MAPI's words
    ("reading_facts", "reading/facts", '        return "PENDING"        # its',
     '        return "SUCCESS"        # its'),
    ("reading_facts", "reading/facts", "    if not message.signed:", "    if False:"),
    ("reading_facts", "reading/facts", "        check_amount(fields, order, in_cny)\n", ""),
    ("reading_facts", "reading/facts", '        if fields.pop("currency") != "CNY":',
     '        if not fields.pop("currency"):'),
    ("reading_facts", "reading/facts", "    if told.neutral == statuses.CANCELLED and", "    if False and"),
    ("reading_facts", "reading/transactions", ' if word == "SUCCESS"}', "}"),
    ("reading_facts", "reading/transactions", '        if currency not in (None, amount["currency"]):',
     "        if False:"),
    ("reading_facts", "reading/facts", "    if told.native == FAILED:", "    if False:"),
    ("reading_facts", "reading/facts", '"wholly" if back >= Decimal(', '"wholly" if back > Decimal('),
    ("reading_facts", "reading/facts", 'told.native, _digest(fields))', "told.native)"),
    ("reading_facts", "reading/facts", '    if amount["currency"] != priced_in:', "    if False:"),
    ("reading_tables", "reading/statuses", "        online = service in ONLINE and not", "        online = not"),
    ("reading_tables", "reading/codes", 'return None if back_end == "ams" and unknown else row.neutral',
     "return row.neutral"),
    ("migration_results", "mapi_results", "    if error in _REPEATED:", "    if False:"),
    ("migration_results", "openapi/results", 'sub_code == "ACQ.SYSTEM_ERROR" or ', ""),
    ("migration_results", "openapi/results", 'done = answer.get("fund_change") == "Y"', "done = True"),
    # the client
    ("ams_client", "backends/ams_client", '            if writes and getattr(fault, "sent", True):',
     "            if False:", "            if writes or attempt == self._retries",
     "            if attempt == self._retries"),
    ("ams_client", "backends/ams_client", "        if answer.status != 200:", "        if False:"),
    ("ams_client", "backends/ams_client", "answer.headers, answer.body, asked=content)",
     "answer.headers, answer.body)"),
    ("ams_client", "backends/ams_client",
     '            if writes:\n                raise _outcome_unknown(call, content, "its',
     '            if False:\n                raise _outcome_unknown(call, content, "its'),
    ("ams_client", "backends/ams_client",
     "        if writes and found.verdict == UNKNOWN and found.state not in _RUNNING:", "        if False:"),
    ("ams_client", "backends/ams_client", "        if not checked.signed:", "        if False:"),
    ("ams_client", "backends/ams_client", "self.account.checking_keys, ", ""),
]

#: The calls of older libraries.
_COMPAT = [
    ("lxneng", "values", '        if value is None or value == "" and isinstance(value, str):',
     "        if value is None:"),
    ("lxneng", "values", "    if _AMOUNT.fullmatch(text) is None:", "    if False:"),
    ("lxneng", "lxneng/gateway", "        if problem is not None:\n            if self._was_taken_before(kw):",
     "        if False:\n            if self._was_taken_before(kw):"),
    ("lxneng", "decoded", "        if isinstance(value, (list, tuple)) and len(value) == 1:",
     "        if isinstance(value, (list, tuple)):"),
    ("lxneng", "decoded", "        shop = _with_its_seller(shop, params)\n", ""),
    ("wap", "lxneng/wap", '"<{0}>{1}</{0}>".format(name, escape(text))', '"<{0}>{1}</{0}>".format(name, text)'),
    ("wap", "lxneng/wap", "            _check_notified(self._shop, params)\n", ""),
    ("wap", "lxneng/wap", "    if not fits:", "    if False:"),
    ("fengli", "fengli", "    if problem is not None:\n        if decoded", "    if False:\n        if decoded"),
    ("odoo", "odoo", "    if problem is not None:\n        raise problem", "    if False:\n        raise problem"),
    ("shadow", "shadow", "        except Exception as err:\n            # The text",
     "        except OSError as err:\n            # The text"),
    ("shadow", "shadow",
     "    def _question(self, name, args, kw, result, error):\n        if self._reads:",
     "    def _question(self, name, args, kw, result, error):\n        if True:"),
    ("shadow", "comparing", "    if name in _DOCUMENTS or _SECRET.search(name)", "    if _SECRET.search(name)"),
]


def _rows(folder, test, rows):
    return [(test.format(name), "{}/{}.py".format(folder, module)) + tuple(edits) for name, module, *edits in rows]


MUTANTS = (_rows("migration/ams", "migration/test_{}.py", _AMS) + _rows("migration", "migration/test_{}.py", _MIGRATION)
           + _rows("compat", "compat/test_compat_{}.py", _COMPAT))
