"""What the ledger remembers of AMS. Whatever else a row has stands in ``data``, as in the other tables."""


def _due(table):
    return "CREATE INDEX {0}_due ON {0} (due_at) WHERE due_at IS NOT NULL".format(table)


AMS_TABLES = (
    "CREATE TABLE ams_clients (id INTEGER PRIMARY KEY, client_id TEXT UNIQUE NOT NULL, data TEXT NOT NULL)",
    "CREATE TABLE ams_payments (id INTEGER PRIMARY KEY, client_id TEXT NOT NULL, payment_request_id TEXT NOT NULL, "
    "payment_id TEXT UNIQUE NOT NULL, payment_status TEXT NOT NULL, due_at TEXT, changed_at TEXT NOT NULL, "
    "data TEXT NOT NULL, UNIQUE (client_id, payment_request_id))",
    "CREATE INDEX ams_payments_order ON ams_payments (payment_request_id)",
    "CREATE TABLE ams_captures (id INTEGER PRIMARY KEY, client_id TEXT NOT NULL, capture_request_id TEXT NOT NULL, "
    "capture_id TEXT UNIQUE NOT NULL, payment_id TEXT NOT NULL, capture_status TEXT NOT NULL, due_at TEXT, "
    "data TEXT NOT NULL, UNIQUE (client_id, capture_request_id))",
    "CREATE TABLE ams_refunds (id INTEGER PRIMARY KEY, client_id TEXT NOT NULL, refund_request_id TEXT NOT NULL, "
    "refund_id TEXT UNIQUE NOT NULL, payment_id TEXT NOT NULL, refund_status TEXT NOT NULL, due_at TEXT, "
    "data TEXT NOT NULL, UNIQUE (client_id, refund_request_id))",
    "CREATE TABLE ams_registrations (id INTEGER PRIMARY KEY, client_id TEXT NOT NULL, "
    "registration_request_id TEXT NOT NULL, reference_merchant_id TEXT NOT NULL, registration_status TEXT NOT NULL, "
    "due_at TEXT, data TEXT NOT NULL, UNIQUE (client_id, registration_request_id))",
    "CREATE TABLE ams_cards (id INTEGER PRIMARY KEY, client_id TEXT NOT NULL, card_token TEXT NOT NULL, "
    "data TEXT NOT NULL, UNIQUE (client_id, card_token))",
    "CREATE INDEX ams_captures_payment ON ams_captures (client_id, payment_id)",
    "CREATE INDEX ams_refunds_payment ON ams_refunds (client_id, payment_id)",
    _due("ams_payments"), _due("ams_captures"), _due("ams_refunds"), _due("ams_registrations"),
)
#: What a reset forgets; the clients and their keys stay.
AMS_ROWS = ("ams_payments", "ams_captures", "ams_refunds", "ams_registrations", "ams_cards")
