package io.peft4j.cli;

import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.error.support.Count;
import io.peft4j.core.io.support.AtomicFiles;
import io.peft4j.data.task.DecisionRow;
import io.peft4j.data.task.DecisionRows;
import io.peft4j.eval.judge.DecisionEndpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code peft4j data label}: what a served model says of typed questions, for a small one to learn. */
@Command(name = "label", sortOptions = false, description = {"Asks a served model typed questions and writes its "
        + "probabilities as \"gold\", for train --objective decision.",
    "Rows are {\"state\", \"questions\"}, as for decide; the server has System One's POST /v1/systemone. A request is "
            + "tried again where the server is busy. What rows say of right answers is replaced."})
final class DataLabelCommand extends PeftCommand {
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
        List<String> lines = labelled(teacher, DecisionRows.requests(input.file(data), Optional.empty()));
        AtomicFiles.writeString(target, String.join("\n", lines) + "\n");
        console().say("%s in %s", Count.of(lines.size(), "row"), target);
        return 0;
    }

    private List<String> labelled(DecisionEndpoint teacher, List<DecisionRequest> rows) {
        ExecutorService threads = Executors.newFixedThreadPool(requests);
        try (DataProgress progress = new DataProgress(console())) {
            List<Future<DecisionRow>> answers = new ArrayList<>();
            rows.forEach(row -> answers.add(threads.submit(() -> teacher.label(row))));
            List<String> lines = new ArrayList<>();
            for (Future<DecisionRow> answer : answers) {
                lines.add(answer.get().toJson().toString());
                progress.to("asked", lines.size());
            }
            return lines;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException known ? known : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } finally {
            threads.shutdownNow();
        }
    }
}
