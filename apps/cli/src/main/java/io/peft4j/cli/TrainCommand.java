package io.peft4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.core.peft.MergeCheck;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.file.AdapterProvenance;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.format.DataFormat;
import io.peft4j.data.format.ExampleWriter;
import io.peft4j.data.format.OpenRows;
import io.peft4j.data.report.Excerpts;
import io.peft4j.models.BaseModel;
import io.peft4j.trackers.Tracker;
import io.peft4j.trackers.Trackers;
import io.peft4j.trackers.TrackingListener;
import io.peft4j.train.Cancellation;
import io.peft4j.train.RunStart;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.TrainingPlan;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.data.TrainingData;
import io.peft4j.train.optimizer.Optimizer;
import io.peft4j.train.parallel.WorkerCollective;
import io.peft4j.train.parallel.WorkerGroup;
import io.peft4j.train.parallel.WorkerSocket;
import io.peft4j.train.plan.Hyperparameters;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j train}: an adapter from chat data. */
@Command(name = "train", sortOptions = false, description = {"Trains an adapter on chats, or on rows for "
        + "another objective.",
    "The output folder is an adapter in Hugging Face PEFT's form with the tokenizer beside it; metrics.jsonl holds a "
            + "line a step. Ctrl-C stops after the current step and leaves a usable adapter."})
@HelpGroup(HelpGroup.OUTPUT)
final class TrainCommand extends TrainingCommand {
    private static final int SHOWN_ROWS = 5;
    private static final String ROWS = "rows.jsonl";
    private static final String HELD_OUT = "heldout.jsonl";

    private final TrainingListener follower;

    @Option(names = "--output", required = true, paramLabel = "DIR",
            description = "Folder for the adapter.")
    private Path output;

    @Mixin
    private ExistingOptions existing;

    @Option(names = "--checkpoint-steps", paramLabel = "N", defaultValue = "0",
            description = "Steps between checkpoints (checkpoint-N in the output folder). Default: none, but one "
                    + "when the training is interrupted")
    private int checkpointSteps;

    @Mixin
    private PriceOptions prices;

    @Mixin
    private WorkerOptions workers;

    @Option(names = "--tracker", paramLabel = "NAME[=PLACE]", description = "Where the training can be watched besides "
            + "metrics.jsonl: ${bundle:trackers}; may be given repeatedly.")
    private List<String> trackers = List.of();

    @Option(names = "--resume", description = "Continues from the last checkpoint in the output folder, with the "
            + "same options, data and model; the result equals that of an uninterrupted training. A finished training "
            + "that left rows unlearned resumes from before its rate fell.")
    private boolean resume;

    @Option(names = "--resume-or-start", description = "Resumes the training in the output folder, or starts one "
            + "if there is none.")
    private boolean resumeOrStart;

    @Option(names = "--json", description = "Prints a JSON line per step and one at the end on stdout.")
    private boolean json;

    /** The command as it is typed. */
    TrainCommand() {
        this(new TrainingListener() {
        });
    }

    /** The command within another, which follows the training. */
    TrainCommand(TrainingListener follower) {
        this.follower = follower;
    }

