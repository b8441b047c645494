package io.peft4j.serve.job;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.engine.WorkShare;
import io.peft4j.core.io.Uninterrupted;
import io.peft4j.data.format.DataRow;
import io.peft4j.data.format.OpenRows;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bound;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.Endpoint;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.store.Ids;
import io.peft4j.serve.store.Job;
import io.peft4j.serve.store.JobQueue;
import io.peft4j.serve.store.Store;
import io.peft4j.serve.store.StoredFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.ObjLongConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers the requests of batches: several at a time while no client waits, one beside those that do. Each answer is
 * kept as it comes, so that a server which starts again asks for those only that are missing.
 */
public final class BatchRun {
    private static final Logger LOG = LoggerFactory.getLogger(BatchRun.class);
    /** The files of answers. */
    private static final List<String> KINDS = List.of("output", "error");
    private static final int AT_ONCE = 8;
    private static final int OK = 200;
    private static final long LOOK_MILLIS = 20;
    private static final long RETRY_MILLIS = 500;

    private final Store store;
    private final Map<String, Endpoint> endpoints;
    private final WorkShare share;
    private final Clock clock;
    private final ObjLongConsumer<String> spend;

    /**
     * Batches over what answers clients, too.
     *
     * @param endpoints what answers, by its path
     * @param share knows of the clients that wait
     * @param spend gets how many tokens were used for the key of an id
     */
    public BatchRun(Store store, Map<String, Endpoint> endpoints, WorkShare share, Clock clock,
            ObjLongConsumer<String> spend) {
        this.store = store;
        this.endpoints = endpoints;
        this.share = share;
        this.clock = clock;
        this.spend = spend;
    }

    /** A request of a batch: a line of its file. */
    private record Line(String id, ObjectNode body) {
        static Line of(DataRow entry, String endpoint) {
            entry.faults().forEach(fault -> {
                throw wrong(entry, "invalid_json_line", fault.message());
            });
            Map<String, Object> row = entry.fields();
            if (!(row.get("custom_id") instanceof String id) || id.isEmpty()) {
                throw wrong(entry, "missing_required_parameter", "'custom_id' must be a text that names the request");
            }
            if (!"POST".equals(row.get("method")) || !endpoint.equals(row.get("url"))) {
                throw wrong(entry, "mismatched_url", "'method' must be POST and 'url' the endpoint of the batch, "
                        + endpoint);
            }
            if (!(row.get("body") instanceof Map<?, ?> body)) {
                throw wrong(entry, "missing_required_parameter", "'body' must be an object, the request itself");
            }
            return new Line(id, (ObjectNode) Json.value(body));
        }
    }

    private static JobFault wrong(DataRow entry, String code, String message) {
        return new JobFault(code, Optional.of("input_file_id"), "line " + entry.line() + ": " + message);
    }

    private OpenRows rows(Job job) {
        return OpenRows.jsonLines(store.files().content(job.request().get("input_file_id").asText()));
    }

    private static String endpoint(Job job) {
        return job.request().get("endpoint").asText();
    }

    private long now() {
        return clock.instant().getEpochSecond();
    }

    /**
     * Looks at all requests of a batch; gives how far it is then.
     *
     * @throws JobFault when one of them is wrong
     */
    ObjectNode check(RunningJob running) {
        WorkShare.Pieces pieces = share.pieces();
        Set<String> ids = new HashSet<>();
        try (OpenRows rows = rows(running.job())) {
            for (Optional<DataRow> next = rows.next(); next.isPresent(); next = rows.next()) {
                running.requireWanted();
                pieces.pause();
                String id = Line.of(next.get(), endpoint(running.job())).id();
                if (!ids.add(id)) {
                    throw wrong(next.get(), "duplicate_custom_id", "the 'custom_id' '" + id + "' appears twice");
                }
            }
        }
        if (ids.isEmpty() || ids.size() > Bound.BATCH_REQUESTS.most()) {
            throw new JobFault(ids.isEmpty() ? "empty_file" : "too_many_tasks", Optional.of("input_file_id"),
                    "a batch has 1 to " + Bound.BATCH_REQUESTS.most() + " requests, a line each; this one has "
                            + ids.size());
        }
        return Json.object().put("total", ids.size()).put("completed", 0).put("failed", 0)
                .put("in_progress_at", now());
    }

