"""What the migrations do that models cannot say, for each kind of database; ``sqlmigrate`` shows it as well."""
import sqlite3

from django.db import migrations
from django.db.migrations.operations.base import Operation


class ForVendor(Operation):
    """SQL of one kind of database. ``statements``: vendor → a list of them. ``back``: the same, for the way back."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, statements, back=None):
        self.statements, self.back = statements, back or {}

    def state_forwards(self, app_label, state):
        """The models know nothing of it."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if self.allow_migrate_model(schema_editor.connection.alias, to_state.apps.get_model(app_label, "Trade")):
            _execute(schema_editor, self.statements)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        # What is not named goes with the tables.
        if self.allow_migrate_model(schema_editor.connection.alias, from_state.apps.get_model(app_label, "Trade")):
            _execute(schema_editor, self.back)

    def describe(self):
        return "What the models cannot say about the tables"


class AddColumn(migrations.AddField):
    """A field by statements of ours. Django's own take the default away again, so that a process that still runs the
    version before could add no row; and on SQLite they copy the table, without its partial indexes."""

    def __init__(self, model_name, name, field, statements):
        super().__init__(model_name, name, field)
        self.statements = statements

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            _execute(schema_editor, self.statements)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        model = from_state.apps.get_model(app_label, self.model_name)
        if schema_editor.connection.vendor != "sqlite" or sqlite3.sqlite_version_info < (3, 35):
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        elif self.allow_migrate_model(schema_editor.connection.alias, model):
            schema_editor.execute("ALTER TABLE {} DROP COLUMN {}".format(model._meta.db_table, self.name))


def _execute(schema_editor, statements):
    for statement in statements.get(schema_editor.connection.vendor, ()):
        schema_editor.execute(statement)
