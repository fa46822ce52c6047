"""Django settings of the interop peer. What differs between peers comes from the environment."""
import os


def flag(name):
    return os.environ.get(name) == "1"


SECRET_KEY = "only for tests, on the loopback interface"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
AUTH_USER_MODEL = "survey.Account"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTHENTICATION_BACKENDS = ["survey.auth.FieldsBackend"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "mptt",
    "rest_framework",
    "morango",
    "survey",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["INTEROP_DATABASE"],
        "OPTIONS": {"timeout": 60},
        # A connection for each thread of the server, not for each request.
        "CONN_MAX_AGE": None,
    }
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"quiet": {"()": "survey.quiet.Formatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "quiet"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("INTEROP_LOG", "WARNING")},
    "loggers": {"django": {"handlers": ["stderr"], "propagate": False}},
}

ALLOW_CERTIFICATE_PUSHING = flag("INTEROP_ALLOW_CERTIFICATE_PUSHING")
MORANGO_DISALLOW_ASYNC_OPERATIONS = flag("INTEROP_DISALLOW_ASYNC_OPERATIONS")
MORANGO_DISABLE_FSIC_V2_FORMAT = flag("INTEROP_DISABLE_FSIC_V2_FORMAT")
