"""One peer of the original: serves HTTP, and does what it is told on its standard input.

A command is one line of JSON, `{"id": 1, "op": "create", ...}`; its answer, one line on the standard output,
`{"id": 1, "result": ...}` or `{"id": 1, "error": {"type": ..., "message": ...}}`. The first line says where it
serves. It ends when its standard input does.
"""
import functools
import gc
import json
import os
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"

# Before anything binds it: the original's client sleeps between stages, chunks and polls.
if os.environ.get("INTEROP_NO_SLEEP") == "1":
    _sleep = time.sleep
    time.sleep = lambda seconds: _sleep(min(seconds, 0.002))

# A key is read from its text, and checked, dozens of times in a sync; no test is about how long that takes.
from cryptography.hazmat.primitives import serialization  # noqa: E402

_read_key = functools.lru_cache(maxsize=None)(serialization.load_pem_private_key)
serialization.load_pem_private_key = lambda data, password, *more, **named: _read_key(data, password)

import django  # noqa: E402

django.setup()

from cheroot.wsgi import Server  # noqa: E402
from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.serializers.json import DjangoJSONEncoder  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, connections, transaction  # noqa: E402
from django.db.backends.signals import connection_created  # noqa: E402
from morango.models.certificates import Certificate, Filter, Key  # noqa: E402
from morango.models.core import (  # noqa: E402
    Buffer,
    DatabaseIDModel,
    DatabaseMaxCounter,
    DeletedModels,
    HardDeletedModels,
    InstanceIDModel,
    RecordMaxCounter,
    RecordMaxCounterBuffer,
    Store,
    SyncSession,
    TransferSession,
)
from morango.models.fields.crypto import SharedKey  # noqa: E402
from morango.sync.controller import MorangoProfileController  # noqa: E402

# What has been imported stays; it need not be gone through again and again.
gc.freeze()

PROFILE = "survey"
USERNAME = "admin"
PASSWORD = os.environ.get("INTEROP_PASSWORD", "secret: pass")
_own = apps.get_app_config("survey").get_models()
MODELS = {model.morango_model_name: model for model in _own if hasattr(model, "morango_model_name")}



SYNCHRONOUS = os.environ.get("INTEROP_SYNCHRONOUS", "off")


def set_pragmas(connection, **_):
    """`off`: a killed process loses nothing by it, only a machine without power does."""
    connection.cursor().execute("PRAGMA journal_mode = wal")
    connection.cursor().execute("PRAGMA synchronous = %s" % SYNCHRONOUS)


connection_created.connect(set_pragmas)
controller = MorangoProfileController(PROFILE)


def reset(database=None, certificates=()):
    """Everything gone, and another instance: that of a database id, with certificates, where they are given."""
    with connection.cursor() as cursor:
        tables = [t for t in connection.introspection.table_names(cursor) if t not in ("django_migrations", "django_content_type", "auth_permission")]
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for table in tables:
            cursor.execute('DELETE FROM "%s"' % table)
    if database is not None:
        DatabaseIDModel.objects.create(id=database, current=True)
    prepare()
    for given in certificates:
        item = Certificate.deserialize(given["serialized"], given["signature"])
        if given["key"] is not None:
            item.private_key = Key(private_key_string=given["key"])
        item.save()
    return info()


def prepare():
    call_command("loaddata", "scopedefinitions", verbosity=0)
    users = get_user_model()
    if not users.objects.exists():
        user = users(username=USERNAME, is_superuser=True, is_staff=True)
        user.set_password(PASSWORD)
        user.save()
        other = users(username="nobody")
        other.set_password(PASSWORD)
        other.save()
    if settings.ALLOW_CERTIFICATE_PUSHING and os.environ.get("INTEROP_NO_SHARED_KEY") != "1":
        # The original answers GET publickey/ with an empty list until somebody has done this.
        SharedKey.get_or_create_shared_key()
    InstanceIDModel.get_or_create_current_instance(clear_cache=True)


def info():
    instance, _ = InstanceIDModel.get_or_create_current_instance()
    import morango
    return {"instance": instance.id, "counter": instance.counter, "morango": morango.__version__}


def values(model, fields):
    """JSON values as the fields' own types."""
    out = {}
    for name, value in fields.items():
        if name == "source_id":
            out["_morango_source_id"] = value
            continue
        field = model._meta.get_field(name)
        if value is not None and field.get_internal_type() not in ("JSONField", "ForeignKey"):
            value = field.to_python(value)
        out[field.attname] = value
    return out


def create(model, rows):
    cls = MODELS[model]
    made = []
    with transaction.atomic():
        for fields in rows:
            row = cls(**values(cls, fields))
            row.save()
            made.append(row.id)
    return made


def fill(dataset, **numbers):
    """Samples as interop/our-peer.ts makes them."""
    start = numbers["from"]
    rows = range(start, start + numbers["count"])
    create("sample", [numbered(dataset, number) for number in rows])


def numbered(dataset, number):
    text = "Text of sample %d" % number
    return {"dataset_id": dataset, "label": "n%d" % number, "text": text, "small": number}


def update(model, id, fields):
    cls = MODELS[model]
    row = cls.objects.get(id=id)
    for name, value in values(cls, fields).items():
        setattr(row, name, value)
    row.save()


def remove(model, id, hard=False):
    MODELS[model].objects.get(id=id).delete(hard_delete=hard)


def serialize(filter=None):
    controller.serialize_into_store(filter=Filter(filter) if filter else None)


def deserialize(filter=None):
    controller.deserialize_from_store(filter=Filter(filter) if filter else None)


def root(scope):
    return Certificate.generate_root_certificate(scope).id


