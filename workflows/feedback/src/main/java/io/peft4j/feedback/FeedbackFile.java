package io.peft4j.feedback;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ClosedException;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Closer;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.feedback.Feedback.Rating;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file of a store: a line for an answer, a rating, a correction. What a process left of a line when it was killed
 * is cut off.
 */
final class FeedbackFile implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FeedbackFile.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String TYPE = "type";
    private static final String OWNER_ONLY = "rw-------";

    private final Path path;
    /** Not written to as a channel: an interrupt of one thread would close it for all. */
    private RandomAccessFile file;
    private boolean closed;
    private int lines;

    private FeedbackFile(Path path) {
        this.path = path;
    }

    /** Opens a file and reads what it holds. */
    static FeedbackFile open(Path path, Map<String, Feedback> into) {
        FeedbackFile file = new FeedbackFile(path);
        try (Closer opened = new Closer()) {
            opened.add(file);
            if (path.toAbsolutePath().getParent() != null) {
                Files.createDirectories(path.toAbsolutePath().getParent());
            }
            file.openFile();
            file.read(into);
            opened.keep();
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot open " + path + ": " + AtomicFiles.reason(e), e);
        }
    }

    private void openFile() throws IOException {
        boolean posix = path.getFileSystem().supportedFileAttributeViews().contains("posix");
        if (posix && Files.notExists(path)) {
            Files.createFile(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(OWNER_ONLY)));
        }
        file = new RandomAccessFile(path.toFile(), "rw");
        try {
            if (file.getChannel().tryLock() == null) {
                throw new OverlappingFileLockException();
            }
        } catch (OverlappingFileLockException e) {
            throw new ConfigurationException(path + " is already open; use one store per process", e);
        }
    }

    private void read(Map<String, Feedback> into) throws IOException {
        byte[] bytes = Files.readAllBytes(path);
        int end = bytes.length;
        while (end > 0 && bytes[end - 1] != '\n') {
            end--;
        }
        if (end < bytes.length) {
            LOG.warn("{}: truncated the incomplete last line", path);
            file.setLength(end);
        }
        file.seek(end);
        if (end == 0) {
            return;
        }
        for (String line : new String(Arrays.copyOf(bytes, end - 1), StandardCharsets.UTF_8).split("\n", -1)) {
            lines++;
            apply(line, into);
        }
    }

    private void apply(String line, Map<String, Feedback> into) {
        try {
            JsonNode row = JSON.readTree(line);
            String id = row.path("id").asText();
            switch (row.path(TYPE).asText()) {
                case "answer" -> into.put(id, answer(row));
                case "rating" -> into.computeIfPresent(id, (key, one) -> one.rated(Rating.of(row.path("rating")
                        .asText()), time(row)));
                case "correction" -> into.computeIfPresent(id, (key, one) -> one.corrected(row.path("text").asText(),
                        time(row)));
                default -> throw new IllegalArgumentException("\"type\" must be answer, rating or correction");
            }
        } catch (JsonProcessingException e) {
            throw new FileFormatException(path, "line " + lines + " is not valid JSON: " + e.getOriginalMessage(), e);
        } catch (IllegalArgumentException e) {
            throw new FileFormatException(path, "line " + lines + ": " + e.getMessage(), e);
        }
    }

    private static Feedback answer(JsonNode row) {
        List<ChatMessage> asked = new ArrayList<>();
        row.path("messages").forEach(turn -> asked.add(ChatMessage.fromMap(JSON.convertValue(turn, Map.class))));
        return new Feedback(row.path("id").asText(), time(row), asked,
                row.path("answer").asText(), Optional.ofNullable(row.get("subject")).map(JsonNode::asText),
                Optional.empty(), Optional.empty(), Optional.empty());
    }

    private static Instant time(JsonNode row) {
        return Instant.ofEpochMilli(row.path("time").asLong());
    }

    private static ObjectNode row(String type, Feedback one, Instant time) {
        return JSON.createObjectNode().put(TYPE, type).put("id", one.id()).put("time", time.toEpochMilli());
    }

    private static ObjectNode answer(Feedback one) {
        ObjectNode row = row("answer", one, one.time());
        row.set("messages", JSON.valueToTree(one.asked().stream().map(ChatMessage::toMap).toList()));
        row.put("answer", one.answer());
        one.subject().ifPresent(subject -> row.put("subject", subject));
        return row;
    }

    private static ObjectNode rating(Feedback one) {
        return row("rating", one, one.judged().orElseThrow()).put("rating", one.rating().orElseThrow().key());
    }

    private static ObjectNode correction(Feedback one) {
        return row("correction", one, one.judged().orElseThrow()).put("text", one.correction().orElseThrow());
    }

    void appendAnswer(Feedback one) {
        append(answer(one));
    }

    void appendRating(Feedback one) {
        append(rating(one));
    }

    void appendCorrection(Feedback one) {
        append(correction(one));
    }

    private void append(ObjectNode row) {
        if (closed) {
            throw new ClosedException("the feedback store " + path);
        }
        try {
            file.write((row + "\n").getBytes(StandardCharsets.UTF_8));
            file.getFD().sync();
            lines++;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + path + ": " + AtomicFiles.reason(e), e);
        }
    }

    /** Rewrites the file with nothing but this. */
    void rewrite(Collection<Feedback> all) {
        List<ObjectNode> rows = new ArrayList<>();
        for (Feedback one : all) {
            rows.add(answer(one));
            one.rating().ifPresent(rating -> rows.add(rating(one)));
            one.correction().ifPresent(text -> rows.add(correction(one)));
        }
        StringBuilder text = new StringBuilder();
        rows.forEach(row -> text.append(row).append('\n'));
        release();
        try {
            AtomicFiles.writeString(path, text.toString());
            if (path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(OWNER_ONLY));
            }
            openFile();
            file.seek(file.length());
            lines = rows.size();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + path + ": " + AtomicFiles.reason(e), e);
        }
    }

    /** How many lines it has. */
    int lines() {
        return lines;
    }

    @Override
    public void close() {
        closed = true;
        release();
    }

    private void release() {
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException e) {
            LOG.warn("{} could not be closed: {}", path, AtomicFiles.reason(e));
        }
    }
}
