"""The place of the OpenAPI back end (``alipay.trade.*``). So far: what its result codes say."""
