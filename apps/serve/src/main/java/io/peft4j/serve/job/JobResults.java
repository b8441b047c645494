package io.peft4j.serve.job;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.eval.Promotion;
import io.peft4j.eval.report.ComparisonReport;
import io.peft4j.serve.store.Job;
import io.peft4j.serve.store.JobEvent;
import io.peft4j.serve.store.Store;
import io.peft4j.serve.store.StoredFile;
import io.peft4j.train.objective.NextTokenObjective;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** The files that a job leaves for clients: the figures of its steps first, then the reports. */
final class JobResults {
    /** Names of reports, without their endings. */
    static final String DATA_REPORT = "data_report";
    static final String VERDICT = "verdict";
    private static final String METRICS = "step_metrics.csv";
    private static final List<String> REPORTS = List.of(DATA_REPORT + ".json", DATA_REPORT + ".html",
            VERDICT + ".json", VERDICT + ".html");

    private final Store store;
    private final Job job;
    private final JobFiles files;
    private long trainedTokens;

    JobResults(Store store, Job job, JobFiles files) {
        this.store = store;
        this.job = job;
        this.files = files;
    }

    /** Tokens that were learned from, after {@link #write}. */
    long trainedTokens() {
        return trainedTokens;
    }

    /** Leaves the report of a comparison beside the job's other files, if there is one, and tells the verdict. */
    JobEvent verdict(Promotion.Result decided) {
        if (decided.report().isEmpty()) {
            return JobEvent.warn(VERDICT, files.withoutPlaces(decided.reason()));
        }
        ComparisonReport report = decided.report().get();
        AtomicFiles.writeString(files.file(VERDICT + ".json"), report.toJson().toPrettyString() + "\n");
        report.writeHtml(files.file(VERDICT + ".html"));
        return new JobEvent(VERDICT, "info", "message", "Verdict: " + report.verdict(),
                report.toJson().path("verdict"));
    }

    /** Writes the contents where files have theirs; a second time does the same. */
    List<StoredFile> write(long now) {
        List<StoredFile> all = new ArrayList<>(List.of(keep(METRICS, metrics(), now)));
        for (String report : REPORTS) {
            Path path = files.file(report);
            if (Files.isRegularFile(path)) {
                all.add(keep(report, files.withoutPlaces(read(path)), now));
            }
        }
        return all;
    }

    private StoredFile keep(String name, String text, long now) {
        String id = "file-" + job.id().substring(job.id().indexOf('-') + 1) + "-" + name.replaceAll("\\W", "-");
        AtomicFiles.writeString(store.files().content(id), text);
        return store.files().leave(job, id, name, "fine-tune-results", now);
    }

    private static String read(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + path, e);
        }
    }

    /** A row a step, with what was measured on the validation data then, if anything. */
    private String metrics() {
        Map<Long, JsonNode> validation = new TreeMap<>();
        Map<Long, JsonNode> training = new TreeMap<>();
        trainedTokens = 0;
        for (JsonNode row : files.metrics()) {
            long step = row.get("step").asLong();
            if (row.has("train_loss")) {
                training.put(step, row);
                trainedTokens += row.get("tokens").asLong();
            } else {
                validation.put(step, row);
            }
        }
        StringBuilder text = new StringBuilder();
        try (CSVPrinter table = new CSVPrinter(text, CSVFormat.DEFAULT.builder().setRecordSeparator('\n').get())) {
            boolean rewarded = job.method().equals(JobRequest.REINFORCEMENT);
            String measure = rewarded ? "reward" : NextTokenObjective.TOKEN_ACCURACY;
            table.printRecord("step", "train_loss", rewarded ? "train_mean_reward" : "train_accuracy", "valid_loss",
                    rewarded ? "valid_mean_reward" : "valid_mean_token_accuracy");
            for (Map.Entry<Long, JsonNode> step : training.entrySet()) {
                Optional<JsonNode> valid = Optional.ofNullable(validation.get(step.getKey()));
                table.printRecord(step.getKey(), value(step.getValue(), "train_loss"),
                        value(step.getValue(), measure),
                        valid.map(row -> value(row, "eval_loss")).orElse(""),
                        valid.map(row -> value(row, "eval_" + measure)).orElse(""));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot format the CSV table", e);
        }
        return text.toString();
    }

    /** A number of a row; nothing where it has none, as accuracies of tokens where answers are compared. */
    private static String value(JsonNode row, String name) {
        return row.has(name) ? String.valueOf(row.get(name).asDouble()) : "";
    }
}
