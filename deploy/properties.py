"""The settings of the embedded broker, as Kafka and its logging read them.

Paths are relative to the directory in which the broker starts: Kafka would read an absolute path with a comma as two
directories.
"""

from __future__ import annotations

MIB = 1024 * 1024


def broker_properties(log_dir: str, broker_port: int, controller_port: int) -> str:
    """``server.properties`` of a single node that is broker and controller, on loopback only."""
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"BROKER://127.0.0.1:{broker_port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"BROKER://127.0.0.1:{broker_port}",
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "BROKER",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": log_dir,
        # The name of an undeclared topic is a typing error: do not create it.
        "auto.create.topics.enable": "false",
        # Internal topics take records of 2 MiB; 64 KiB more are for the record batch around one.
        "message.max.bytes": 2 * MIB + 64 * 1024,
        # One node: nothing can be replicated.
        "default.replication.factor": 1,
        "min.insync.replicas": 1,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        # With the default of 50 partitions each, the first consumer and the first transaction wait for their creation.
        "offsets.topic.num.partitions": 4,
        # A killed broker reads these topics again before it serves requests about them: keep them short.
        "offsets.topic.segment.bytes": MIB,
        "transaction.state.log.segment.bytes": MIB,
        "log.cleaner.backoff.ms": 2_000,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.num.partitions": 1,
        # An open transaction of a dead producer blocks read_committed consumers: abort expired ones every second, and
        # allow short timeouts only.
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
        "transaction.max.timeout.ms": 60_000,
        # The members of a small group join at once; tests need short sessions.
        "group.initial.rebalance.delay.ms": 100,
        "group.min.session.timeout.ms": 1_000,
        # A killed broker can register again when its old session has ended: 3 s instead of 9.
        "broker.session.timeout.ms": 3_000,
        "broker.heartbeat.interval.ms": 500,
        # 60 days, longer than any topic's retention: a bus that was off for weeks continues where it stopped.
        "offsets.retention.minutes": 60 * 24 * 60,
        # For small machines: few threads, and 16 MiB instead of 128 for the key map of compaction.
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 2,
        "num.recovery.threads.per.data.dir": 2,
        "group.coordinator.threads": 1,
        "log.cleaner.dedupe.buffer.size": 16 * MIB,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def logging_properties() -> str:
    """log4j's configuration: warnings and errors into ``broker.log``, 15 MB at most."""
    return """\
status=error
appender.file.type=RollingFile
appender.file.name=file
appender.file.fileName=broker.log
appender.file.filePattern=broker.log.%i
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d{ISO8601} %p %c{1}: %m%n
appender.file.policies.type=Policies
appender.file.policies.size.type=SizeBasedTriggeringPolicy
appender.file.policies.size.size=5MB
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.max=2
rootLogger.level=warn
rootLogger.appenderRef.file.ref=file
"""
