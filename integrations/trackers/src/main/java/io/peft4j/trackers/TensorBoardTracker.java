package io.peft4j.trackers;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * An event file that {@code tensorboard --logdir} shows: a scalar for each name of {@code metrics.jsonl}, and the
 * settings as text. Values are floats there. A training that is resumed writes another file beside the first.
 */
public final class TensorBoardTracker implements Tracker {
    private static final int MASK_DELTA = 0xa282ead8;
    private static final int STRING = 7;

    private final Optional<Path> folder;

    /** Event files in {@code runs} in the folder of the training. */
    public TensorBoardTracker() {
        this.folder = Optional.empty();
    }

    /** Event files in this folder. */
    public TensorBoardTracker(Path folder) {
        this.folder = Optional.of(folder);
    }

    @Override
    public String name() {
        return "tensorboard";
    }

    @Override
    public String form() {
        return "tensorboard[=DIR]";
    }

    @Override
    public TensorBoardTracker at(String place) {
        return new TensorBoardTracker(Path.of(place));
    }

    @Override
    public TrackedRun begin(RunDescription run) throws IOException {
        Path place = folder.orElseGet(() -> run.folder().resolve("runs"));
        Files.createDirectories(place);
        Instant now = Instant.now();
        Path file = place.resolve("events.out.tfevents." + now.getEpochSecond() + "." + host() + "."
                + ProcessHandle.current().pid() + "." + now.getNano() / 1000);
        OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        EventFile events = new EventFile(out);
        events.write(event(now).text(3, "brain.Event:2"));
        StringBuilder table = new StringBuilder("| setting | value |\n|---|---|\n");
        run.settings().forEach((name, value) -> table.append("| ").append(name).append(" | ")
                .append(value.replace("|", "\\|").replace('\n', ' ')).append(" |\n"));
        events.write(event(now).whole(2, run.doneSteps()).message(5, summary(text("settings", table.toString()))));
        out.flush();
        return events;
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }

    private static ProtoMessage event(Instant time) {
        return new ProtoMessage().real(1, time.getEpochSecond() + time.getNano() / 1e9);
    }

    private static ProtoMessage summary(ProtoMessage value) {
        return new ProtoMessage().message(1, value);
    }

    private static ProtoMessage text(String tag, String content) {
        ProtoMessage plugin = new ProtoMessage().text(1, "text");
        ProtoMessage tensor = new ProtoMessage().whole(1, STRING).message(2, new ProtoMessage()
                .message(2, new ProtoMessage().whole(1, 1))).text(8, content);
        return new ProtoMessage().text(1, tag).message(9, new ProtoMessage().message(1, plugin)).message(8, tensor);
    }

    /** Records of TensorFlow: length, checksum of the length, content, checksum of the content. */
    private static final class EventFile implements TrackedRun {
        private final OutputStream out;

        EventFile(OutputStream out) {
            this.out = out;
        }

        @Override
        public void log(List<MetricRow> rows) throws IOException {
            for (MetricRow row : rows) {
                for (Map.Entry<String, Double> value : row.values().entrySet()) {
                    write(event(row.time()).whole(2, row.step()).message(5, summary(new ProtoMessage()
                            .text(1, value.getKey()).single(2, value.getValue().floatValue()))));
                }
            }
            out.flush();
        }

        void write(ProtoMessage event) throws IOException {
            byte[] content = event.toBytes();
            byte[] length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(content.length).array();
            out.write(length);
            out.write(checksum(length));
            out.write(content);
            out.write(checksum(content));
        }

        private static byte[] checksum(byte[] content) {
            CRC32C crc = new CRC32C();
            crc.update(content);
            int value = (int) crc.getValue();
            int masked = (value >>> 15 | value << 17) + MASK_DELTA;
            return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(masked).array();
        }

        @Override
        public void end(RunEnd end) throws IOException {
            write(event(Instant.now()).message(5, summary(text("status", end.status().name()))));
            out.close();
        }
    }
}
