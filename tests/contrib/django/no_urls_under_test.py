"""A project that has none of the app's URLs."""
urlpatterns = []
