"""Asks StreamEM workers: one method for each call of their HTTP API, the standard library alone.

>>> from streamem import Client
>>> client = Client("http://localhost:8080")  # doctest: +SKIP
>>> client.list_models()  # doctest: +SKIP
"""

from .client import Client
from .connection import StreamEmError

__all__ = ["Client", "StreamEmError"]
