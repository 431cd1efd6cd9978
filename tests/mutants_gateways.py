"""Mutants of a shop on two gateways: back ends, router, shadow, what comes in, logged messages, and the emulator's AMS.
Rows for ``mutants.py``.

Each row: (a test file, or one test of it; module; source text; what stands there instead[, source text, instead …]).
"""
_MIGRATION = [
    # an order's home
    ("router", "router", "            return gateway\n        except WatchConflict:\n            home =",
     "            return gateway\n        except WatchConflict:\n            return gateway\n            home ="),
    ("router", "router",
     "        return self._backend(self.place(order, service, params, timeout)).pay(service, params)",
     "        home = self.home_of(order.out_trade_no) or self._chosen(order, service, params)\n"
     "        page = self._backend(home).pay(service, params)\n"
     "        self.place(order, service, params, timeout)\n        return page"),
    ("router", "router", "        home = self.home_of(out_trade_no)\n        if home is None:\n            raise Unknown",
     "        home = self.home_of(out_trade_no) or MAPI\n        if home is None:\n            raise Unknown"),
    ("router", "router", "            self.backends[home].payment_content(service, params)\n", ""),
    ("router", "router", "        if order.out_trade_no not in (params", "        if False and order.out_trade_no not in (params"),
    ("router", "router", "                    problem = problem or err", "                    pass"),
    ("router", "router", "        if home is not None:\n            return self._backend(home).query(order)",
     "        if False:\n            return self._backend(home).query(order)"),
    ("router", "router", "        if home not in self.backends:",
     "        home = home if home in self.backends else MAPI\n        if home not in self.backends:"),
    ("router", "router", 'order.out_trade_no.encode("utf-8", "surrogatepass")',
     '(order.out_trade_no + str(percents)).encode("utf-8", "surrogatepass")'),
    ("router", "router", "        if self._otherwise not in (None, chosen) and", "        if False and"),
    ("router", "router", "        if chosen not in self.backends:", "        if False:"),
    # what comes in
    ("receiving", "receiving", "    backend: Any = backends.get(gateway)",
     "    backend: Any = backends.get(gateway) or next(iter(backends.values()))"),
    ("receiving", "receiving", "order_of_refund: OrderOf, strict: bool = True)", "order_of_refund: OrderOf, strict: bool = False)"),
    ("receiving", "receiving", "    form_body.check_size(body)\n", ""),
    ("receiving", "receiving", "    return ack_not_taken() if", "    return ack_taken() if"),
    # one answers, the other is watched
    ("shadow_gateways", "shadow", "        self.primary.send_refund(order, out_return_no, amount, gmt_return, reason)",
     "        for one in (self.primary, self.other):\n"
     "            one.send_refund(order, out_return_no, amount, gmt_return, reason)"),
    ("shadow_gateways", "shadow", "lambda backend: backend.payment_content(service, params))",
     "lambda backend: backend.pay(service, params) and backend.payment_content(service, params))"),
    ("shadow_gateways", "shadow", "            if self._is_back:\n                return\n", ""),
    ("shadow_gateways", "shadow", "            finally:\n                room.give_back()", "            finally:\n                pass"),
    ("shadow_gateways", "shadow", " and self._room.acquire(blocking=False):", ":"),
    ("shadow_gateways", "shadow", "        except Exception as err:    # no thread",
     "        except ConfigurationError as err:    # no thread"),
    ("shadow_gateways", "shadow", "        except Exception as err:\n            self._failed(call, number, err)\n\n    def _built",
     "        except AlipayError as err:\n            self._failed(call, number, err)\n\n    def _built"),
    ("shadow_gateways", "shadow", "        except Exception as err:\n            self._failed(call, number, err)\n\n    def _tell",
     "        except AlipayError as err:\n            self._failed(call, number, err)\n\n    def _tell"),
    ("shadow_gateways", "shadow", 'if not name.endswith("_url") and name not in (', 'if name or name not in ('),
    # AMS behind the contract
    ("backends_contract", "backends/ams", 'if getattr(error, "signed", True) else ""', ""),
    ("backends_contract", "backends/ams", 'to_mapi(AMS, native, "F", service) if signed else "AMS." + native',
     'to_mapi(AMS, native, "F", service)'),
    ("backends_contract", "backends/ams", 'kind="other", sent=False)', 'kind="other", sent=True)'),
    ("backends_contract", "backends/ams", "            problem = err\n        except GatewayError as err:\n            problem = err\n        if",
     "            raise\n        except GatewayError as err:\n            problem = err\n        if"),
    ("backends_contract", "backends/ams", "            trade_facts(answer, order, SERVICE)    # another", "            pass    # another"),
    ("backends_contract", "backends/ams", "        code = _signed_code(problem)\n", "        code = problem.code\n"),
    ("backends_contract", "backends/ams", "        if not url:", "        if False:"),
    ("backends_contract", "backends/ams", '        if reply.outcome.state == "paid":', "        if False:"),
    ("backends_contract", "backends/ams", "trade_facts(reply.answer, order, SERVICE, strict=False)",
     "trade_facts(reply.answer, order, SERVICE)"),
    # when MAPI can be switched off
    ("migration_plan", "plan", "in (OPEN, PAID, UNDECIDED) and", "in (OPEN, PAID) and"),
    ("migration_plan", "plan", "_later(needed.settle_until, needed.refund_until))", "needed.settle_until)"),
    ("migration_plan", "plan", "max(order.settled_by, self.now)", "order.settled_by"),
    ("migration_plan", "plan", "one.refunds or one.why)]", "one.refunds)]"),
    ("migration_plan", "plan", "        if order.gateway == MAPI:", "        if True:"),
    # what of a log may be shown
    ("logged_showing", "logged/showing", "    if _SECRET.search(name):", "    if False:"),
    ("logged_showing", "logged/showing", "    if name in PERSONAL:", "    if False:"),
    ("logged_showing", "logged/showing", "    if name in _STRUCTURES:", "    if False:"),
    ("logged_showing", "logged/showing", " or name not in NAMES and name not in _ALSO_KNOWN:", ":"),
    ("logged_showing", "logged/showing", "        return show(without_query(value), LONGEST)", "        return show(value, LONGEST)"),
    ("logged_showing", "logged/showing", '    if colon and at and "/" not in login:', "    if False:"),
    ("logged_showing", "logged/showing", "_MAIL.sub(lambda found: mask(found.group()), value)", "value"),
    ("logged_showing", "logged/showing", "    if not _NUMBERS.search(name):", "    if False:"),
    ("logged_showing", "logged/showing", "        if value == content and len(value) > 5:", "        if False:"),
    ("logged_showing", "logged/showing", 'without_query(content) if "://" in content else content', "content"),
    ("logged_showing", "logged/showing", "    if inner or params.get(parameter) == content:", "    if params.get(parameter) == content:"),
    ("logged_tally", "logged/explaining", "Field(show(name), showing.shown(name, value), to,", "Field(show(name), value, to,"),
    ("logged_tally", "logged/explaining", "Field(name, showing.shown(name, message.params[name]), (), (", "Field(name, message.params[name], (), ("),
    ("logged_tally", "logged/explaining", "Field(name, showing.shown(name, message.params[name])) for", "Field(name, message.params[name]) for"),
    ("logged_tally", "logged/explaining", "    return _masked(found, moved.step, params, moved.path, value)", "    return value"),
    ("logged_tally", "logged/explaining", '"content": _masked(found, number, params, "", step.content)', '"content": dict(step.content)'),
    ("logged_tally", "logged/tally", "        elif len(self.groups) < MOST:", "        elif True:"),
    ("logged_tally", "logged/explaining", "message.service in _NEW else wanted.home or target", "message.service in _NEW else target"),
]

