from . import test_refund_wizard
