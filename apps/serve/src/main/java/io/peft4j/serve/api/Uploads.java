package io.peft4j.serve.api;

import io.javalin.http.Context;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.LongRequests;
import io.peft4j.serve.job.TrainingFile;
import io.peft4j.serve.store.Ids;
import io.peft4j.serve.store.Store;
import io.peft4j.serve.store.StoredFile;
import jakarta.servlet.MultipartConfigElement;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.Part;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes files: their content goes to the disk as it comes, so neither its size nor whether that is known before costs
 * memory. A file of training data is looked at: one without a row is refused, one that is not JSON Lines is kept and
 * says so.
 */
final class Uploads {
    private static final Logger LOG = LoggerFactory.getLogger(Uploads.class);
    /** The other fields, and their delimiters. */
    private static final long MOST_BESIDE = 64 << 10;
    private static final int MOST_NAME = 255;
    private static final long SHORTEST = 3600;
    private static final long LONGEST = 2_592_000;
    private static final Set<String> FIELDS = new TreeSet<>(Set.of("file", "purpose", "expires_after[anchor]",
            "expires_after[seconds]"));
    private static final String NO_JSON = "line 1: is not valid JSON";
    private static final String CONFIGURATION = "org.eclipse.jetty.multipartConfig";

    private final Store store;
    private final Clock clock;
    private final long mostBytes;

    Uploads(Store store, Clock clock, long mostBytes) {
        this.store = store;
        this.clock = clock;
        this.mostBytes = mostBytes;
    }

    /** Takes the file of a request; when this has returned, it is kept. */
    StoredFile take(Context request) {
        if (!request.isMultipartFormData()) {
            throw ApiException.invalid("files are sent as multipart/form-data with the fields 'file' and 'purpose'");
        }
        Caller caller = Caller.of(request);
        // What surely is too large is not even read.
        long least = Math.max(0, request.req().getContentLengthLong() - MOST_BESIDE);
        store.disk().requireRoom(least);
        requireRoom(caller, least);
        Map<String, Part> parts = parts(request);
        try {
            return take(parts, request);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot keep the file", e);
        } finally {
            parts.values().forEach(part -> tidy(part::delete));
        }
    }

    /** The file is kept, or the request has failed already: what stays of it goes when the server ends. */
    static void tidy(Deletion deletion) {
        try {
            deletion.run();
        } catch (IOException | RuntimeException | Error e) {
            LOG.warn("cannot delete what was uploaded: {}", e.toString());
        }
    }

    @FunctionalInterface
    interface Deletion {
        void run() throws IOException;
    }

    private Map<String, Part> parts(Context request) {
        request.req().setAttribute(CONFIGURATION, new MultipartConfigElement(store.files().spoolFolder().toString(),
                mostBytes, mostBytes + MOST_BESIDE, 0));
        try {
            Collection<Part> parts = request.req().getParts();
            Map<String, Part> byName = new LinkedHashMap<>();
            for (Part part : parts) {
                if (part.getName() == null || byName.put(part.getName(), part) != null) {
                    throw ApiException.invalid("a field of the form has no name, or two have the same");
                }
            }
            return byName;
        } catch (IOException | ServletException | RuntimeException e) {
            throw refusal(e);
        }
    }

