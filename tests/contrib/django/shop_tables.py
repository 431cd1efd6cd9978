"""A shop's own table."""
from django.db import models


class Sale(models.Model):
    number = models.CharField(max_length=64, primary_key=True)

    class Meta:
        app_label = "sales"
