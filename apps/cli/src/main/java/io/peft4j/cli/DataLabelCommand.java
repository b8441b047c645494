package io.peft4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.data.format.TableColumns;
import io.peft4j.data.task.DecisionRow;
import io.peft4j.data.task.DecisionRows;
import io.peft4j.eval.judge.DecisionEndpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j data label}: what a served model says of typed questions, for a small one to learn. */
@Command(name = "label", sortOptions = false, description = {"Asks a served model typed questions and writes its "
        + "probabilities as \"gold\", for train --objective decision.",
    "Rows are {\"state\", \"questions\"}, as for decide; the server has System One's POST /v1/systemone. A request is "
            + "tried again where the server is busy. What rows say of right answers is replaced. Answers go to "
            + "OUTPUT.part first: the same command resumes where it was interrupted."})
final class DataLabelCommand extends PeftCommand {
    private static final String GOLD = "gold";
    private static final String ANSWERED_BY = "answered_by";

    @Parameters(paramLabel = "FILE", description = "The rows.")
    private Path data;

    @Option(names = "--url", required = true, paramLabel = "URL", description = "Base URL of the server's API, such as "
            + "http://localhost:8000/v1. Its key, if any, is read from " + JudgeOptions.KEY + ".")
    private String url;

    @Option(names = "--model", required = true, paramLabel = "NAME", description = "The model's name there.")
    private String model;

    @Option(names = "--output", required = true, paramLabel = "FILE", description = "The file of the rows, JSON Lines.")
    private Path output;

    @Mixin
    private ExistingOptions existing;

    @Option(names = "--requests", paramLabel = "N", defaultValue = "4", description = "Rows asked at a time. Default: "
            + "${DEFAULT-VALUE}")
    private int requests;

    @Mixin
    private DataInput input;

    @Override
    public Integer call() {
        if (requests < 1) {
            throw usage("--requests is " + requests + "; it must be at least 1");
        }
        DecisionEndpoint teacher = new DecisionEndpoint(fromOptions(() -> JudgeOptions.endpoint(url, model,
                JudgeOptions.KEY)));
        DataInput.requireOther(output, List.of(data));
        Path target = existing.choose(output);
        List<DecisionRequest> rows = DecisionRows.requests(input.file(data, TableColumns.TEXTS), Optional.empty());
        Path part = output.resolveSibling(output.getFileName() + ".part");
        List<ObjectNode> lines = labelled(teacher, rows, part);
        AtomicFiles.writeString(target, text(lines));
        delete(part);
        console().say("%s in %s", Count.of(lines.size(), "row"), target);
        return 0;
    }

    private static void delete(Path part) {
        try {
            Files.deleteIfExists(part);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete " + part, e);
        }
    }

    private static String text(List<ObjectNode> lines) {
        return lines.stream().map(line -> line + "\n").collect(Collectors.joining());
    }

    private List<ObjectNode> labelled(DecisionEndpoint teacher, List<DecisionRequest> rows, Path part) {
        ExecutorService threads = Executors.newFixedThreadPool(requests);
        try {
            List<ObjectNode> lines = begun(rows, part);
            AtomicFiles.writeString(part, text(lines.stream().map(this::named).toList()));
            List<Future<DecisionRow>> answers = rows.subList(lines.size(), rows.size()).stream()
                    .map(row -> threads.submit(() -> teacher.label(row))).toList();
            try (DataProgress progress = new DataProgress(console());
                    Writer kept = Files.newBufferedWriter(part, StandardOpenOption.APPEND)) {
                for (Future<DecisionRow> answer : answers) {
                    ObjectNode line = answer.get().toJson();
                    lines.add(line);
                    kept.append(named(line) + "\n").flush();
                    progress.to("asked", lines.size());
                }
            }
            return lines;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read or write " + part, e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException known ? known : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } finally {
            threads.shutdownNow();
        }
    }

    /** A line of the unfinished file, which says whose answer it is. */
    private ObjectNode named(ObjectNode line) {
        return line.deepCopy().put(ANSWERED_BY, model);
    }

    /** The answers that an interrupted run left, in the order of the rows, up to the first that belongs to another. */
    private List<ObjectNode> begun(List<DecisionRequest> rows, Path part) throws IOException {
        List<ObjectNode> lines = new ArrayList<>();
        for (String text : Files.exists(part) ? Files.readAllLines(part) : List.<String>of()) {
            Optional<ObjectNode> line = lines.size() < rows.size() ? answer(text, rows.get(lines.size()))
                    : Optional.empty();
            if (line.isEmpty()) {
                break;
            }
            lines.add(line.get());
        }
        if (!lines.isEmpty()) {
            console().say("%s in %s, which the model is not asked for again", Count.of(lines.size(), "answer"), part);
        }
        return lines;
    }

    private Optional<ObjectNode> answer(String text, DecisionRequest row) {
        try {
            ObjectNode line = CommandJson.MAPPER.readValue(text, ObjectNode.class);
            ObjectNode asked = named(new DecisionRow(row, Map.of()).toJson());
            asked.set(GOLD, line.path(GOLD));
            return asked.equals(line) ? Optional.of(line.without(ANSWERED_BY)) : Optional.empty();
        } catch (JsonProcessingException e) {
            // The run ended while it wrote this line.
            return Optional.empty();
        }
    }
}
