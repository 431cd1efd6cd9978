"""docs/workers.md: every block is one that the recipes' tests run."""
import re

import workers_page

RUN = ["shop.ini", "bin/settle", "", "alipay-fallback.service", "alipay-fallback.timer", "shop_fallback.py",
       "environment", "shop_celery.py", "alipay-celery.service", "alipay-celery-beat.service", "tick", "shop_rq.py",
       "rq"]


def test_every_block_of_the_page_is_known_to_the_tests():
    """The one without a name is the crontab."""
    assert [head.partition(" ")[2] for head, _ in workers_page.blocks()] == RUN


def test_every_variable_that_the_shop_reads_is_in_its_environment_file():
    code = "".join(workers_page.file(name) for name in ("shop_fallback.py", "shop_celery.py", "shop_rq.py"))
    read = set(re.findall(r'environ\["(\w+)"\]', code))
    assert read == {"ALIPAY_PARTNER", "ALIPAY_MD5_KEY", "SHOP_STORE", "SHOP_BROKER"}
    assert read < set(workers_page.variables())
