from django.db import models


class Order(models.Model):
    """What the tasks' tests write."""

    name = models.CharField(max_length=40)
