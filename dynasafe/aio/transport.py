"""One request to DynamoDB and its answer, without any repeat.

Sources: aiobotocore's endpoint.py and httpsession.py; "DynamoDB low-level API", for the header
x-amz-crc32.
"""

from __future__ import annotations

import asyncio
import math
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

from dynasafe.errors import ClientRetriesError, UnsupportedTypeError, ValueOutOfRangeError
from dynasafe.resilience.outcomes import AttemptTimeout
from dynasafe.resilience.settings_rules import require_count
from dynasafe.validation import CHECKED_OPERATIONS

if TYPE_CHECKING:
    from aiobotocore.config import AioConfig


_REFRESH_INTERVAL_S = 10.0


class Transport(Protocol):
    """Sends a request once.

    It raises whatever its client raises; `AttemptTimeout` when `timeout_s` have passed.
    """

    async def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        """The answer to one request.

        Args:
            operation: as in the API Reference: "UpdateItem".
            params: in the client's form.
            timeout_s: None waits for ever.
        """
        ...


def client_config(**options: Any) -> AioConfig:
    """A botocore config for a client that never repeats a request by itself.

    Its User-Agent is fixed: botocore would compose its own twice for each request, which takes
    about a sixth of the time that a request costs the client. With a `user_agent` or a
    `user_agent_appid` among the options it is what they say.

    Args:
        options: further options of botocore's Config, such as `max_pool_connections`.

    Raises:
        ClientRetriesError: `retries` is among them.
    """
    from aiobotocore.config import AioConfig

    if "retries" in options:
        raise ClientRetriesError(str(options["retries"]))
    if "user_agent" not in options and "user_agent_appid" not in options:
        options["user_agent"] = _user_agent()
    # "total_max_attempts": 1 sends once. In legacy mode 1 would still check the crc32 by
    # repeating; in standard mode nothing checks it, so AiobotoTransport does.
    return AioConfig(retries={"mode": "standard", "total_max_attempts": 1}, **options)


def pool_size(given: Any, default: int) -> int:
    """How many connections a client with this config has.

    Raises:
        ClientRetriesError: it would repeat requests by itself.
        UnsupportedTypeError: it is no config.
    """
    if given is None:
        return default
    from botocore.config import Config

    if not isinstance(given, Config):
        raise UnsupportedTypeError(
            "config", f"a botocore Config is expected, not {type(given).__name__}"
        )
    merged: Any = client_config(max_pool_connections=default).merge(given)
    if merged.retries and not _sends_once(merged.retries):
        raise ClientRetriesError(str(merged.retries))
    return int(merged.max_pool_connections)


def _sends_once(retries: Mapping[str, Any]) -> bool:
    if "total_max_attempts" in retries:
        return bool(retries["total_max_attempts"] == 1)
    return retries.get("max_attempts") == 0  # these come after the first


def slot_count(max_connections: int | None, pool_size: int) -> int:
    """How many requests may be under way at once: each needs a connection.

    Raises:
        InvalidValueError: there are fewer connections than that.
    """
    if max_connections is None:
        return pool_size
    require_count("max_connections", max_connections)
    if max_connections > pool_size:
        # They would wait within the client, where the time of an attempt already runs.
        raise ValueOutOfRangeError(
            "max_connections",
            f"{max_connections}, but the client's pool has {pool_size} connections. Fix: "
            f"client_config(max_pool_connections={max_connections}), or a lower max_connections",
        )
    return max_connections


def connect_config(pool_size: int, given: Any) -> AioConfig:
    """The config of a client that dynasafe makes: the given one, with what must hold.

    It leaves out botocore's check of parameters: `check_request` has looked at them already, and
    AiobotoTransport has botocore look at those that it does not know.
    """
    own: dict[str, Any] = {
        "max_pool_connections": pool_size,
        "parameter_validation": False,
    }
    if given is None:
        return client_config(**own)
    from aiobotocore.config import AioConfig

    if given.user_agent or given.user_agent_appid:
        own["user_agent"] = given.user_agent
    # Theirs first, so that ours, which sends once, is what holds.
    merged: AioConfig = given.merge(client_config(**own))
    if isinstance(given, AioConfig):
        merged.http_session_cls = given.http_session_cls  # aiobotocore's merge leaves it out
    return merged


