"""``python -m alipay_mapi``: the ``alipay-mapi`` command under another name."""
import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
