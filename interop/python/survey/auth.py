from django.contrib.auth import get_user_model


class FieldsBackend:
    """Credentials as Morango passes them on: a plain user name, or any fields among which `username` is."""

    def authenticate(self, request, username=None, password=None, **fields):
        user = get_user_model().objects.filter(username=username).first()
        if user is None or not user.check_password(password):
            return None
        return user

    def get_user(self, pk):
        return get_user_model().objects.filter(pk=pk).first()