    @Override
    public Integer call() {
        checkTraining();
        fromOptions(prices::prices);
        fromOptions(workers::checked);
        if (workers.workers.size() > 1 && isGiven("--remember-by")) {
            throw usage("--remember-by is for one worker: several may answer differently");
        }
        if (checkpointSteps < 0) {
            throw usage("--checkpoint-steps must be 0 (none) or more");
        }
        if (resume && resumeOrStart) {
            throw usage("--resume and --resume-or-start are mutually exclusive");
        }
        if (start() != RunStart.NEW && existing.policy() != IfExists.FAIL) {
            throw usage("--if-exists is for a training that begins; a resumed one continues in its folder");
        }
        List<Tracker> tracking = fromOptions(() -> trackers.stream().map(Trackers::of).toList());
        AdapterOptions.Choice choice = adapter.choice(this);
        if (workers.isFirst()) {
            output = Trainer.requireOutput(output, start(), existing.policy());
        }
        TrainingData read = examples();
        Cancellation cancellation = new Cancellation();
        Console console = console();
        if (workers.isFirst() && (start() == RunStart.NEW || !Files.exists(output.resolve(ROWS)))) {
            documents().ifPresent(made -> writeRows(console, made));
        }
        try (WorkerCollective together = workers.join();
                BaseModel base = engine.load(model, console, source -> read.task(() -> BaseModel.taskOf(source)),
                        workers.shareAMachine())) {
            TrainingData examples = on(base, read);
            Optional<Hyperparameters> chosen = chosen(base, examples, choice);
            try (PeftModel tuned = tuned(base, examples, choice.with(chosen));
                    TrainingProgress progress = new TrainingProgress(console, json);
                    Interrupts.Registration stopping = interrupts().stopping(cancellation, console)) {
                TrainingForecast forecast = new TrainingForecast(console, prices);
                sayBegin(console, base, tuned, choice);
                sayChosen(console, chosen);
                TrainerBuilder trainer = builder(tuned, chosen).checkpointEverySteps(checkpointSteps)
                        .output(output, existing.policy() == IfExists.OVERWRITE ? IfExists.OVERWRITE : IfExists.FAIL)
                        .start(start()).workers(together).cancellation(cancellation)
                        .listener(numbers(console)).listener(progress).listener(follower).listener(forecast);
                trainer.listener(new TrackingListener(output.toAbsolutePath().getFileName().toString(), tracking)
                        .withOutput(output));
                TrainingResult result = examples.train(trainer, tuned);
                if (!workers.isFirst()) {
                    follower.onEnd(result);
                    progress.close();
                    console.say("%s, for the first worker", result);
                    return 0;
                }
                verify(base);
                // Whoever stops a training does not wait for what is written about it.
                if (examples.chats().isPresent() && !result.cancelled()) {
                    addTexts(console, tuned);
                }
                progress.close();
                console.say("%s, %s", result, forecast.truth(result));
                result.profile().ifPresent(profile -> console.say("%s", profile));
                result.learned()
                        .ifPresent(rows -> sayUnlearned(console, rows.suspects(), examples.chats().isPresent()));
                documents().ifPresent(made -> sayNext(console, made));
                if (json) {
                    console.print(line(result));
                }
            }
            return 0;
        }
    }

    private RunStart start() {
        return resume ? RunStart.RESUME : resumeOrStart ? RunStart.RESUME_OR_START : RunStart.NEW;
    }

    /** The first rows that may be wrong, as they stand in their file; those of chats are numbered by their lines. */
    private void sayUnlearned(Console console, List<Long> numbers, boolean lines) {
        Path file = documents().isPresent() ? output.resolve(ROWS) : data;
        if (numbers.isEmpty() || !Files.isRegularFile(file)) {
            return;
        }
        List<Long> shown = numbers.subList(0, Math.min(SHOWN_ROWS, numbers.size()));
        AtomicLong read = new AtomicLong();
        try (OpenRows rows = OpenRows.open(input.file(file))) {
            rows.forEach(row -> {
                if (shown.contains(lines ? row.line() : read.incrementAndGet())) {
                    console.say("  %s, line %d: %s", file, row.line(), Excerpts.of(row.fields()));
                }
            });
        }
    }

    private void sayNext(Console console, ChatDataset.Split made) {
        if (made.test().size() > 0) {
            console.say("next:       ./peft4j evaluate --model %s --adapter %s --data %s --training-data %s", model,
                    output, output.resolve(HELD_OUT), output.resolve(ROWS));
        }
    }

    /** Writes the rows that were made of documents, to be read and corrected. */
    private void writeRows(Console console, ChatDataset.Split made) {
        RowsOutput.write(ExampleWriter.open(output.resolve(ROWS), DataFormat.CHAT), made.train().examples());
        console.say("rows:       %s made, in %s: read and correct them", Count.of(made.train().size(), "row"),
                output.resolve(ROWS));
        if (made.test().size() > 0) {
            RowsOutput.write(ExampleWriter.open(output.resolve(HELD_OUT), DataFormat.CHAT), made.test().examples());
            console.say("            %s held out in %s", Count.of(made.test().size(), "wording"),
                    output.resolve(HELD_OUT));
        }
    }

