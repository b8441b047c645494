package io.peft4j.serve.job;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.engine.WorkShare;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.PeftException;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.grader.GraderTemplate;
import io.peft4j.data.grader.GraderTools;
import io.peft4j.data.grader.Graders;
import io.peft4j.data.report.DataCheck;
import io.peft4j.data.report.DataReport;
import io.peft4j.data.report.Finding;
import io.peft4j.data.report.FindingCode;
import io.peft4j.data.report.FindingCode.Severity;
import io.peft4j.models.BaseModel;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.store.Job;
import io.peft4j.serve.store.JobEvent;
import io.peft4j.train.objective.DataSetup;
import io.peft4j.train.plan.DataFacts;
import io.peft4j.train.plan.Hyperparameters;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;

/**
 * Looks at the data of a job before it waits for its turn, so that what is wrong is said in seconds and not after hours
 * of training: every fault with its line, what is odd as a warning, and what the rules chose for {@code "auto"}.
 */
final class JobCheck {
    private static final int FEWEST_ROWS = 10;
    private static final int MOST_LISTED = 10;

    private final BaseModel base;
    private final Job job;
    private final JobFiles files;
    private final WorkShare.Pieces pieces;
    private final List<JobEvent> events = new ArrayList<>();

    JobCheck(BaseModel base, Job job, JobFiles files, WorkShare.Pieces pieces) {
        this.pieces = pieces;
        this.base = base;
        this.job = job;
        this.files = files;
    }

    /** What was seen, in the order in which it was. */
    List<JobEvent> events() {
        return events;
    }

    /**
     * Checks, and chooses what to train with.
     *
     * @param running what stops the check
     * @throws JobFault when the job cannot be done
     * @throws CancellationException when it was stopped
     */
    ObjectNode run(RunningJob running) {
        if (base.chatTemplate().isEmpty()) {
            throw new JobFault("invalid_model", Optional.of("model"), "the base model has no chat template, so it "
                    + "cannot learn conversations; train another model, or let the server be started with a chat "
                    + "template for this one");
        }
        files.takeData().ifPresent(param -> {
            throw JobFault.of(param, "the file of " + param + " was deleted");
        });
        requireMemory(files.training(), "training_file", running);
        files.validation().ifPresent(path -> requireMemory(path, "validation_file", running));
        boolean reinforcement = job.method().equals(JobRequest.REINFORCEMENT);
        if (!reinforcement) {
            checkRows(running);
        }
        requireWanted(running);
        JobData data = JobData.read(files.training(), "training_file", job);
        files.validation().ifPresent(path -> JobData.read(path, "validation_file", job));
        if (reinforcement && data.prompts().size() < FEWEST_ROWS) {
            throw tooFew("training_file", data.prompts().size(), "");
        }
        if (reinforcement) {
            requireGradable(data, running);
        }
        if (!data.preferences().isEmpty()
                && data.preferences().stream().allMatch(PreferenceExample::hasEqualAnswers)) {
            throw JobFault.of("training_file", "training_file: in all rows the better and the worse answer are the "
                    + "same text, so there is nothing to prefer");
        }
        return choose(data);
    }

    private void checkRows(RunningJob running) {
        int room = base.network().description().maxPositions();
        DataCheck check = DataCheck.of(files.training())
                .model(ChatEncoder.of(base), room)
                .listener((stage, rows) -> requireWanted(running));
        files.validation().ifPresent(check::validation);
        DataReport report = check.run();
        keep(report);
        refuse(report, files.training(), "training_file");
        files.validation().ifPresent(path -> refuse(report, path, "validation_file"));
        warn(report);
    }

    /** What the grader's templates make of a row must have an end. */
    private void requireGradable(JobData data, RunningJob running) {
        List<GraderTemplate> templates = Graders.templates(JobPlan.grader(job));
        for (int i = 0; i < data.prompts().size(); i++) {
            requireWanted(running);
            try {
                for (GraderTemplate template : templates) {
                    template.requireRoom(data.prompts().get(i).prompt().extra());
                }
            } catch (ConfigurationException e) {
                throw new JobFault("invalid_grader", Optional.of("grader"), "example " + (i + 1)
                        + " of training_file: " + e.getMessage());
            }
        }
    }

    private static JobFault tooFew(String param, long rows, String more) {
        return new JobFault("invalid_n_examples", Optional.of(param), param + " has " + Count.of(rows, "example")
                + ", but must have at least " + FEWEST_ROWS + more);
    }

