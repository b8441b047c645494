package io.peft4j.trackers;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.io.AtomicFiles;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * An offline run of Weights and Biases, which {@code wandb sync FOLDER} uploads: configuration, history, summary, and
 * the adapter's configuration and weights as files. Nothing is sent from here.
 *
 * <p>Of wandb's environment variables, {@code WANDB_PROJECT}, {@code WANDB_ENTITY}, {@code WANDB_NAME},
 * {@code WANDB_RUN_ID}, {@code WANDB_RUN_GROUP}, {@code WANDB_JOB_TYPE}, {@code WANDB_TAGS} (with commas),
 * {@code WANDB_NOTES} and {@code WANDB_DIR} are followed.
 */
public final class WandbTracker implements Tracker {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final DateTimeFormatter STAMP = DateTimeFormatter.ofPattern("yyyyMMdd_HHmmss");
    private static final String ID_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
    private static final int HISTORY = 2;
    private static final int SUMMARY = 3;
    private static final int FILES = 6;
    private static final int RUN = 17;
    private static final int EXIT = 18;
    private static final int HEADER = 21;

    private final Optional<Path> folder;
    private final Map<String, String> environment;

    /** Runs below {@code wandb} in the folder of {@code WANDB_DIR}, or in that of the training. */
    public WandbTracker() {
        this(Optional.empty(), System.getenv());
    }

    /** Runs below {@code wandb} in this folder, or in that of {@code WANDB_DIR}. */
    public WandbTracker(Path folder) {
        this(folder, System.getenv());
    }

    /** As {@link #WandbTracker(Path)}, with these environment variables. */
    public WandbTracker(Path folder, Map<String, String> environment) {
        this(Optional.of(folder), environment);
    }

    private WandbTracker(Optional<Path> folder, Map<String, String> environment) {
        this.environment = Map.copyOf(environment);
        this.folder = variable("DIR").map(Path::of).or(() -> folder);
    }

    private Optional<String> variable(String name) {
        return Optional.ofNullable(environment.get("WANDB_" + name)).filter(value -> !value.isBlank());
    }

    @Override
    public String name() {
        return "wandb";
    }

    @Override
    public String form() {
        return "wandb[=DIR]";
    }

    @Override
    public WandbTracker at(String place) {
        return new WandbTracker(Path.of(place));
    }

    @Override
    public TrackedRun begin(RunDescription run) throws IOException {
        String id = variable("RUN_ID").orElseGet(WandbTracker::newId);
        Path place = folder.orElseGet(run::folder).resolve("wandb")
                .resolve("offline-run-" + STAMP.format(LocalDateTime.now()) + "-" + id);
        Files.createDirectories(place.resolve("files"));
        Files.createDirectories(place.resolve("logs"));
        RunLog log = new RunLog(new BufferedOutputStream(Files.newOutputStream(place.resolve("run-" + id + ".wandb"))));
        Run started = new Run(place, log, run.doneSteps());
        started.begin(run, id);
        return started;
    }