    /** What is written about an adapter is of less worth than the adapter, which is saved. */
    private void addTexts(Console console, PeftModel tuned) {
        try {
            AdapterProvenance.addTexts(output, tuned, MergeCheck.SAMPLE_TEXTS);
        } catch (UncheckedIOException e) {
            console.say("warning: the adapter is saved, but not the sample texts beside it: %s", e.getMessage());
        }
    }

    /** Success is reported only for an adapter that can be loaded. */
    private void verify(BaseModel base) {
        base.withAdapter(output).close();
    }

    private void sayBegin(Console console, BaseModel base, PeftModel tuned, AdapterOptions.Choice choice) {
        PeftConfig config = tuned.adapter(PeftModel.DEFAULT_ADAPTER).config();
        console.say("model:      %s", EngineOptions.describe(base));
        console.say("adapter:    %s, %s", choice.origin(), tuned.trainableSummary());
        console.say("            %s", inShort(config));
        console.say("data:       %s%s", data, validation == null ? ", no validation data" : ", validation "
                + validation);
        console.say("output:     %s, %s%s", output, checkpointSteps == 0 ? "no checkpoints"
                : "a checkpoint every " + Count.of(checkpointSteps, "step"),
                start() == RunStart.NEW ? "" : ", resuming");
    }

    /** Says the numbers of the training when all of them are known. */
    private TrainingListener numbers(Console console) {
        TrainingOptions asked = asked();
        return new TrainingListener() {
            @Override
            public void onStart(TrainingPlan plan) {
                Map<String, String> values = plan.settings();
                console.say("training:   epochs %s, %s, packing %s, gradient accumulation %s, max length %s, %s, seed "
                        + "%s", values.get("epochs"),
                        asked.packTokens() > 0 ? "batches of " + Count.of(asked.packTokens(), "token")
                                : "batch size " + values.get("batch_size"),
                        asked.packing(), values.get("gradient_accumulation"), asked.maxLength().isEmpty()
                                ? "the model's" : asked.maxLength().getAsInt(),
                        Boolean.parseBoolean(values.get("shuffle")) ? "shuffled" : "in order", values.get("seed"));
                console.say("optimizer:  %s, learning rate %s, %s, warm-up steps %s, weight decay %s, max grad norm %s",
                        updates(asked), values.get("learning_rate"), asked.schedule(), values.get("warmup_steps"),
                        asked.weightDecay(), asked.maxGradNorm());
            }
        };
    }

    /** How gradients become updates, in a few words. */
    private static String updates(TrainingOptions asked) {
        int groups = asked.parameterGroups().size();
        return Optimizer.all().entrySet().stream().filter(named -> named.getValue().equals(asked.optimizer()))
                .map(Map.Entry::getKey).findFirst().orElseThrow()
                + (groups == 0 ? "" : " with " + groups + " parameter groups")
                + (asked.neftuneAlpha() > 0 ? ", NEFTune " + asked.neftuneAlpha() : "")
                + (asked.labelSmoothing() > 0 ? ", label smoothing " + asked.labelSmoothing() : "");
    }

    /** The keys that are set, in one line. */
    private static JsonNode inShort(PeftConfig config) {
        try {
            JsonNode all = CommandJson.MAPPER.readTree(config.toJson());
            Iterator<JsonNode> values = all.elements();
            while (values.hasNext()) {
                JsonNode value = values.next();
                if (value.isNull() || value.isContainerNode() && value.isEmpty()) {
                    values.remove();
                }
            }
            return all;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a configuration writes itself as JSON", e);
        }
    }