_REST = [
    # the contract, and who is a gateway
    ("migration/test_backends_contract.py", "backend.py", "html.escape(value))", "value)"),
    ("migration/test_backends_contract.py", "backend.py", '    if row is None or row.answer != "page":', "    if row is None:"),
    ("migration/test_backends_contract.py", "backend.py", " or one.name != name:", ":"),
    ("migration/test_backends_contract.py", "backend.py", "self.gateway, show(self.out_trade_no))", "self.gateway, self.url)"),
    # AMS's notifications beside MAPI's
    ("contrib/web/test_from_ams.py", "contrib/web/from_ams.py", "account, prefix + target,", "account, target,"),
    ("contrib/web/test_from_ams.py", "contrib/web/from_ams.py", '    if not hasattr(account, "notification"):', "    if False:"),
    ("contrib/web/test_from_ams.py", "contrib/web/from_ams.py", "    if message.kind == notifications.REFUND and not takes_others:", "    if False:"),
    ("contrib/web/test_from_ams.py", "contrib/web/from_ams.py", "    gateway_of(headers, body)", "    pass"),
    ("contrib/web/test_from_ams.py", "contrib/web/callbacks.py", "strict=self._taking.order_source(shop) is not None)", "strict=False)"),
    ("contrib/web/test_from_ams.py", "contrib/web/callbacks.py", "self._taking.take(shop, note, keep, AMS))", "self._taking.take(shop, note, keep))"),
    ("contrib/web/test_from_ams.py", "contrib/web/callbacks.py", "        if of_ams:\n", "        if False:\n"),
    ("contrib/web/test_from_ams.py", "contrib/web/answers.py", "ack_not_taken() if isinstance(problem, SIGNED) else ack_for(problem)", "ack_for(problem)"),
    ("contrib/web/test_from_ams.py", "contrib/web/taking.py", "order_of_refund(shop, out_return_no, AMS)", "order_of_refund(shop, out_return_no)"),
    ("contrib/web/test_web_gateways.py", "contrib/web/gateways.py", "        if gateway == AMS and back is not None:", "        if False:"),
    ("contrib/web/test_web_gateways.py", "contrib/web/gateways.py", "            if name not in self.names:", "            if False:"),
    ("contrib/web/test_web_gateways.py", "contrib/web/gateways.py", "StoreHomes(self.fallback(), name),\n                                                           rule))", "StoreHomes(self.fallback(), name)))"),
    ("contrib/web/test_web_gateways.py", "contrib/web/configured.py", "        prefix = urlsplit(self.site_url).path.rstrip(\"/\") if self.accounts else \"\"", "        prefix = \"\""),
    # the fallback asks the order's own gateway
    ("fallback/test_gateways.py", "fallback/asking.py", "    backend = backends.get(row.gateway)", "    backend = backends.get(row.gateway) or next(iter(backends.values()))"),
    ("fallback/test_gateways.py", "fallback/changes.py", "    if gateway != stored.gateway:", "    if False:"),
    ("fallback/test_changes.py", "fallback/changes.py", "    new = () if effect in state.done else (effect,)", "    new = (effect,)"),
    ("fallback/test_gateways.py", "fallback/query_fallback.py", "not (gateway != MAPI and isinstance(note, Response))", "not isinstance(note, Response)"),
    ("fallback/test_gateways.py", "fallback/query_fallback.py", "        if gateway is not None and gateway not in backends:", "        if False:"),
    ("fallback/test_gateways.py", "fallback/query_fallback.py", "row, note, now, self.schedule, gateway))", "row, note, now, self.schedule, row.gateway))"),
    # a refund's number names one order, or none
    ("fallback/test_store_refunds.py", "fallback/stores/refund_search.py", '        text = text.replace(special, "!" + special)', "        pass"),
    ("fallback/test_store_refunds.py", "fallback/stores/refund_search.py", " and _has(row, out_return_no)]", "]"),
    ("fallback/test_store_refunds.py", "fallback/stores/refund_search.py", "rows[0] if len(rows) == 1 else", "rows[0] if rows else"),
    ("fallback/test_store_refunds.py", "fallback/stores/refund_search.py", "if gateway in (None, row.gateway) and", "if"),
]

