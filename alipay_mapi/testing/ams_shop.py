"""The tested shop at AMS: its account, a client, and what it has there. A part of ``TestGateway``.

The calls that people make, ``pay``, ``refund`` and ``close_trade``, take a paymentRequestId too; whatever else can be
done is a method of ``emulator``.
"""
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Dict, List, Optional

if TYPE_CHECKING:
    from ..emulator import Emulator
    from ..migration.ams import Account
    from ..migration.backends.ams_client import AmsClient


class AmsShop:
    """Methods of ``TestGateway``, which has what is declared here."""

    emulator: "Emulator"
    _merchant: str
    _clients: List[Any]

    def ams_account(self, name: Optional[str] = None, *, sandbox: bool = False,
                    domain: Optional[str] = None) -> "Account":
        """The shop's Account at AMS. ``domain``: another one, such as ``https://open-de-global.alipay.com``, which
        leads to the same place. The first call of a run makes keys, which takes a second. Raises InvalidRequest."""
        account = self.emulator.ams_account(name or self._merchant, sandbox)
        return account if domain is None else replace(account, domain=domain)

    def ams_client(self, name: Optional[str] = None, *, sandbox: bool = False) -> "AmsClient":
        """A client of that account. It does not wait between repetitions, and its times are the gateway's."""
        from ..migration.backends.ams_client import AmsClient
        client = AmsClient(self.ams_account(name, sandbox=sandbox), sleep=lambda seconds: None,
                           now=self.emulator.clock.now)
        self._clients.append(client)
        return client

    def ams_settings(self, name: Optional[str] = None, *, sandbox: bool = False) -> Dict[str, str]:
        """The same as text, for a shop with settings of its own: ``client_id``, ``private_key`` and
        ``alipay_public_key`` in PEM, ``key_version``, ``domain``."""
        one = self.emulator.ams_client(name or self._merchant, sandbox)
        return dict(one.shop_keys(), client_id=one.client_id, key_version="1", domain=self.emulator.base_url)

    def payment(self, payment_request_id: str, *, client_id: Optional[str] = None) -> Dict[str, Any]:
        """A payment as AMS has it, with ``payment_status``. Raises InvalidRequest when there is none."""
        return self.emulator.payment(payment_request_id, client_id=client_id)
