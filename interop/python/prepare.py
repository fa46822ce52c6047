"""Makes a migrated, empty database that peers start from: `prepare.py PATH`."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
os.environ["INTEROP_DATABASE"] = sys.argv[1]

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

call_command("migrate", run_syncdb=True, verbosity=0)
connection.cursor().execute("PRAGMA journal_mode = delete")