_EMULATOR = [
    ("gateway", "gateway", "        if not algorithms.verify(", "        if False and not algorithms.verify("),
    ("gateway", "gateway", "        if client.sandbox != sandbox and not (", "        if False and not ("),
    ("gateway", "gateway", "            known = self._addressed(", "            client = known = self._addressed("),
    ("gateway", "gateway", "        if signature.version not in (None, KEY_VERSION):", "        if False:"),
    ("gateway", "gateway", "            outcome = outcome._replace(content=without_cards(content))", "            outcome = outcome._replace(content=content)"),
    ("gateway", "incoming", "import unquote_plus", "import unquote as unquote_plus"),
    ("gateway", "incoming", "        if name in found:\n            raise _Twice", "        if False:\n            raise _Twice"),
    ("pay", "handlers/pay", '        elif row["key"] != order.key:', "        elif False:"),
    ("pay", "handlers/pay", "    if moment - now > longest:", "    if False:"),
    ("pay", "payments", '                over = now > _cancel_end(parse_time(row["created_at"]))', "                over = False"),
    ("pay", "payments", "            if row[\"payment_status\"] == CANCELLED:\n                return row\n", ""),
    ("pay", "payments", ' and row["planned_at"] < row["expires_at"]:', ":"),
    ("cards", "payments", '                over = row["captured"] or row["capturing"] or', "                over ="),
    ("cards", "captures", '        if done + amount.value > payment["amount"]:', "        if False:"),
    ("refunds", "refunds", '        if payment["refunded"] + amount.value > taken:', "        if False:"),
    ("refunds", "refunds", '                if (known["payment_id"]', '                if False and (known["payment_id"]'),
    ("refunds", "refunds", "                return known\n", "                return self._carry_out(known, text(now))\n"),
    ("refunds", "refunds", '            self.ledger.change("ams_payments", payment, refunded=payment["refunded"] + amount.value)', "            pass"),
    ("refunds", "refunds", '            self.ledger.change("ams_payments", payment, refunded=payment["refunded"] - row["amount"])', "            pass"),
    ("notices", "notices", 'return status == 200 and said', "return said"),
    ("notices", "notices", ' and said["result"]["resultStatus"] == "S"', ' and bool(said["result"])'),
    ("notices", "notices", '        if event == "failed" and row["product"] == "IN_STORE_PAYMENT":', "        if False:"),
    ("notices", "notices", '        return not self.clients.of(row["partner"]).sandbox', "        return True"),
    ("notices", "broken", "        key = client.other_key(", "        client.other_key("),
    ("faults", "answer_faults", "        return reply._replace(headers=())", "        return reply"),
    ("faults", "answer_faults", '        key = client.other_key("forger")', "        pass"),
    ("registration", "registrations", 'row["registration_status"] == COMPLETED for', 'row["registration_status"] for'),
]


def _rows(folder, test, rows):
    return [(test.format(name), "{}/{}.py".format(folder, module)) + tuple(edits) for name, module, *edits in rows]


MUTANTS = (_rows("migration", "migration/test_{}.py", _MIGRATION) + _REST
           + _rows("emulator/ams", "emulator/test_emu_ams_{}.py", _EMULATOR))
