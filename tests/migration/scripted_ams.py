"""``AmsClient`` over a transport that is a script; AMS's part is signed by the openssl command."""
from collections import namedtuple

from alipay_mapi.migration.backends import AmsClient
from alipay_mapi.times import parse_time
from migration_samples import account, answer_headers, dumped

Answer = namedtuple("Answer", "status body headers")
NOW = parse_time("2026-05-12 12:00:00")


def says(call, content, headers=None):
    """Signed when it is asked for, not when the tests are collected."""
    body = content if isinstance(content, bytes) else dumped(content)
    path = "/ams/api/v1/" + call
    return lambda: Answer(200, body, answer_headers(path, body) if headers is None else headers)


class Script:
    """Each answer in its turn, the last one again and again."""

    def __init__(self, *answers):
        self.answers, self.calls = list(answers), []

    def send(self, call):
        self.calls.append(call)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer() if callable(answer) else answer


def client(*answers, **settings):
    """(the client, its script, what it slept)."""
    script, slept = Script(*answers), []
    made = AmsClient(settings.pop("account", account()), script, now=lambda: NOW, sleep=slept.append, clock=lambda: 0.0,
                     **settings)
    return made, script, slept