    /** Answers what has no answer yet, until the end or until the batch is stopped. */
    void run(RunningJob running) {
        Answers kept = new Answers(running.job());
        try (OpenRows rows = rows(running.job())) {
            new Round(running, kept, rows).run();
        }
        if (running.stopped().isEmpty()) {
            store.queue().note(running.claim(), kept.progress().put("finalizing_at", now()));
            store.queue().succeed(running.claim(), new JobQueue.Outcome(Optional.empty(), 0, kept.files(now()),
                    List.of()), now());
        }
    }

    /** Leaves what a batch had answered when it was cancelled. */
    public void leave(Job job) {
        Answers kept = new Answers(job);
        store.jobs().leave(job.id(), kept.progress(), kept.files(now()));
    }

    /** Some threads at work on a batch. */
    private final class Round {
        private final RunningJob running;
        private final Answers kept;
        private final OpenRows rows;
        private final Endpoint endpoint;
        private final Caller caller;
        private volatile boolean over;

        Round(RunningJob running, Answers kept, OpenRows rows) {
            this.running = running;
            this.kept = kept;
            this.rows = rows;
            Job job = running.job();
            this.endpoint = endpoints.get(endpoint(job));
            this.caller = new Caller("batches of " + job.owner(), "batch", Optional.of(job.project()),
                    Optional.empty(), Optional.empty(), tokens -> spend.accept(job.owner(), tokens));
        }

        void run() {
            ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE, work -> {
                Thread thread = new Thread(work, "peft4j-batch");
                thread.setDaemon(true);
                return thread;
            });
            try {
                List<Future<?>> all = IntStream.range(0, AT_ONCE).<Future<?>>mapToObj(number -> threads
                        .submit(() -> answerAll(number == 0))).toList();
                for (Future<?> each : all) {
                    each.get();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (ExecutionException e) {
                if (e.getCause() instanceof Error error) {
                    throw error;
                }
                throw (RuntimeException) e.getCause();
            } finally {
                over = true;
                threads.shutdown();
                // The rows are closed next, which they read.
                Uninterrupted.call(() -> threads.awaitTermination(Long.MAX_VALUE, TimeUnit.DAYS));
            }
        }

        /** @param beside whether it continues while clients wait */
        private void answerAll(boolean beside) {
            try {
                while (!isOver()) {
                    if (!beside && share.isBusy()) {
                        JobWorker.pause(LOOK_MILLIS);
                    } else {
                        next().ifPresentOrElse(this::keepAnswer, () -> over = true);
                    }
                }
            } catch (RuntimeException | Error e) {
                over = true;
                throw e;
            }
        }

        private boolean isOver() {
            return over || running.stopped().isPresent();
        }

        private synchronized Optional<Line> next() {
            for (Optional<DataRow> next = rows.next(); next.isPresent(); next = rows.next()) {
                Line line = Line.of(next.get(), endpoint.path());
                if (!kept.has(line.id())) {
                    return Optional.of(line);
                }
            }
            return Optional.empty();
        }

        private void keepAnswer(Line line) {
            Optional<ObjectNode> response = answer(line);
            while (response.isEmpty() && running.stopped().isEmpty()) {
                JobWorker.pause(RETRY_MILLIS);
                response = answer(line);
            }
            response.ifPresent(answer -> keep(line.id(), answer));
        }

        /** Unless the batch went to another worker, which answers the request, too. */
        private void keep(String id, ObjectNode answer) {
            if (store.queue().note(running.claim(), kept.progress())) {
                kept.add(id, answer.at("/response/status_code").asInt() == OK, answer);
            } else {
                running.stop(RunningJob.Stop.LOST);
            }
        }

        /** The line of an answer; empty if there is no room for the request now, or the batch was stopped. */
        private Optional<ObjectNode> answer(Line line) {
            WorkShare.Pieces pieces = share.pieces();
            Endpoint.Asker asker = new Endpoint.Asker(caller, () -> {
                running.requireWanted();
                pieces.pause();
            }, () -> {
            }, () -> running.stopped().isPresent());
            int status = OK;
            ObjectNode body;
            try {
                body = endpoint.answer(line.body(), asker);
            } catch (RuntimeException e) {
                if (running.stopped().isPresent()) {
                    return Optional.empty();
                }
                ApiException told = e instanceof ApiException known ? known : unexpected(e);
                if (told.retryAfterSeconds().isPresent()) {
                    return Optional.empty();
                }
                status = told.status();
                body = told.body();
            }
            ObjectNode answer = Json.object().put("id", Ids.next("batch_req_")).put("custom_id", line.id());
            answer.putObject("response").put("status_code", status).put("request_id", Ids.next("req_"))
                    .set("body", body);
            return Optional.of(answer.putNull("error"));
        }

        private ApiException unexpected(RuntimeException e) {
            LOG.error("a request of {} failed", running.job().id(), e);
            return ApiException.of(500, "server_error", "internal_error", null,
                    "internal error; see the server log for " + running.job().id());
        }
    }

