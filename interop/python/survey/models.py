"""The models of interop/profile.ts, as a Django application declares them."""
from django.contrib.auth.models import AbstractUser
from django.db import models
from morango.models.core import SyncableModel
from morango.models.fields.uuids import UUIDField

PROFILE = "survey"
OWN_ID = "${id}"


class Account(AbstractUser):
    """Who may sign certificates. Does not sync."""

    def has_morango_certificate_scope_permission(self, scope_definition_id, scope_params):
        return self.is_superuser


class Syncable(SyncableModel):
    morango_profile = PROFILE

    dataset_id = UUIDField(default="")

    class Meta:
        abstract = True


class Region(Syncable):
    """Refers to itself; its source id comes from a field."""

    morango_model_name = "region"

    code = models.CharField(max_length=40, default="", blank=True)
    name = models.CharField(max_length=200, default="", blank=True)
    parent = models.ForeignKey("self", null=True, related_name="children", on_delete=models.CASCADE, blank=True)

    class Meta:
        db_table = "region"

    def calculate_source_id(self):
        return self.code

    def calculate_partition(self):
        return "{}:shared".format(self.dataset_id)


class Person(Syncable):
    """Its id is its source id, and it is a partition of its own."""

    morango_model_name = "person"

    name = models.CharField(max_length=200, default="", blank=True)
    active = models.BooleanField(default=True, blank=True)
    home = models.ForeignKey(Region, null=True, on_delete=models.SET_NULL, blank=True)

    class Meta:
        db_table = "person"

    def calculate_source_id(self):
        return None

    def calculate_partition(self):
        return "{}:user:{}".format(self.dataset_id, OWN_ID)

    @staticmethod
    def compute_namespaced_id(partition_value, source_id_value, model_name):
        return source_id_value


class Visit(Syncable):
    """A random source id, and two foreign keys."""

    morango_model_name = "visit"

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    region = models.ForeignKey(Region, on_delete=models.CASCADE)
    note = models.TextField(default="", blank=True)

    class Meta:
        db_table = "visit"

    def calculate_source_id(self):
        return None

    def calculate_partition(self):
        return "{}:user:{}".format(self.dataset_id, self.person_id)


class Sample(Syncable):
    """A column of every type."""

    morango_model_name = "sample"

    label = models.CharField(max_length=60, default="", blank=True)
    text = models.TextField(default="", blank=True)
    flag = models.BooleanField(default=False, blank=True)
    maybe = models.BooleanField(null=True, blank=True)
    small = models.IntegerField(default=0, blank=True)
    big = models.BigIntegerField(null=True, blank=True)
    ratio = models.FloatField(null=True, blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    happened_at = models.DateTimeField(null=True, blank=True)
    day = models.DateField(null=True, blank=True)
    at_time = models.TimeField(null=True, blank=True)
    length = models.DurationField(null=True, blank=True)
    token = models.UUIDField(null=True, blank=True)
    payload = models.JSONField(null=True, blank=True)
    json_text = models.TextField(default="", blank=True)

    class Meta:
        db_table = "sample"

    def calculate_source_id(self):
        return self.label

    def calculate_partition(self):
        return "{}:shared:sample".format(self.dataset_id)