    /** What the parser says of a form that it cannot read, or that is too large. */
    private RuntimeException refusal(Exception e) {
        if (e instanceof ApiException known) {
            return known;
        }
        if (store.disk().note(e)) {
            return ApiException.outOfSpace();
        }
        StringBuilder messages = new StringBuilder();
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof ApiException slow) {
                return slow;
            }
            messages.append(cause.getMessage()).append('\n');
        }
        String text = messages.toString().toLowerCase(Locale.ROOT);
        if (text.contains("headers max length")) {
            return ApiException.invalid("the name of a field or a file of the form is too long");
        }
        if (text.contains("exceeded") || text.contains("too large") || text.contains("max length")) {
            return ApiException.tooLarge("a file may have at most " + mostBytes + " bytes");
        }
        return ApiException.invalid("the form cannot be read: it is damaged, or ended before its end");
    }

    private StoredFile take(Map<String, Part> parts, Context request) throws IOException {
        parts.keySet().stream().filter(name -> !FIELDS.contains(name)).findFirst().ifPresent(name -> {
            throw ApiException.of(400, "invalid_request_error", "unknown_parameter", name, "unknown field '" + name
                    + "' of the form; " + SimilarNames.sentence(name, FIELDS));
        });
        Part file = parts.get("file");
        if (file == null || file.getSubmittedFileName() == null) {
            throw ApiException.invalid("file", "the form has no file in the field 'file'");
        }
        String purpose = text(parts, "purpose").orElseThrow(() -> ApiException.invalid("purpose",
                "the form has no field 'purpose'"));
        if (!FileRoutes.PURPOSES.contains(purpose)) {
            throw ApiException.invalid("purpose", "purpose must be one of " + FileRoutes.PURPOSES);
        }
        Optional<Long> lifetime = lifetime(parts);
        String name = name(file.getSubmittedFileName());
        Path spool = store.files().spool();
        try {
            file.write(spool.toString());
            return keep(spool, name, purpose, lifetime, request);
        } finally {
            tidy(() -> Files.deleteIfExists(spool));
        }
    }

    /**
     * Keeps what was written to a file of the spool, for the caller of a request.
     *
     * @param lifetime seconds from its creation, where it does not stay
     */
    StoredFile keep(Path spool, String name, String purpose, Optional<Long> lifetime, Context request)
            throws IOException {
        Caller caller = Caller.of(request);
        force(spool);
        LongRequests.enter(request);
        String id = Ids.next("file-");
        // Its name may be wrong: what is of another type is so from its first line on.
        Optional<String> wrong = purpose.equals("fine-tune") ? fault(spool, request).map(fault -> FileRoutes.advice(id,
                name, request).filter(any -> fault.startsWith("line 1: ")).orElse(fault
                        + (fault.startsWith(NO_JSON)
                                ? "; a table or a document is known by the ending of its name, such as .csv or .docx"
                                : "")))
                : Optional.empty();
        long created = clock.instant().getEpochSecond();
        StoredFile stored = new StoredFile(id, caller.id(), caller.home(), name, purpose,
                Files.size(spool), created, lifetime.map(seconds -> created + seconds),
                wrong.isEmpty() ? "processed" : "error", wrong);
        if (!store.files().add(stored, spool, caller.storedBytes())) {
            throw outOfQuota(caller.storedBytes().orElseThrow());
        }
        return stored;
    }

    private void requireRoom(Caller caller, long bytes) {
        caller.storedBytes().filter(most -> store.files().bytesOf(caller.id()) + bytes > most).ifPresent(most -> {
            throw outOfQuota(most);
        });
    }

    private static ApiException outOfQuota(long most) {
        return ApiException.of(403, "insufficient_quota", "insufficient_quota", "file", "the key may keep " + most
                + " bytes of files; delete some");
    }

    private static void force(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    /** The last part of what the client calls it, without what cannot be shown. */
    static String name(String submitted) {
        String last = submitted.substring(Math.max(submitted.lastIndexOf('/'), submitted.lastIndexOf('\\')) + 1)
                .replaceAll("\\p{Cntrl}", "").strip();
        return last.isEmpty() ? "file" : last.substring(0, Math.min(MOST_NAME, last.length()));
    }

    private static Optional<String> text(Map<String, Part> parts, String field) throws IOException {
        Part part = parts.get(field);
        if (part == null) {
            return Optional.empty();
        }
        try (InputStream stream = part.getInputStream()) {
            return Optional.of(new String(stream.readNBytes(MOST_NAME), StandardCharsets.UTF_8).strip());
        }
    }

    private static Optional<Long> lifetime(Map<String, Part> parts) throws IOException {
        Optional<String> anchor = text(parts, "expires_after[anchor]");
        Optional<String> seconds = text(parts, "expires_after[seconds]");
        if (anchor.isEmpty() && seconds.isEmpty()) {
            return Optional.empty();
        }
        if (!anchor.equals(Optional.of("created_at"))) {
            throw ApiException.invalid("expires_after.anchor", "expires_after.anchor must be created_at");
        }
        try {
            long value = Long.parseLong(seconds.orElse(""));
            if (value >= SHORTEST && value <= LONGEST) {
                return Optional.of(value);
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw ApiException.invalid("expires_after.seconds", "expires_after.seconds must be from " + SHORTEST + " to "
                + LONGEST);
    }

    /**
     * What is wrong with the file as a whole.
     *
     * @throws ApiException when there is no row
     */
    private static Optional<String> fault(Path file, Context request) {
        TrainingFile.Look look = TrainingFile.look(file, () -> LongRequests.requireClient(request));
        if (look.rows() == 0 && look.fault().isEmpty()) {
            throw ApiException.invalid("file", "the file holds no row; a file for fine-tune has an example a line");
        }
        return look.fault().or(look::tooLarge);
    }
}