def certificate(item):
    return {
        "id": item.id,
        "parent": item.parent_id,
        "scope": item.scope_definition_id,
        "held": item.has_private_key(),
    }


def certificates():
    return [certificate(item) for item in Certificate.objects.order_by("level", "id")]


def remote(connection_, primary_partition, id=None):
    found = connection_.get_remote_certificates(primary_partition)
    for item in found:
        if id is None or item.id == id:
            return item
    raise LookupError("no certificate %s there" % (id or primary_partition))


def request(url, dataset, scope, params, username, password):
    connection_ = controller.create_network_connection(url)
    try:
        parent_ = remote(connection_, dataset)
        return certificate(
            connection_.certificate_signing_request(parent_, scope, params, userargs=username, password=password)
        )
    finally:
        connection_.close()


def push(url, parent, scope, params):
    connection_ = controller.create_network_connection(url)
    try:
        made = connection_.push_signed_client_certificate_chain(Certificate.objects.get(id=parent), scope, params)
        return certificate(made)
    finally:
        connection_.close()


def sync(url, dataset, transfers, chunk=None, resume=False, client=None, server=None):
    connection_ = controller.create_network_connection(url)
    try:
        session = SyncSession.objects.filter(active=True, is_server=False).order_by("-start_timestamp").first()
        if resume and session is not None:
            session_client = connection_.resume_sync_session(session.id, chunk_size=chunk, ignore_existing_process=True)
        else:
            held = [c for c in Certificate.objects.order_by("-level") if c.has_private_key()]
            own = next(c for c in held if client in (None, c.id))
            theirs = remote(connection_, dataset, server)
            session_client = connection_.create_sync_session(own, theirs, chunk_size=chunk)
        for wanted in transfers:
            one = session_client.get_push_client() if wanted["push"] else session_client.get_pull_client()
            one.initialize(Filter(wanted["filter"]))
            one.run()
            one.finalize()
        session = session_client.sync_session
        session_client.close_sync_session()
        return [transfer(t) for t in TransferSession.objects.filter(sync_session=session).order_by("start_timestamp")]
    finally:
        connection_.close()


def transfer(t):
    return {"push": t.push, "total": t.records_total or 0, "transferred": t.records_transferred}


def plain(row):
    return json.loads(json.dumps(row, cls=DjangoJSONEncoder))


def app_rows(cls):
    out = []
    for row in cls.objects.order_by("id"):
        fields = [f for f in cls._meta.concrete_fields if not f.name.startswith("_morango")]
        values_ = {f.attname: f.value_from_object(row) for f in fields}
        # More digits than a double has.
        if values_.get("big") is not None:
            values_["big"] = str(values_["big"])
        out.append(values_)
    return plain(out)


def dump():
    histories = {}
    for store, instance, counter in RecordMaxCounter.objects.values_list("store_model_id", "instance_id", "counter"):
        histories.setdefault(store, {})[instance] = counter
    counters = DatabaseMaxCounter.objects.order_by("partition", "instance_id")
    pending = {id for kind in (DeletedModels, HardDeletedModels) for id in kind.objects.values_list("id", flat=True)}
    for cls in MODELS.values():
        pending.update(cls.objects.filter(_morango_dirty_bit=True).values_list("id", flat=True))
    return {
        "instance": info()["instance"],
        "counter": info()["counter"],
        "store": [
            {
                "id": row.id,
                "model": row.model_name,
                "partition": row.partition,
                "source": row.source_id,
                "serialized": row.serialized,
                "conflicting": row.conflicting_serialized_data,
                "selfRef": row._self_ref_fk,
                "instance": row.last_saved_instance,
                "counter": row.last_saved_counter,
                "deleted": row.deleted,
                "hard": row.hard_deleted,
                "dirty": row.dirty_bit,
                "history": histories.get(row.id, {}),
            }
            for row in Store.objects.order_by("id")
        ],
        "counters": list(counters.values_list("partition", "instance_id", "counter")),
        "pending": sorted(pending),
        "buffers": Buffer.objects.count() + RecordMaxCounterBuffer.objects.count(),
        "app": {name: app_rows(cls) for name, cls in MODELS.items()},
    }


def count(model):
    return MODELS[model].objects.count()


def memory():
    # Only on Unix, and only benchmarks ask.
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 * 1024 if sys.platform == "darwin" else 1024)


OPS = {
    f.__name__: f
    for f in (
        reset, info, create, fill, update, remove, serialize, deserialize, root, certificates, request, push, sync,
        dump, count, memory,
    )
}


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def fork_server():
    """Makes a peer of each line on the standard input, `{"database": PATH, "port": N}`, which says where it gets its
    commands. It is there at once: what takes time is to import all this."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        wanted = json.loads(line)
        if os.fork() == 0:
            connections.databases["default"]["NAME"] = wanted["database"]
            channel = socket.create_connection(("127.0.0.1", wanted["port"]))
            sys.stdin = channel.makefile("r", encoding="utf-8")
            sys.stdout = channel.makefile("w", encoding="utf-8")
            return main()


def main():
    prepare()
    server = Server(("127.0.0.1", int(os.environ.get("INTEROP_PORT", "0"))), get_wsgi_application(), numthreads=8)
    server.prepare()
    threading.Thread(target=server.serve, daemon=True).start()
    say({"url": "http://127.0.0.1:%d/" % server.bind_addr[1], "pid": os.getpid()})
    for line in sys.stdin:
        command = json.loads(line)
        number = command.pop("id")
        try:
            say({"id": number, "result": OPS[command.pop("op")](**command.pop("args", {}))})
        except Exception as error:
            say({"id": number, "error": {"type": type(error).__name__, "message": str(error)}})
    os._exit(0)


if __name__ == "__main__":
    fork_server() if "--fork-server" in sys.argv else main()
