from .asking import asks_rules
from .lock import lock_records
from .quantity import format_quantity

__all__ = ["asks_rules", "format_quantity", "lock_records"]
