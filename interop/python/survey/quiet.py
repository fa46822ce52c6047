import logging


class Formatter(logging.Formatter):
    """Errors by their type and message: where in the original they were raised is not our concern."""

    def formatException(self, info):
        kind, error, _ = info
        return "%s: %s" % (kind.__name__, error)
