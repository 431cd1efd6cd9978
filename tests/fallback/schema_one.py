"""A store as the versions before gateways made it: the statements of schema 1, written out, and rows of every state."""
SQLITE = (
    "CREATE TABLE mapi_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE mapi_orders (id INTEGER PRIMARY KEY AUTOINCREMENT, shop TEXT NOT NULL, out_trade_no TEXT NOT NULL, "
    "price TEXT NOT NULL, facts TEXT NOT NULL DEFAULT '', refunds TEXT NOT NULL DEFAULT '', "
    "outcome TEXT NOT NULL DEFAULT 'open', watched_at REAL NOT NULL, deadline REAL NOT NULL, due_at REAL, "
    "asked_at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, last_error TEXT NOT NULL DEFAULT '', "
    "lease TEXT NOT NULL DEFAULT '', lease_until REAL NOT NULL DEFAULT 0, UNIQUE (shop, out_trade_no))",
    "CREATE INDEX mapi_orders_due ON mapi_orders (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX mapi_orders_outcome ON mapi_orders (outcome)",
    "CREATE INDEX mapi_orders_error ON mapi_orders (asked_at) WHERE last_error <> ''",
    "CREATE TABLE mapi_effects (id INTEGER PRIMARY KEY AUTOINCREMENT, "
    "order_id INTEGER NOT NULL REFERENCES mapi_orders (id), "
    "effect_key TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL, made_at REAL NOT NULL, "
    "given_at REAL NOT NULL, due_at REAL, done_at REAL, attempts INTEGER NOT NULL DEFAULT 0, "
    "lease TEXT NOT NULL DEFAULT '', last_error TEXT NOT NULL DEFAULT '', UNIQUE (order_id, effect_key))",
    "CREATE INDEX mapi_effects_due ON mapi_effects (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX mapi_effects_error ON mapi_effects (given_at) WHERE last_error <> ''",
    "CREATE TABLE mapi_moments (name TEXT PRIMARY KEY, moment REAL NOT NULL)",
)

# Of SQLAlchemy's: {number}, {more}, {time}, {long}, {table} and the indexes' ends differ by database.
_SQL = (
    "CREATE TABLE mapi_meta (name VARCHAR(40) NOT NULL, value VARCHAR(200) NOT NULL, PRIMARY KEY (name)){table}",
    "CREATE TABLE mapi_orders (id {serial} NOT NULL{more}, shop VARCHAR(40) NOT NULL, "
    "out_trade_no VARCHAR(64) NOT NULL, price VARCHAR(60) NOT NULL, facts {long} NOT NULL, "
    "refunds {long} NOT NULL, outcome VARCHAR(20) NOT NULL, "
    "watched_at {time} NOT NULL, deadline {time} NOT NULL, due_at {time}, asked_at {time} NOT NULL, "
    "attempts INTEGER NOT NULL, last_error VARCHAR(400) NOT NULL, lease VARCHAR(80) NOT NULL, "
    "lease_until {time} NOT NULL, PRIMARY KEY (id), CONSTRAINT mapi_orders_number UNIQUE (shop, out_trade_no)){table}",
    "CREATE INDEX mapi_orders_outcome ON mapi_orders (outcome, id)",
    "CREATE INDEX mapi_orders_due ON mapi_orders (due_at, id){due}",
    "CREATE INDEX mapi_orders_error ON mapi_orders ({order_error}",
    "CREATE TABLE mapi_moments (name VARCHAR(60) NOT NULL, moment {time} NOT NULL, PRIMARY KEY (name)){table}",
    "CREATE TABLE mapi_effects (id {serial} NOT NULL{more}, order_id {number} NOT NULL, "
    "effect_key VARCHAR(190) NOT NULL, kind VARCHAR(20) NOT NULL, detail TEXT NOT NULL, "
    "made_at {time} NOT NULL, given_at {time} NOT NULL, "
    "due_at {time}, done_at {time}, attempts INTEGER NOT NULL, lease VARCHAR(80) NOT NULL, "
    "last_error VARCHAR(400) NOT NULL, PRIMARY KEY (id), CONSTRAINT mapi_effects_key UNIQUE (order_id, effect_key), "
    "FOREIGN KEY(order_id) REFERENCES mapi_orders (id)){table}",
    "CREATE INDEX mapi_effects_due ON mapi_effects (due_at, id){due}",
    "CREATE INDEX mapi_effects_error ON mapi_effects ({effect_error}",
)
_PARTIAL = {"due": " WHERE due_at IS NOT NULL", "order_error": "asked_at) WHERE last_error <> ''",
            "effect_error": "given_at) WHERE last_error <> ''"}