    /** Between two pieces of a check. */
    private void requireWanted(RunningJob running) {
        running.requireWanted();
        pieces.pause();
    }

    /** Lines that are wrong are told of later, all of them. */
    private void requireMemory(Path file, String param, RunningJob running) {
        TrainingFile.look(file, () -> requireWanted(running)).tooLarge().ifPresent(message -> {
            throw JobFault.of(param, param + ": " + message);
        });
    }

    private void keep(DataReport report) {
        report.writeJson(files.file(JobResults.DATA_REPORT + ".json"));
        report.writeHtml(files.file(JobResults.DATA_REPORT + ".html"));
        ObjectNode figures = Json.object().put("rows", report.rows()).put("errors", report.errors());
        ObjectNode counts = figures.putObject("findings");
        report.counts().forEach((code, count) -> counts.put(code.code(), count));
        events.add(new JobEvent("data-report", "info", "message", "Data report: " + Count.of(report.rows(), "row")
                + ", " + Count.of(report.errors(), "error") + ", " + Count.of(report.findings().size(), "finding"),
                figures));
    }

    private void refuse(DataReport report, Path file, String param) {
        List<Finding> faults = together(report.findings().stream().filter(finding -> finding
                .severity() == Severity.ERROR && finding.file().equals(file.toString())).toList());
        long rows = report.files().getOrDefault(file.toString(), 0L);
        for (Finding fault : faults.subList(0, Math.min(MOST_LISTED, faults.size()))) {
            events.add(JobEvent.error("fault-" + events.size(), param + ": " + sentence(fault)));
        }
        if (param.equals("training_file") && rows < FEWEST_ROWS) {
            throw tooFew(param, rows, faults.isEmpty() ? "" : "; " + sentence(faults.get(0)));
        }
        if (!faults.isEmpty()) {
            List<String> all = faults.stream().limit(MOST_LISTED).map(this::sentence).toList();
            throw JobFault.of(param, param + ": " + String.join("; ", all) + (faults.size() > all.size()
                    ? "; and " + (faults.size() - all.size()) + " more" : ""));
        }
    }

    private String sentence(Finding finding) {
        return files.withoutPlaces(TrainingFile.lines(finding.lines()) + finding.message());
    }

    /** Those that say the same of several lines as one. */
    private static List<Finding> together(List<Finding> findings) {
        Map<String, Finding> together = new LinkedHashMap<>();
        findings.forEach(finding -> together.merge(finding.message(), finding, (first, next) -> new Finding(
                first.code(), first.severity(), first.file(), Stream.concat(first.lines().stream(), next.lines()
                        .stream()).toList(),
                first.message(), first.places(), first.texts())));
        return List.copyOf(together.values());
    }

    private void warn(DataReport report) {
        List<FindingCode> said = new ArrayList<>();
        for (Finding finding : report.findings()) {
            if (finding.severity() == Severity.WARNING && !said.contains(finding.code())) {
                said.add(finding.code());
                long count = report.counts().getOrDefault(finding.code(), 1L);
                String param = finding.file().equals(files.training().toString()) ? "training_file"
                        : "validation_file";
                events.add(JobEvent.warn("finding-" + finding.code().code(), param + ": " + finding.code().code()
                        + ": " + sentence(finding) + (count > 1 ? " (" + count + " such findings)" : "") + ". "
                        + finding.code().why() + " " + finding.code().advice()));
            }
        }
    }

    private ObjectNode choose(JobData data) {
        try {
            DataFacts facts = data.prompts().isEmpty() ? DataFacts.of(JobPlan.learned(job, data.chats()), base)
                    : DataFacts.ofEncoded(JobPlan.reinforcement(job, base, GraderTools.NONE).encode(data.prompts(),
                            new DataSetup("training", base.network().description().maxPositions(), 1)).examples());
            Hyperparameters chosen = JobPlan.choose(job, facts, base);
            ObjectNode reasons = Json.object();
            chosen.reasons().forEach(reasons::put);
            events.add(new JobEvent("hyperparameters", "info", "message", "Hyperparameters: batch size "
                    + chosen.batchSize() * chosen.gradientAccumulation() + ", "
                    + (chosen.learnedShare() > 0 ? "at most " : "") + Count.of(chosen.epochs(), "epoch"),
                    reasons));
            events.add(JobEvent.info("queued", "Files validated, moving job to queued state"));
            return JobPlan.of(job, chosen).into(job);
        } catch (PeftException e) {
            throw JobFault.of("training_file", "training_file: " + files.withoutPlaces(e.getMessage()));
        }
    }
}
