package io.peft4j.cloud.jobs;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.format.DataFile;
import io.peft4j.models.BaseModel;
import io.peft4j.train.TrainingResult;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A custom training job of Vertex AI, by its variables: data from {@code AIP_TRAINING_DATA_URI} and {@code
 * AIP_VALIDATION_DATA_URI}, the adapter to {@code AIP_MODEL_DIR}, checkpoints in {@code AIP_CHECKPOINT_DIR}, from which
 * a job that is started again resumes, event files of TensorBoard in {@code AIP_TENSORBOARD_LOG_DIR}. The options of
 * {@code train} are variables, {@code PEFT4J_LEARNING_RATE} for one, or words of the command.
 *
 * <p>The machines of a job, as {@code CLUSTER_SPEC} lists them, train together; the first one keeps the result.
 *
 * <p>Beside the adapter lie {@value #STATS}, what Vertex AI tells of the data of a tuning job, and, where there are
 * test or validation data, {@value #EVALUATED}, the comparison of the adapter with its base.
 */
@Internal(shared = true)
public final class VertexTraining {
    /** The variable that is {@code false} where the adapter is not to be compared with its base. */
    public static final String EVALUATION = "PEFT4J_EVALUATION";
    static final String STATS = "tuning_data_stats.json";
    static final String EVALUATED = "evaluation.json";
    private static final Duration FOLLOW = Duration.ofSeconds(10);
    private static final Map<String, String> SETTLED = settled();
    private static final ObjectMapper JSON = new ObjectMapper();

    private final VertexJob job;
    private final List<String> words;
    private final JobCommands command;
    private final PrintWriter out;

    /**
     * The job that the variables describe.
     *
     * @param environment the variables of the process
     * @param words options of {@code train}, which come before those of the variables
     * @param command the command line
     * @param out gets a line for each update and each measurement
     */
    public VertexTraining(Map<String, String> environment, List<String> words, JobCommands command, PrintWriter out) {
        this.job = new VertexJob(Map.copyOf(environment));
        this.words = List.copyOf(words);
        this.command = Objects.requireNonNull(command, "command");
        this.out = Objects.requireNonNull(out, "out");
    }

    private static Map<String, String> settled() {
        Map<String, String> settled = new LinkedHashMap<>();
        settled.put("data", "the data comes from AIP_TRAINING_DATA_URI");
        settled.put("validation", "validation data comes from AIP_VALIDATION_DATA_URI");
        settled.put("output", "the adapter goes to AIP_MODEL_DIR");
        settled.put("json", "each update has a line in the log, and one in metrics.jsonl");
        for (String name : List.of("workers", "worker-rank", "workers-secret")) {
            settled.put(name, "the machines of a job train together as CLUSTER_SPEC says");
        }
        for (String name : List.of("resume", "resume-or-start", "if-exists")) {
            settled.put(name, "a job resumes from the checkpoints it finds");
        }
        return settled;
    }

    /**
     * Trains.
     *
     * @return what the job came to; a job that was stopped has not succeeded, though what it had learned is saved
     */
    public JobCommands.Outcome run() {
        try {
            return train();
        } catch (PeftException | UncheckedIOException e) {
            return new JobCommands.Outcome(1, e.getMessage());
        }
    }

    private JobCommands.Outcome train() {
        List<String> all = options();
        all.addAll(job.hosts().options(job.value(Hosts.SECRET), job.value("CLOUD_ML_JOB_ID")));
        String modelPlace = job.required("AIP_MODEL_DIR", "where the adapter goes");
        Path data = job.data("AIP_TRAINING_DATA_URI").or(() -> job.data("PEFT4J_DATA"))
                .orElseThrow(() -> new ConfigurationException("the variable AIP_TRAINING_DATA_URI is not set; it says "
                        + "what to train on"));
        all.add("--data=" + data);
        Optional<Path> validation = job.data("AIP_VALIDATION_DATA_URI").or(() -> job.data("PEFT4J_VALIDATION"));
        validation.ifPresent(file -> all.add("--validation=" + file));
        if (!job.hosts().isFirst()) {
            return follow(all);
        }
        try (RemoteFolder model = RemoteFolder.open(modelPlace);
                RemoteFolder checkpoints = RemoteFolder.open(job.value("AIP_CHECKPOINT_DIR")
                        .orElseGet(() -> VertexJob.scratch().toString())).follow(FOLLOW)) {
            Optional<RemoteFolder> logs = job.value("AIP_TENSORBOARD_LOG_DIR").map(RemoteFolder::open);
            logs.ifPresent(folder -> all.add("--tracker=tensorboard=" + folder.follow(FOLLOW).local()));
            try {
                return train(all, data, model, checkpoints);
            } finally {
                logs.ifPresent(RemoteFolder::close);
            }
        }
    }

    /** Trains with the first machine, which keeps the result. */
    private JobCommands.Outcome follow(List<String> all) {
        all.add("--output=" + VertexJob.scratch());
        StepLines lines = new StepLines(out, plan -> {
        });
        JobCommands.Outcome outcome = command.train(all, lines);
        return lines.result().filter(result -> outcome.succeeded() && result.cancelled())
                .map(JobCommands.Outcome::stopped).orElse(outcome);
    }

    /** Options that stand in the command come before those of variables. */
    private List<String> options() {
        Map<String, String> given = job.options();
        // A custom job that no pipeline has made has no variables for data.
        Map.of("data", "AIP_TRAINING_DATA_URI", "validation", "AIP_VALIDATION_DATA_URI").forEach((option, variable) -> {
            if (job.value(variable).isEmpty()) {
                given.remove(option);
            }
        });
        for (String word : words) {
            if (word.startsWith("--")) {
                String name = word.substring(2).replaceFirst("=.*", "");
                if (SETTLED.containsKey(name)) {
                    throw new ConfigurationException("option --" + name + " cannot be set: " + SETTLED.get(name));
                }
                given.remove(name.replace('-', '_'));
            }
        }
        List<String> all = new ArrayList<>(new OptionWords("option", command.options(), SETTLED).of(given));
        all.addAll(words);
        if (all.stream().noneMatch(word -> word.startsWith("--model"))) {
            throw new ConfigurationException("no base model: set the variable " + SageMakerTraining.MODEL
                    + " to a hub ID, a path or an address");
        }
        if (all.stream().noneMatch(word -> word.startsWith("--checkpoint-steps"))) {
            all.add("--checkpoint-steps=" + SageMakerTraining.CHECKPOINT_STEPS);
        }
        return all;
    }

    private JobCommands.Outcome train(List<String> all, Path data, RemoteFolder model, RemoteFolder checkpoints) {
        ModelUpload delivery = new ModelUpload(checkpoints.local());
        delivery.makeReady();
        all.add("--output=" + checkpoints.local());
        all.add("--resume-or-start");
        Optional<TuningDataStats> stats = isOfChats(all) ? stats(all, data) : Optional.empty();
        StepLines lines = new StepLines(out, plan -> stats.ifPresent(about -> AtomicFiles.writeString(
                model.local().resolve(STATS), about.toJson(plan.totalSteps()).toPrettyString() + "\n")));
        JobCommands.Outcome outcome;
        try {
            outcome = command.train(all, lines);
        } finally {
            delivery.recordsTo(model.local());
        }
        if (!outcome.succeeded()) {
            return outcome;
        }
        delivery.adapterTo(model.local());
        Optional<TrainingResult> result = lines.result().filter(TrainingResult::cancelled);
        return result.isPresent() ? JobCommands.Outcome.stopped(result.get()) : evaluate(all, model);
    }

    private static boolean isOfChats(List<String> all) {
        return value(all, "--objective").filter(name -> !name.equals("sft")).isEmpty();
    }

    /** The statistics of the data, before the training has the memory for itself. */
    private static Optional<TuningDataStats> stats(List<String> all, Path data) {
        try (BaseModel base = BaseModel.load(value(all, "--model").orElseThrow())) {
            int limit = value(all, "--max-length").filter(text -> text.matches("\\d{1,9}")).map(Integer::parseInt)
                    .orElse(base.network().description().maxPositions());
            return Optional.of(new TuningDataStats(ChatDataset.readToLearn(DataFile.of(data)), ChatEncoder.of(base),
                    limit));
        }
    }

    private JobCommands.Outcome evaluate(List<String> all, RemoteFolder model) {
        Optional<Path> data = job.data("AIP_TEST_DATA_URI").or(() -> job.data("AIP_VALIDATION_DATA_URI"))
                .or(() -> job.data("PEFT4J_VALIDATION"));
        boolean wanted = !job.value(EVALUATION).orElse("true").equalsIgnoreCase("false");
        if (data.isEmpty() || !wanted || !isOfChats(all)) {
            return new JobCommands.Outcome(0, "");
        }
        StringWriter report = new StringWriter();
        JobCommands.Outcome outcome = command.evaluate(List.of("--model=" + value(all, "--model").orElseThrow(),
                "--adapter=" + model.local(), "--data=" + questions(data.get()), "--json"),
                new PrintWriter(report, true));
        if (!outcome.succeeded()) {
            return new JobCommands.Outcome(1, "the adapter is saved, but was not compared with its base: "
                    + outcome.problem());
        }
        AtomicFiles.writeString(model.local().resolve(EVALUATED), report.toString());
        return outcome;
    }

    /** Conversations as questions whose reference is what the assistant said last. */
    private static Path questions(Path data) {
        StringBuilder rows = new StringBuilder();
        for (ChatExample example : ChatDataset.read(data)) {
            List<ChatMessage> messages = example.messages();
            int last = messages.size() - 1;
            if (last > 0 && messages.get(last).role().equals("assistant")) {
                ObjectNode row = JSON.createObjectNode();
                ArrayNode asked = row.putArray("messages");
                messages.subList(0, last).forEach(message -> asked.add(JSON.valueToTree(message.toMap())));
                rows.append(row.put("reference", messages.get(last).content())).append('\n');
            }
        }
        Path file = VertexJob.scratch().resolve("questions.jsonl");
        AtomicFiles.writeString(file, rows.toString());
        return file;
    }

    /** The value of an option among words, behind an equals sign or in the next word. */
    private static Optional<String> value(List<String> words, String option) {
        for (int i = 0; i < words.size(); i++) {
            if (words.get(i).startsWith(option + "=")) {
                return Optional.of(words.get(i).substring(option.length() + 1));
            }
            if (words.get(i).equals(option) && i + 1 < words.size()) {
                return Optional.of(words.get(i + 1));
            }
        }
        return Optional.empty();
    }

    /** What is served: the artefacts that {@code AIP_STORAGE_URI} names. */
    public static ContainerModel served(Map<String, String> environment) {
        VertexJob job = new VertexJob(environment);
        Path folder = RemoteFolder.open(job.required("AIP_STORAGE_URI", "where the adapter lies")).local();
        return ContainerModel.served(folder, job.value(SageMakerTraining.MODEL), Optional.empty());
    }

    /**
     * What Vertex AI tells of the data of a tuning job, computed here: how many tokens examples have, those that are
     * asked and those that are learned; which examples are left out, and why; how many tokens an epoch has. Nothing is
     * ever cut, so that no example is truncated: one that is too long is left out.
     */
    static final class TuningDataStats {
        private static final int SHOWN = 3;
        private static final ObjectMapper JSON = new ObjectMapper();

        private final ChatDataset data;
        private final List<Integer> inputs = new ArrayList<>();
        private final List<Integer> outputs = new ArrayList<>();
        private final List<Integer> messages = new ArrayList<>();
        private final List<Integer> dropped = new ArrayList<>();
        private final List<String> reasons = new ArrayList<>();
        private long characters;

        /**
         * The statistics of a data set.
         *
         * @param encoder the encoder of the training
         * @param maxLength the most tokens of an example
         */
        TuningDataStats(ChatDataset data, ChatEncoder encoder, int maxLength) {
            this.data = data;
            for (int i = 0; i < data.size(); i++) {
                add(i, data.examples().get(i), encoder, maxLength);
            }
        }

        private void add(int index, ChatExample example, ChatEncoder encoder, int maxLength) {
            TokenSequence sequence = encoder.encode(example);
            if (sequence.length() > maxLength) {
                drop(index, example, sequence.length() + " tokens, more than the limit of " + maxLength);
            } else if (sequence.supervisedTokens() == 0) {
                drop(index, example, "nothing to learn");
            } else {
                inputs.add(sequence.length() - sequence.supervisedTokens());
                outputs.add(sequence.supervisedTokens());
                messages.add(example.messages().size());
                characters += example.messages().stream().mapToLong(message -> message.content().length()).sum();
            }
        }

        private void drop(int index, ChatExample example, String reason) {
            dropped.add(index);
            reasons.add(example.origin() + ": " + reason);
        }

        /**
         * The statistics under Vertex AI's names.
         *
         * @param steps updates of the training
         */
        ObjectNode toJson(long steps) {
            ObjectNode root = JSON.createObjectNode();
            ObjectNode stats = root.putObject("tuningDataStats").putObject("supervisedTuningDataStats");
            long tokens = inputs.stream().mapToLong(Integer::longValue).sum()
                    + outputs.stream().mapToLong(Integer::longValue).sum();
            stats.put("tuningDatasetExampleCount", data.size()).put("totalTuningCharacterCount", characters)
                    .put("totalBillableTokenCount", tokens).put("tuningStepCount", steps);
            stats.set("userInputTokenDistribution", distribution(inputs));
            stats.set("userOutputTokenDistribution", distribution(outputs));
            stats.set("userMessagePerExampleDistribution", distribution(messages));
            ArrayNode shown = stats.putArray("userDatasetExamples");
            data.stream().limit(SHOWN).forEach(example -> shown.add(contents(example)));
            stats.put("totalTruncatedExampleCount", 0).putArray("truncatedExampleIndices");
            dropped.forEach(stats.putArray("droppedExampleIndices")::add);
            reasons.forEach(stats.putArray("droppedExampleReasons")::add);
            return root;
        }

        private static ObjectNode distribution(List<Integer> values) {
            return new Distribution(values.stream().mapToInt(Integer::intValue).toArray()).toJson();
        }

        private static ArrayNode contents(ChatExample example) {
            ArrayNode contents = JSON.createArrayNode();
            for (ChatMessage message : example.messages()) {
                String role = message.role().equals("assistant") ? "model" : message.role();
                contents.addObject().put("role", role).putArray("parts").addObject().put("text", message.content());
            }
            return contents;
        }

        /** Numbers of examples as Vertex AI describes them: sum, least, greatest, mean, quantiles and ten buckets. */
        record Distribution(int[] values) {
            private static final int BUCKETS = 10;

            Distribution {
                values = values.clone();
                Arrays.sort(values);
            }

            ObjectNode toJson() {
                ObjectNode json = new ObjectMapper().createObjectNode();
                if (values.length == 0) {
                    return json;
                }
                int least = values[0];
                int greatest = values[values.length - 1];
                json.put("sum", Arrays.stream(values).asLongStream().sum()).put("min", least).put("max", greatest)
                        .put("mean", Arrays.stream(values).average().getAsDouble()).put("median", quantile(0.5))
                        .put("p5", quantile(0.05)).put("p95", quantile(0.95));
                ArrayNode buckets = json.putArray("buckets");
                double width = Math.max(1, greatest - least + 1) / (double) BUCKETS;
                for (int i = 0; i < BUCKETS; i++) {
                    double left = least + i * width;
                    double right = left + width;
                    long count = Arrays.stream(values).filter(value -> value >= left && value < right).count();
                    if (count > 0) {
                        buckets.addObject().put("count", count).put("left", left).put("right", right);
                    }
                }
                return json;
            }

            /** Between the two nearest values, as far as the share lies between them. */
            private double quantile(double share) {
                double at = share * (values.length - 1);
                int below = (int) Math.floor(at);
                int above = Math.min(values.length - 1, below + 1);
                return values[below] + (at - below) * (values[above] - values[below]);
            }
        }
    }
}
