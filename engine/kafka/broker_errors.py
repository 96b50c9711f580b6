"""Kafka's errors as reasons to end the process."""

from __future__ import annotations

from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    DelegationTokenAuthorizationFailed,
    GroupAuthorizationFailedError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from engine.kafka.errors import Fatal, Permanent

REFUSALS = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    DelegationTokenAuthorizationFailed,
    GroupAuthorizationFailedError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
"""Missing rights or wrong credentials: a restart meets them again, until a person changes them."""


def fatal(where: str, error: BaseException) -> Fatal:
    """The error as a reason to end the process: itself if it is ``Fatal``, else with the place where it was raised."""
    if isinstance(error, Fatal):
        return error
    kind = Permanent if isinstance(error, REFUSALS) else Fatal
    found = kind(f"{where}: {type(error).__name__}: {error}")
    found.__cause__ = error
    return found