_WORDS = {
    "postgresql": dict(_PARTIAL, serial="BIGSERIAL", more="", number="BIGINT", time="FLOAT(53)", long="TEXT", table=""),
    "sqlalchemy-sqlite": dict(_PARTIAL, serial="INTEGER", more="", number="INTEGER", time="FLOAT", long="TEXT",
                              table=""),
    "mariadb": {"serial": "BIGINT", "more": " AUTO_INCREMENT", "number": "BIGINT", "time": "FLOAT(53)",
                "long": "MEDIUMTEXT", "table": "CHARSET=utf8mb4 ENGINE=InnoDB COLLATE utf8mb4_bin", "due": "",
                "order_error": "last_error(1))", "effect_error": "last_error(1))"},
}

#: Each of its moments has all the digits that a double has.
T = 1700000000.123457
FACTS = '{"paid_trades":["2026010122001400000000000001"],"seen":[["n1","\\u8336"]],"done":[["paid",""]]}'
REFUNDS = '[["R1","3.00","20260301120000","\\u5c3a\\u7801",1700000000.5,"accepted","0.00",2,""],["R2","1.00",' \
          '"20260301120000","",1700000001.5,"asked","",0,""]]'
ORDERS = [
    (1, "shop", "A1", "10.00||USD", "", "", "open", T - 1, T + 43200, T + 30, T - 1, 0, "", "", 0.0),
    (2, "shop", "A2", "10||USD", FACTS, REFUNDS, "paid", T - 9.000001, T + 1800, T + 59.999, T, 3, "", "w#1", T + 60),
    (3, "shop", "a2", "|0.01|EUR", FACTS, "", "paid", T - 1e6, T - 9e5, None, T - 8e5, 1, "", "", 0.0),
    (4, "tokyo", "A1", "8||", "", "", "gave_up", T - 1e6, T - 9e5, None, T - 8e5, 25, "TransportError: \u9000\u6b3e",
     "", 0.0),
    (5, "tokyo", "A2", "8||", '{"waiting":["1"]}', "", "expired", T - 1e6, T - 9e5, None, T - 8e5, 12, "", "", 0.0),
    (9, "shop", "A9", "10.00||JPY", "", "", "needs_a_person", 1e9 / 3, 2e9 / 3, None, 1e9 / 7, 2, "x", "", 0.0),
]
EFFECTS = [
    (1, 2, "shop:paid::A2", "paid", "", T - 5, T - 5, None, T - 4.9, 1, "", ""),
    (2, 2, "shop:concern:x:A2", "concern", "x", T - 5, T - 3, T + 900, None, 4, "w#2", "ValueError \u8336"),
    (7, 3, "shop:paid::a2", "paid", "", T - 8e5, T - 8e5, T - 8e5, None, 0, "", ""),
]
MOMENTS = [("clock", T - 2), ("rate query 2088", T + 0.05)]
ROWS = {"mapi_meta": [("schema", "1")], "mapi_orders": ORDERS, "mapi_effects": EFFECTS, "mapi_moments": MOMENTS}


def make(place):
    """The tables and their rows, with the driver alone; nothing of the package is called."""
    if place.kind == "sqlite":
        import sqlite3
        db = sqlite3.connect(place.where)
        for statement in SQLITE:
            db.execute(statement)
        for table, rows in ROWS.items():
            db.executemany("INSERT INTO {} VALUES ({})".format(table, ", ".join("?" * len(rows[0]))), rows)
        db.commit()
        db.close()
        return
    import sqlalchemy
    engine = sqlalchemy.create_engine(place.where)
    with engine.begin() as db:
        for statement in _SQL:
            db.exec_driver_sql(statement.format(**_WORDS[place.kind]))
        for table, rows in ROWS.items():
            names = ["c{}".format(at) for at in range(len(rows[0]))]
            db.execute(sqlalchemy.text("INSERT INTO {} VALUES (:{})".format(table, ", :".join(names))),
                       [dict(zip(names, row)) for row in rows])
        if place.kind == "postgresql":
            for table in ("mapi_orders", "mapi_effects"):
                db.exec_driver_sql("SELECT setval('{0}_id_seq', (SELECT max(id) FROM {0}))".format(table))
    engine.dispose()


def kept(place, store=None):
    """Every row of every table, by the driver, without what schema 2 adds."""
    found = {}
    for table, rows in ROWS.items():
        found[table] = [row[:len(rows[0])] for row in place.execute(store, "SELECT * FROM {} ORDER BY {}".format(
            table, 1))]
    return found


def shape(place, store=None):
    """The columns and indexes of the orders' table, as the database tells them."""
    if place.kind == "mariadb":
        text = place.execute(store, "SHOW CREATE TABLE mapi_orders")[0][1]
        return sorted(line.strip().rstrip(",") for line in text.splitlines() if not line.startswith(")"))
    if place.kind == "postgresql":
        return (place.execute(store, "SELECT ordinal_position, column_name, data_type, character_maximum_length, "
                                     "is_nullable, column_default FROM information_schema.columns "
                                     "WHERE table_name = 'mapi_orders' AND table_schema = 'public' ORDER BY 1"),
                place.execute(store, "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'mapi_orders' "
                                     "AND schemaname = 'public' ORDER BY 1"))
    return (place.execute(store, "PRAGMA table_info(mapi_orders)"),
            place.execute(store, "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name"))
