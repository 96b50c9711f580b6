"""The metadata request, byte by byte as the Kafka protocol guide has it."""

from __future__ import annotations

from engine.kafka.metadata_request import MetadataRequest, MetadataRequest10, MetadataResponse10

TOPIC_ID = bytes(range(16))


def test_the_request_asks_for_topics_by_name_and_lets_none_be_created() -> None:
    request = MetadataRequest(["ab"]).build(MetadataRequest10)
    one_topic = b"\x02" + bytes(16) + b"\x03ab" + b"\x00"
    assert request.encode() == one_topic + b"\x00\x00\x00" + b"\x00"
    assert (request.API_KEY, request.API_VERSION, request.FLEXIBLE_VERSION) == (3, 10, True)


def test_the_answer_has_cluster_topic_ids_and_partitions() -> None:
    broker = b"\x00\x00\x00\x01" + b"\x02h" + b"\x00\x00\x23\x84" + b"\x00" + b"\x00"
    partition = (
        b"\x00\x00" + b"\x00\x00\x00\x05" + b"\x00\x00\x00\x01" + b"\x00\x00\x00\x00" + b"\x01\x01\x01" + b"\x00"
    )
    topic = b"\x00\x00" + b"\x03ab" + TOPIC_ID + b"\x00" + b"\x02" + partition + b"\x80\x00\x00\x00" + b"\x00"
    answer = MetadataResponse10.decode(
        b"\x00\x00\x00\x00"
        + b"\x02"
        + broker
        + b"\x03cl"
        + b"\x00\x00\x00\x01"
        + b"\x02"
        + topic
        + b"\x80\x00\x00\x00\x00"
    )
    assert answer.cluster_id == "cl"
    ((error, name, topic_id, internal, partitions, _, _),) = answer.topics
    assert (error, name, topic_id, internal) == (0, "ab", TOPIC_ID, False)
    assert [number for _, number, *_ in partitions] == [5]
