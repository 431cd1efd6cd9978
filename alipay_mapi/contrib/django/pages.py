"""The two pages that a buyer may see. A shop overrides them by templates of the same names, or by its own view."""
import os
from typing import Any, Mapping

from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine, TemplateDoesNotExist
from django.template.loader import render_to_string

_OWN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")


def page(request: HttpRequest, name: str, values: Mapping[str, Any], status: int = 200) -> HttpResponse:
    """The shop's template, or ours where it has none: also in a project that does not look into its apps for them."""
    absent = False
    try:
        text = render_to_string(name, dict(values), request)
    except TemplateDoesNotExist as err:
        if str(err) != name:
            raise       # the shop's own template asks for one that is not there
        absent = True
    if absent:
        text = Engine(dirs=[_OWN]).get_template(name).render(Context(dict(values)))
    return HttpResponse(text, status=status)
