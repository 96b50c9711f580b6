"""Reads all input topics from start to end, decodes every value, and prints how long that took."""

from __future__ import annotations

import asyncio
import json
import os
import time

import orjson
from aiokafka import AIOKafkaConsumer

from ..place import Place


async def read(place: Place) -> tuple[int, float]:
    """How many events, and the seconds from the first batch asked for to the last event decoded."""
    consumer = AIOKafkaConsumer(
        *place.inputs,  # without a group, all their partitions
        bootstrap_servers=place.bootstrap,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=4 * 1024 * 1024,
        check_crcs=False,
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        left = {partition for partition, end in ends.items() if end > 0}
        count = 0
        began = time.perf_counter()
        while left:
            for partition, records in (await consumer.getmany(timeout_ms=1_000)).items():
                for record in records:
                    orjson.loads(record.value)
                count += len(records)
                if records[-1].offset + 1 >= ends[partition]:
                    left.discard(partition)
        return count, time.perf_counter() - began
    finally:
        await consumer.stop()


def main() -> None:
    """The environment says where."""
    count, seconds = asyncio.run(read(Place.of(os.environ)))
    print(json.dumps({"seconds": round(seconds, 3), "count": count, "per_second": round(count / seconds)}))


if __name__ == "__main__":
    main()
