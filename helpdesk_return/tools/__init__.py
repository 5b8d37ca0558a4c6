from .delivery_balance import DeliveryBalance

__all__ = ["DeliveryBalance"]
