"""What Kafka answers, as a reason to end."""

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
"""What Kafka says to somebody who may not: it says so again after a restart, until a person changes it."""


def fatal(where: str, error: BaseException) -> Fatal:
    """The error as a reason to end: itself if it is one, else with the place where it came up."""
    if isinstance(error, Fatal):
        return error
    kind = Permanent if isinstance(error, REFUSALS) else Fatal
    found = kind(f"{where}: {type(error).__name__}: {error}")
    found.__cause__ = error
    return found