    /**
     * The answers of a batch: a line each in one of two files of its folder, right ones and errors. They only grow; a
     * line that was cut off when a process ended is none.
     */
    private final class Answers {
        private final Job job;
        private final Set<String> ids = new HashSet<>();
        private final long[] counts = new long[KINDS.size()];

        Answers(Job job) {
            this.job = job;
            for (int kind = 0; kind < KINDS.size(); kind++) {
                count(kind, path(kind));
            }
        }

        private Path path(int kind) {
            return store.jobFolder(job.id()).resolve(KINDS.get(kind) + ".jsonl");
        }

        private void count(int kind, Path path) {
            if (!Files.exists(path)) {
                return;
            }
            try {
                requireWholeLines(path);
                try (Stream<String> lines = Files.lines(path)) {
                    lines.forEach(line -> note(kind, Json.stored(line).path("custom_id").asText()));
                }
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + path, e);
            }
        }

        private void requireWholeLines(Path path) throws IOException {
            try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                ByteBuffer last = ByteBuffer.allocate(1);
                long end = file.size();
                while (end > 0 && file.read(last.clear(), end - 1) == 1 && last.get(0) != '\n') {
                    end--;
                }
                file.truncate(end);
            }
        }

        private void note(int kind, String id) {
            if (ids.add(id)) {
                counts[kind]++;
            }
        }

        /** Whether a request has its answer. */
        synchronized boolean has(String id) {
            return ids.contains(id);
        }

        /** Keeps the answer to a request, or what was wrong with it. */
        synchronized void add(String id, boolean right, ObjectNode line) {
            int kind = right ? 0 : 1;
            try {
                Files.createDirectories(path(kind).getParent());
                Files.writeString(path(kind), Json.text(line) + "\n", StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot write to " + path(kind), e);
            }
            note(kind, id);
        }

        /** How far the batch is. */
        synchronized ObjectNode progress() {
            return job.hyperparameters().deepCopy().put("completed", counts[0]).put("failed", counts[1]);
        }

        /** Copies what there is to where files have their contents; a second time does the same. */
        List<StoredFile> files(long now) {
            List<StoredFile> files = new ArrayList<>();
            for (int kind = 0; kind < KINDS.size(); kind++) {
                String id = "file-" + job.id() + "-" + KINDS.get(kind);
                try {
                    if (counts[kind] > 0) {
                        Path copy = Files.copy(path(kind), store.files().spool());
                        requireWholeLines(copy);
                        Files.move(copy, store.files().content(id), StandardCopyOption.REPLACE_EXISTING);
                        files.add(store.files().leave(job, id, job.id() + "_" + KINDS.get(kind) + ".jsonl",
                                "batch_output", now));
                    }
                } catch (IOException e) {
                    throw new UncheckedIOException("cannot keep " + id, e);
                }
            }
            return files;
        }
    }
}
