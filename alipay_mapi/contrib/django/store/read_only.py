"""An admin that shows and changes nothing, on Django 1.11 to 6.1.

Before Django 2.1 nobody has a permission to view: there, whoever may change the model sees it, and changes nothing
either.
"""
from datetime import datetime, timezone
from typing import Any, Optional, Sequence

import django
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.utils.timezone import get_current_timezone

_VIEWS = django.VERSION >= (2, 1)


class _Older(admin.ModelAdmin):
    """What Django does itself from 2.1 on: an action is there for whoever has its ``allowed_permissions``."""

    def get_actions(self, request):
        found = super().get_actions(request)
        for name, (action, _, _) in list(found.items()):
            needed = getattr(action, "allowed_permissions", ("delete",))
            if not all(getattr(self, "has_{}_permission".format(one))(request) for one in needed):
                del found[name]
        return found


_Base: Any = admin.ModelAdmin if _VIEWS else _Older


class ReadOnlyAdmin(_Base):
    """``fields``: what a page shows, columns and methods. ``found_by``: columns in which the search looks for the whole
    text."""

    found_by: Sequence[str] = ("out_trade_no",)
    search_fields: Sequence[str] = ("out_trade_no",)       # shows the field to type in
    search_help_text = "The order's whole number."
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-id",)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """The filters beside the list, and nothing else: whoever may see the list could guess what a page masks, letter
        by letter."""
        return lookup in [getattr(one, "parameter_name", one) for one in self.list_filter]

    def get_readonly_fields(self, request: Any, obj: Any = None) -> Any:
        return self.fields or ()

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False if _VIEWS else super().has_change_permission(request, obj)

    def changeform_view(self, request: Any, object_id: Any = None, form_url: str = "",
                        extra_context: Any = None) -> Any:
        if request.method != "GET":
            raise PermissionDenied      # before 2.1 the page is a form, without a field
        return super().changeform_view(request, object_id, form_url, dict(
            extra_context or {}, show_save=False, show_save_and_continue=False))

    def get_search_results(self, request: Any, queryset: Any, search_term: str) -> Any:
        """Whole numbers: a part of one would be looked for in every row."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = queryset.none()
        for name in self.found_by:
            found = found | queryset.filter(**{name: term})
        return found, False


def moment(seconds: Optional[float]) -> str:
    """A time of the store, as the shop's clock shows it."""
    if seconds is None:
        return "-"
    return datetime.fromtimestamp(seconds, timezone.utc).astimezone(get_current_timezone()).strftime(
        "%Y-%m-%d %H:%M:%S")