    private ObjectNode line(TrainingResult result) {
        ObjectNode line = CommandJson.MAPPER.createObjectNode().put("adapter", output.toString())
                .put("steps", result.plan().doneSteps() + result.steps().size())
                .put("cancelled", result.cancelled())
                .put("ending", result.ending().name().toLowerCase(Locale.ROOT)).put("seconds", result.seconds());
        result.finalTrainLoss().ifPresent(loss -> line.put("train_loss", loss)
                .put("tokens_per_s", result.tokensPerSecond()));
        result.finalEvalLoss().ifPresent(loss -> line.put("eval_loss", loss));
        result.finalEvalAccuracy().ifPresent(share -> line.put("eval_accuracy", share));
        ProcessUsage.peakResidentBytes().ifPresent(bytes -> line.put("peak_rss_mb", bytes / 1_000_000));
        return line;
    }

    /** The options of a training that several machines share. */
    @HelpGroup(HelpGroup.MACHINE)
    private static final class WorkerOptions {
        @Option(names = "--workers", split = ",", paramLabel = "HOST:PORT",
                description = "Machines that train together, "
                        + "each with the same command and its own --worker-rank: each computes its part of "
                        + "every update, and the "
                        + "first one writes the output. What they send is not encrypted.")
        private List<String> workers = List.of();

        @Option(names = "--worker-rank", paramLabel = "N", description = "Which of the --workers this is, from 0.")
        private Integer rank;

        @Option(names = "--local-steps", paramLabel = "N", defaultValue = "1", description = "Updates that each of the "
                + "--workers makes on its own before all take the mean, for slow networks. Default: 1, which gives the "
                + "result of one machine.")
        private int localSteps;

        @Option(names = "--workers-secret", paramLabel = "TEXT", defaultValue = "${env:PEFT4J_WORKERS_SECRET}",
                description = "What only the --workers know; better given as the variable PEFT4J_WORKERS_SECRET, since "
                        + "others may see a command line.")
        private String secret;

        /** Whether this process writes the output. */
        boolean isFirst() {
            return workers.isEmpty() || rank == 0;
        }

        /** Whether some of them run on one machine, by their addresses. */
        boolean shareAMachine() {
            return workers.stream().map(worker -> worker.substring(0, Math.max(0, worker.lastIndexOf(':')))).distinct()
                    .count() < workers.size();
        }

        /**
         * Checks what was given.
         *
         * @throws ConfigurationException when an address is none, or something is missing
         */
        WorkerOptions checked() {
            if (workers.isEmpty()) {
                if (rank != null || localSteps != 1) {
                    throw new ConfigurationException(
                            "--worker-rank and --local-steps are for a training with --workers");
                }
                return this;
            }
            if (rank == null) {
                throw new ConfigurationException("--workers needs a --worker-rank from 0 to " + (workers.size() - 1)
                        + ", another one on each machine");
            }
            group();
            return this;
        }

        private WorkerGroup group() {
            List<InetSocketAddress> addresses = new ArrayList<>();
            for (String worker : workers) {
                int colon = worker.lastIndexOf(':');
                if (colon < 1 || !worker.substring(colon + 1).matches("[1-9]\\d{0,4}")
                        || Integer.parseInt(worker.substring(colon + 1)) > 65535) {
                    throw new ConfigurationException("--workers has '" + worker + "', which is not HOST:PORT");
                }
                addresses.add(InetSocketAddress.createUnresolved(worker.substring(0, colon),
                        Integer.parseInt(worker.substring(colon + 1))));
            }
            if (secret == null || secret.isBlank()) {
                throw new ConfigurationException(
                        "--workers needs a secret that all machines are given: set the variable "
                                + "PEFT4J_WORKERS_SECRET");
            }
            return new WorkerGroup(rank, addresses, secret).withLocalSteps(localSteps);
        }

        /** Meets the other machines, where there are some. */
        WorkerCollective join() {
            if (workers.isEmpty()) {
                return WorkerCollective.one();
            }
            WorkerGroup group = group();
            try (WorkerSocket socket = WorkerSocket.open(group.addresses().get(rank).getPort())) {
                return socket.join(group);
            }
        }
    }
}
