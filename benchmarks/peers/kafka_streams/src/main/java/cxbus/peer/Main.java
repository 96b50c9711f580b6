package cxbus.peer;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** Says on standard output where its results stand, and works until SIGTERM. */
public final class Main {

    private static final Duration PATIENCE = Duration.ofSeconds(8);

    private Main() {}

    public static void main(String[] arguments) throws InterruptedException {
        Settings settings = Settings.from(System.getenv());
        System.out.write(topics(settings), 0, topics(settings).length);
        System.out.println();
        CountDownLatch ended = new CountDownLatch(1);
        KafkaStreams streams = new KafkaStreams(Pipeline.of(settings), Tuning.of(settings));
        streams.setUncaughtExceptionHandler(failure -> {
            failure.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.ERROR || now == KafkaStreams.State.NOT_RUNNING) {
                ended.countDown();
            }
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(PATIENCE)));
        streams.start();
        ended.await();
        if (streams.state() == KafkaStreams.State.ERROR) {
            System.exit(1);
        }
    }

    private static byte[] topics(Settings settings) {
        return new JsonText(512)
                .begin('{')
                .name("hop")
                .string(settings.journal())
                .name("timeline")
                .string(settings.changelog(Settings.TIMELINE_STORE))
                .name("profiles")
                .string(settings.changelog(Settings.PROFILE_STORE))
                .name("alerts")
                .string(settings.alerts())
                .end('}')
                .toBytes();
    }
}
