"""How a worker is asked, and what comes of it when it says no."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from http.client import HTTPResponse
from typing import Any, Optional, Union
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

#: Records: mappings of fields, or a text or bytes as they are to be sent.
Records = Union[Iterable[Mapping[str, Any]], str, bytes]

LINES = "application/x-ndjson"


class StreamEmError(Exception):
    """An answer that is an error.

    ``status`` is the status of the answer, ``title`` and ``detail`` say what is wrong and what to do, ``problem`` is all of the answer:
    beside these ``found`` and ``expected`` where it tells them.
    """

    def __init__(self, status: int, title: str, detail: str, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
        self.problem = problem


class _NoRedirects(HTTPRedirectHandler):
    """A worker sends nobody elsewhere, and the token is for it alone."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Connection:
    """Where a worker is, and what is said with every call."""

    def __init__(self, url: str = "http://localhost:8080", token: Optional[str] = None, timeout: float = 90.0) -> None:
        """
        :param url: The worker's address.
        :param token: ``http.auth_token`` of its configuration.
        :param timeout: The longest silence that is waited for, in seconds.
        """
        self._url = url.rstrip("/")
        self._token = token
        self._timeout = timeout
        self._opener = build_opener(_NoRedirects())

    def _json(self, method: str, path: str, **asked: Any) -> Any:
        with self._open(method, path, accept="application/json", **asked) as answer:
            return json.load(answer)

    def _text(self, method: str, path: str, **asked: Any) -> str:
        with self._open(method, path, accept="*/*", **asked) as answer:
            return answer.read().decode("utf-8")

    def _lines(self, method: str, path: str, **asked: Any) -> Iterator[Any]:
        return _values_of_lines(self._open(method, path, accept=LINES, **asked))

    def _events(self, method: str, path: str, **asked: Any) -> Iterator[Any]:
        return _values_of_events(self._open(method, path, accept="text/event-stream", **asked))

    def _open(
        self,
        method: str,
        path: str,
        *,
        accept: str,
        query: Optional[Mapping[str, Any]] = None,
        headers: Optional[Mapping[str, Any]] = None,
        body: Optional[Mapping[str, Any]] = None,
        records: Optional[Records] = None,
        content_type: str = LINES,
    ) -> HTTPResponse:
        said = {name: _word(value) for name, value in (query or {}).items() if value is not None}
        request = Request(self._url + path + ("?" + urlencode(said) if said else ""), method=method, headers={"Accept": accept})
        for name, value in (headers or {}).items():
            if value is not None:
                request.add_header(name, _word(value))
        if self._token is not None:
            request.add_header("Authorization", f"Bearer {self._token}")
        if records is not None:
            request.data = _bytes_of(records)
            request.add_header("Content-Type", content_type)
        elif body is not None:
            request.data = json.dumps({name: value for name, value in body.items() if value is not None}).encode()
            request.add_header("Content-Type", "application/json")
        elif method != "GET":
            request.data = b""
        try:
            return self._opener.open(request, timeout=self._timeout)
        except HTTPError as error:
            raise _error_of(error) from None


def part(value: Any, keep: str = "") -> str:
    """A value as a part of a path."""
    return quote(_word(value), safe=keep)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bytes_of(records: Records) -> bytes:
    if isinstance(records, bytes):
        return records
    if isinstance(records, str):
        return records.encode()
    return "".join(_line_of(record) for record in records).encode()


def _line_of(record: Mapping[str, Any]) -> str:
    # NaN is no JSON: a value that is not there is null.
    return json.dumps({name: None if value != value else value for name, value in record.items()}, default=_plain) + "\n"


def _plain(value: Any) -> Any:
    """A number of numpy's as one of Python's."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} is no value of a record")


def _values_of_lines(answer: HTTPResponse) -> Iterator[Any]:
    with answer:
        for line in answer:
            if line.strip():
                yield json.loads(line)


def _values_of_events(answer: HTTPResponse) -> Iterator[Any]:
    """The data of server-sent events; one that is not whole is left out."""
    with answer:
        data: list[str] = []
        for line in answer:
            text = line.decode("utf-8").rstrip("\r\n")
            if text.startswith("data:"):
                data.append(text[5:].removeprefix(" "))
            elif not text and data:
                yield json.loads("\n".join(data))
                data = []


def _error_of(error: HTTPError) -> StreamEmError:
    with error:
        text = error.read().decode("utf-8", "replace")
    try:
        problem = json.loads(text)
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    detail = problem.get("detail") or "; ".join(problem.get("reasons", [])) or text
    return StreamEmError(error.code, problem.get("title") or str(error.reason), detail, problem)
