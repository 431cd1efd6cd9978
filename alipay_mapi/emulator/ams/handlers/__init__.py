"""One handler per call: a signed request → (result code, further members of the answer), or Refused."""
from typing import Dict

from ..gateway import Handler
from .cancel import cancel
from .capture import capture
from .inquiry_payment import inquiry_payment
from .inquiry_refund import inquiry_refund
from .inquiry_registration_info import inquiry_registration_info
from .inquiry_registration_status import inquiry_registration_status
from .pay import pay
from .refund import refund
from .registration import registration

#: The end of the path → its handler.
AMS_HANDLERS: Dict[str, Handler] = {
    "payments/pay": pay,
    "payments/inquiryPayment": inquiry_payment,
    "payments/cancel": cancel,
    "payments/refund": refund,
    "payments/inquiryRefund": inquiry_refund,
    "payments/capture": capture,
    "merchants/registration": registration,
    "merchants/inquiryRegistrationStatus": inquiry_registration_status,
    "merchants/inquiryRegistrationInfo": inquiry_registration_info,
}
