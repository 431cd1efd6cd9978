from django.db import migrations, models

import shop.models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(name="Order", fields=[
            ("number", models.CharField(default=shop.models.new_number, max_length=32, primary_key=True,
                                        serialize=False)),
            ("price", models.DecimalField(decimal_places=2, max_digits=9)),
            ("currency", models.CharField(max_length=3)),
            ("state", models.CharField(default="new", max_length=20)),
        ]),
    ]