    private static String newId() {
        StringBuilder id = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            id.append(ID_LETTERS.charAt(ThreadLocalRandom.current().nextInt(ID_LETTERS.length())));
        }
        return id.toString();
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }

    private static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not a value of JSON: " + value, e);
        }
    }

    /** A setting as the value that its text is. */
    private static Object value(String text) {
        try {
            return JSON.readTree(text).isValueNode() ? JSON.readTree(text) : text;
        } catch (JsonProcessingException e) {
            return text;
        }
    }

    private final class Run implements TrackedRun {
        private final Path place;
        private final RunLog log;
        private final Instant start = Instant.now();
        private final Map<String, Object> summary = new LinkedHashMap<>();
        private long records;
        /** What was measured at the last step. */
        private final Map<String, Object> history = new LinkedHashMap<>();
        private long lastStep;

        Run(Path place, RunLog log, long doneSteps) {
            this.place = place;
            this.log = log;
            this.lastStep = doneSteps;
        }

        private void record(int kind, ProtoMessage content) throws IOException {
            log.write(new ProtoMessage().whole(1, ++records).message(kind, content).toBytes());
        }

        void begin(RunDescription run, String id) throws IOException {
            record(HEADER, new ProtoMessage().message(1, new ProtoMessage().text(1, "0.17.0").text(2, "0.9.0")));
            Map<String, Object> config = new LinkedHashMap<>();
            run.settings().forEach((name, text) -> config.put(name, value(text)));
            ProtoMessage items = new ProtoMessage();
            config.forEach((name, value) -> items.message(1, new ProtoMessage().text(1, name).text(16, json(value))));
            ProtoMessage message = new ProtoMessage().text(1, id);
            variable("ENTITY").ifPresent(entity -> message.text(2, entity));
            message.text(3, variable("PROJECT").orElse("peft4j")).message(4, items);
            variable("RUN_GROUP").ifPresent(group -> message.text(6, group));
            variable("JOB_TYPE").ifPresent(type -> message.text(7, type));
            message.text(8, variable("NAME").orElse(run.name()));
            variable("NOTES").ifPresent(notes -> message.text(9, notes));
            variable("TAGS").ifPresent(tags -> Stream.of(tags.split(","))
                    .forEach(tag -> message.text(10, tag.strip())));
            message.text(13, host()).whole(14, run.doneSteps()).message(17, new ProtoMessage()
                    .whole(1, start.getEpochSecond()).whole(2, start.getNano()));
            record(RUN, message);
            writeFiles(config);
            log.flush();
        }

        private void writeFiles(Map<String, Object> config) throws IOException {
            ObjectNode yaml = JSON.createObjectNode();
            config.forEach((name, value) -> yaml.putObject(name).set("value", JSON.valueToTree(value)));
            // JSON is YAML as well.
            AtomicFiles.writeString(place.resolve("files/config.yaml"), yaml.toPrettyString() + "\n");
            ObjectNode metadata = JSON.createObjectNode().put("os", System.getProperty("os.name"))
                    .put("startedAt", start.toString()).put("program", "peft4j").put("host", host())
                    .put("java", System.getProperty("java.version"));
            AtomicFiles.writeString(place.resolve("files/wandb-metadata.json"), metadata.toPrettyString() + "\n");
        }

        @Override
        public void log(List<MetricRow> rows) throws IOException {
            for (MetricRow row : rows) {
                long step = Math.max(row.step(), lastStep);
                if (step > lastStep) {
                    writeHistory();
                }
                lastStep = step;
                history.putAll(row.values());
                history.put("_step", step);
                history.put("_timestamp", row.seconds());
                history.put("_runtime", row.seconds() - start.getEpochSecond() - start.getNano() / 1e9);
                summary.putAll(history);
            }
            writeSummary();
            log.flush();
        }

        /** A history has one row a step, in rising order, which is complete when another step begins. */
        private void writeHistory() throws IOException {
            if (!history.isEmpty()) {
                ProtoMessage items = new ProtoMessage();
                history.forEach((name, value) -> items.message(1, item(name, value)));
                record(HISTORY, items.message(2, new ProtoMessage().whole(1, lastStep)));
                history.clear();
            }
        }

        private ProtoMessage item(String name, Object value) {
            // Readers before and after nested keys came find the name.
            return new ProtoMessage().text(1, name).text(2, name).text(16, json(value));
        }

        private void writeSummary() throws IOException {
            ProtoMessage items = new ProtoMessage();
            summary.forEach((name, value) -> items.message(1, item(name, value)));
            record(SUMMARY, items);
        }

        @Override
        public void end(RunEnd end) throws IOException {
            writeHistory();
            summary.putAll(end.summary());
            summary.put("status", end.status().name().toLowerCase(java.util.Locale.ROOT));
            writeSummary();
            AtomicFiles.writeString(place.resolve("files/wandb-summary.json"), json(summary) + "\n");
            if (end.adapter().isPresent()) {
                copyAdapter(end.adapter().get());
            }
            long seconds = Instant.now().getEpochSecond() - start.getEpochSecond();
            record(EXIT, new ProtoMessage().whole(1, end.status() == RunEnd.Status.FAILED ? 1 : 0).whole(2, seconds));
            log.close();
        }

        private void copyAdapter(Path adapter) throws IOException {
            ProtoMessage files = new ProtoMessage();
            Files.createDirectories(place.resolve("files/adapter"));
            for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
                if (Files.isRegularFile(adapter.resolve(name))) {
                    Files.copy(adapter.resolve(name), place.resolve("files/adapter").resolve(name),
                            StandardCopyOption.REPLACE_EXISTING);
                    files.message(1, new ProtoMessage().text(1, "adapter/" + name).whole(2, 1));
                }
            }
            record(FILES, files);
        }
    }

    /**
     * The log format of a Weights and Biases run: a header, then records in blocks of 32 KiB as LevelDB has them. A
     * piece of a record has a checksum (CRC-32 of its type and content), its length and its type; where a block has no
     * room for that head, it is filled with zeros.
     */
    static final class RunLog implements AutoCloseable {
        private static final int BLOCK = 32_768;
        private static final int HEAD = 7;
        private static final int FULL = 1;
        private static final int FIRST = 2;
        private static final int MIDDLE = 3;
        private static final int LAST = 4;
        private static final byte[] FILE_HEADER = {':', 'W', '&', 'B', (byte) 0xE1, (byte) 0xBE, 0};

        private final OutputStream out;
        private int inBlock;

        RunLog(OutputStream out) throws IOException {
            this.out = out;
            out.write(FILE_HEADER);
            inBlock = FILE_HEADER.length;
        }

        void write(byte... record) throws IOException {
            int from = 0;
            // A first piece may be empty: where a block has room for its head alone.
            boolean begun = false;
            boolean ends;
            do {
                if (BLOCK - inBlock < HEAD) {
                    out.write(new byte[BLOCK - inBlock]);
                    inBlock = 0;
                }
                int length = Math.min(record.length - from, BLOCK - inBlock - HEAD);
                ends = from + length == record.length;
                piece(begun ? ends ? LAST : MIDDLE : ends ? FULL : FIRST, record, from, length);
                begun = true;
                from += length;
            } while (!ends);
        }

        private void piece(int type, byte[] record, int from, int length) throws IOException {
            CRC32 crc = new CRC32();
            crc.update(type);
            crc.update(record, from, length);
            out.write(ByteBuffer.allocate(HEAD).order(ByteOrder.LITTLE_ENDIAN).putInt((int) crc.getValue())
                    .putShort((short) length).put((byte) type).array());
            out.write(record, from, length);
            inBlock = (inBlock + HEAD + length) % BLOCK;
        }

        void flush() throws IOException {
            out.flush();
        }

        @Override
        public void close() throws IOException {
            out.close();
        }
    }
}
