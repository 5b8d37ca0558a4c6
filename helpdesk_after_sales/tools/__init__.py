from .lock import lock_records
from .quantity import format_quantity

__all__ = ["format_quantity", "lock_records"]
