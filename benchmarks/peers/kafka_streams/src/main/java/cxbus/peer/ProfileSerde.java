package cxbus.peer;

import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/** A profile as the JSON document that anybody may read from the store's changelog. */
final class ProfileSerde implements Serde<Profile> {

    @Override
    public Serializer<Profile> serializer() {
        ProfileWriter writer = new ProfileWriter();
        return (topic, profile) -> profile == null ? null : writer.write(profile);
    }

    @Override
    public Deserializer<Profile> deserializer() {
        return (topic, json) -> json == null ? null : ProfileReader.read(json);
    }
}