def _user_agent() -> str:
    import aiobotocore

    return f"dynasafe aiobotocore/{aiobotocore.__version__} python/{platform.python_version()}"


class AiobotoTransport:
    """Requests through a client of aioboto3 or aiobotocore.

    Args:
        is_validating: whether the client has botocore check the parameters.

    Raises:
        ClientRetriesError: the client repeats requests by itself.
    """

    def __init__(self, client: Any, *, is_validating: bool = True) -> None:
        meta = getattr(client, "meta", None)
        if meta is None or not asyncio.iscoroutinefunction(getattr(client, "_make_api_call", None)):
            raise UnsupportedTypeError(
                "client",
                "an aioboto3 or aiobotocore client of DynamoDB is expected, not "
                f"{type(client).__name__}. Fix: AsyncDynamoDB.connect(), or "
                "`async with session.client('dynamodb', config=client_config()) as client`",
            )
        if meta.service_model.service_name != "dynamodb":
            raise UnsupportedTypeError(
                "client", f"a client of DynamoDB, not of {meta.service_model.service_name}"
            )
        retries: Mapping[str, Any] = meta.config.retries or {}
        if not _sends_once(retries):
            raise ClientRetriesError(str(dict(retries) or "botocore's default of 10 attempts"))
        self._client = client
        self._is_validating = is_validating
        self._refreshed_s = -math.inf
        self.max_connections: int = meta.config.max_pool_connections
        meta.events.register(
            "before-parse.dynamodb", _require_crc32, unique_id="dynasafe-require-crc32"
        )

    async def send(
        self, operation: str, params: Mapping[str, Any], *, timeout_s: float | None
    ) -> Mapping[str, Any]:
        response: Mapping[str, Any]
        if not self._is_validating and operation not in CHECKED_OPERATIONS:
            self._require_valid(operation, params)
        try:
            async with asyncio.timeout(timeout_s):
                response = await self._client._make_api_call(operation, params)
        except TimeoutError as error:
            raise AttemptTimeout(f"no answer within {timeout_s} s") from error
        return response

    def _require_valid(self, operation: str, params: Mapping[str, Any]) -> None:
        """Botocore's own check of the parameters' names and types."""
        from botocore.exceptions import ParamValidationError
        from botocore.validate import ParamValidator

        shape = self._client.meta.service_model.operation_model(operation).input_shape
        report = ParamValidator().validate(params, shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())

    async def refresh_credentials(self) -> None:
        """Fetch credentials anew, where they are of a kind that can be fetched."""
        credentials = getattr(self._client._request_signer, "_credentials", None)
        refresh = getattr(credentials, "_protected_refresh", None)
        if credentials is None or refresh is None:
            return
        async with credentials._refresh_lock:
            # Of many calls that meet the expiry together, one fetches.
            now_s = asyncio.get_running_loop().time()
            if now_s - self._refreshed_s > _REFRESH_INTERVAL_S:
                await refresh(is_mandatory=True)
                self._refreshed_s = now_s


def _require_crc32(response_dict: Mapping[str, Any], **_: Any) -> None:
    """Refuse an answer whose body was changed on its way."""
    expected = response_dict["headers"].get("x-amz-crc32")
    if expected is None:
        return
    actual = crc32(response_dict["body"])
    if not expected.isdigit() or int(expected) != actual:
        from botocore.exceptions import ChecksumError

        raise ChecksumError(
            checksum_type="crc32", expected_checksum=expected, actual_checksum=actual
        )
