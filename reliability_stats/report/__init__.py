"""What is shown to others: tables for papers."""

from .tables import table

__all__ = ["table"]
