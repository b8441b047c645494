package io.peft4j.cloud.jobs;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.AtomicFiles;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A custom training job of Vertex AI, by its variables: data from {@code AIP_TRAINING_DATA_URI} and {@code
 * AIP_VALIDATION_DATA_URI}, the adapter to {@code AIP_MODEL_DIR}, checkpoints in {@code AIP_CHECKPOINT_DIR}, from which
 * a job that is started again goes on, event files of TensorBoard in {@code AIP_TENSORBOARD_LOG_DIR}. The options of
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
}
