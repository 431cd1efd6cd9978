"""How a notification travels: an HTTP POST to the shop's ``notify_url``. No redirect is followed."""
import requests

from .notifier import Answered, Delivery

#: Seconds to connect and to read; ours.
TIMEOUT = (3.0, 10.0)


def post(delivery: Delivery) -> Answered:
    """Send one, and tell what was answered; never raises for what an address can do."""
    headers = dict(delivery.headers, **{"Content-Type": delivery.content_type})
    try:
        with requests.Session() as session:
            session.trust_env = False       # a proxy of this machine has no business between two tests
            answer = session.post(delivery.url, data=delivery.body,
                                  headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True)
            body = b""
            for chunk in answer.iter_content(4096):
                body += chunk
                if len(body) >= 4096:
                    break
            return Answered(answer.status_code, body[:4096].decode("utf-8", "replace"))
    except (requests.RequestException, OSError, ValueError) as err:
        return Answered(0, "no answer: " + type(err).__name__)
