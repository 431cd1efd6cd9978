"""System checks: each says what is wrong once, and what cures it."""
import pytest
from django.core import checks
from django.core.management import call_command
from django.db import connections
from django.test.utils import override_settings

import django_shop
import genuine
from alipay_mapi.contrib.django import middleware, views
from django_shop import merchant, shop, values

RSA2 = {"partner": genuine.PARTNER, "sign_type": "RSA2", "private_key": genuine.key_file("rsa2048", "private"),
        "alipay_public_key": genuine.key_file("rsa2048-other")}
SOUND = values(MERCHANTS={"shop": RSA2})


def ids(given=SOUND, deploy=False, **project):
    with shop(given, **project):
        return [(found.id.partition(".")[2], found) for found in checks.run_checks(
            tags=["alipay_mapi"], include_deployment_checks=deploy)]


def only(found):
    (one, message), = found
    assert message.hint
    assert genuine.MD5_KEY not in str(message) and "PRIVATE" not in str(message)
    return one


def test_sound_settings_pass():
    assert ids() == []


def test_the_checks_are_part_of_every_check(capsys):
    with shop(values(SITE_URL="shop.example")), pytest.raises(Exception, match="alipay_mapi.E004"):
        call_command("check")


@pytest.mark.parametrize("expected, changes", [
    ("E001", {"MERCHANTS": {"shop": dict(RSA2, partner="20881234")}}),
    ("E002", {"MERCHANTS": {"shop": dict(RSA2, private_key=None)}}),
    ("E003", {"MERCHANTS": {"shop": dict(RSA2, private_key="no key")}}),
    ("E004", {"SITE_URL": "shop.example"}),
    ("E005", {"COLOUR": "red"}),
    ("E005", {"DEFAULT_MERCHANT": "nobody"}),
    ("E005", {"HANDLER": "no.such.function"}),
    ("E005", {"WITHIN": django_shop.hand}),
    ("E005", {"FALLBACK": {"grace": "x"}}),
    ("E005", {"RETURN_TO": "nowhere"}),
    ("W001", {"MERCHANTS": {"shop": merchant()}}),
    ("W002", {"MERCHANTS": {"shop": dict(RSA2, gateway="sandbox")}}),
    ("W007", {"HANDLER": None}),
])
def test_each_fault_of_the_settings_has_its_id(expected, changes):
    assert only(ids(dict(SOUND, **changes))) == expected


@pytest.mark.parametrize("project, expected", [
    ({"ALLOWED_HOSTS": ["other.example"]}, ["W008"]), ({"ALLOWED_HOSTS": ["shop.example"]}, []),
    ({"ALLOWED_HOSTS": [".example"]}, []), ({"ALLOWED_HOSTS": [], "DEBUG": True}, []),
    ({"SECURE_SSL_REDIRECT": True}, []),
])
def test_a_site_that_would_turn_its_own_notifications_away_is_told(project, expected):
    assert [one for one, _ in ids(dict(SOUND, SITE_URL="https://shop.example"), **project)] == expected


def test_a_redirect_to_https_is_none_that_alipay_follows():
    found = ids(dict(SOUND, SITE_URL="http://shop.example"), SECURE_SSL_REDIRECT=True)
    assert "W008" in [one for one, _ in found]


def test_the_sandbox_is_right_on_a_developers_machine():
    assert ids(dict(SOUND, MERCHANTS={"shop": dict(RSA2, gateway="sandbox")}), DEBUG=True) == []


def test_a_project_without_the_setting_is_told_what_it_needs():
    assert {one for one, _ in ids({})} == {"E005", "E004", "W007"}
    assert {one for one, _ in ids(None)} <= {"E004", "E005", "W001", "W007"}


def test_a_url_name_is_a_place_to_return_to():
    assert ids(dict(SOUND, RETURN_TO="order")) == []


# --- the project ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["ReadsFormsBefore", "ReadsFormsAfterwards"])
def test_middleware_that_reads_forms_is_pointed_out(name):
    from django.conf import settings
    found = ids(MIDDLEWARE=list(settings.MIDDLEWARE) + ["django_shop." + name])
    assert only(found) == "W004" and "django_shop." + name in found[0][1].msg


def test_middleware_that_is_known_to_read_forms_is_pointed_out_without_being_imported():
    assert [path for path, _ in middleware.post_readers(sorted(middleware.KNOWN))] == sorted(middleware.KNOWN)


@pytest.mark.parametrize("path", ["django_shop.FailsAfterwards", "no.such.Middleware", "",
                                  "django.middleware.csrf.CsrfViewMiddleware", "json.dumps"])
def test_other_middleware_is_not(path):
    assert list(middleware.post_readers([path])) == []


@pytest.mark.parametrize("source, reads", [
    ("request.POST", True), ("self.request.POST.get('x')", True), ("request.FILES", True),
    ("# request.POST", False), ("'request.POST'", False), ("response.POST", False), ("request.method == 'POST'", False),
    ("def broken(:\n request.POST", True), ("", False)])
def test_only_code_counts(source, reads):
    assert middleware.mentions_post(source) is reads


@pytest.fixture
def urls(monkeypatch):
    """The project's URLs with another view at ``alipay_mapi:notify``."""
    import django
    from django.urls import clear_url_caches

    def put(view):
        import types
        import urls_under_test
        inner = types.ModuleType("inner_urls_under_test")
        inner.app_name = "alipay_mapi"
        inner.urlpatterns = [urls_under_test.url("^notify/$", view, name="notify")]
        monkeypatch.setattr(urls_under_test, "urlpatterns", [urls_under_test.url(
            "^alipay/", urls_under_test.include(inner))] + urls_under_test.urlpatterns[1:])
        clear_url_caches()
        return django.VERSION
    yield put
    clear_url_caches()


@pytest.fixture
def atomic_requests():
    connections.databases["default"]["ATOMIC_REQUESTS"] = True
    yield
    connections.databases["default"]["ATOMIC_REQUESTS"] = False


def test_the_apps_own_view_is_exempt_from_atomic_requests(atomic_requests):
    assert ids() == []


def test_a_decorator_that_loses_the_exemptions_is_pointed_out(urls, atomic_requests):
    view = views.NotifyView.as_view()
    urls(lambda request, **kwargs: view(request, **kwargs))
    assert sorted(one for one, _ in ids()) == ["E006", "W006"]


def test_a_decorator_that_keeps_them_is_not(urls, atomic_requests):
    import functools
    view = views.NotifyView.as_view()
    urls(functools.wraps(view)(lambda request, **kwargs: view(request, **kwargs)))
    assert ids() == []


def test_a_project_with_urls_of_its_own_is_left_alone():
    assert ids(ROOT_URLCONF="no_urls_under_test") == []


def test_a_database_that_cannot_skip_locked_rows_is_told_when_it_is_deployed():
    found = ids(deploy=True)
    assert only(found) == "W005" and "sqlite" in found[0][1].msg
    with django_shop.without_store():
        assert [one for one, _ in ids(django_shop.own_table(MERCHANTS={"shop": RSA2}), deploy=True)] == []


def test_a_check_can_be_silenced():
    with override_settings(SILENCED_SYSTEM_CHECKS=["alipay_mapi.W001"]):
        assert [found.is_silenced() for _, found in ids(dict(SOUND, MERCHANTS={"shop": merchant()}))] == [True]
