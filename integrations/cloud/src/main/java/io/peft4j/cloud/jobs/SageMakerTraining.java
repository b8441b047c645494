package io.peft4j.cloud.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.JsonFiles;
import io.peft4j.train.TrainingResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A training job of SageMaker. The hyperparameters are the options of {@code train}, with underscores; the data comes
 * from the channel {@code training} or {@code train}, validation data from {@code validation}; the base model is the
 * hyperparameter {@code model}, the variable {@value #MODEL}, or what lies in the model folder or the channel
 * {@code model}.
 *
 * <p>The training runs in the folder of checkpoints, which SageMaker keeps in S3, and resumes there after an
 * interruption with the same result bit for bit. In the end the adapter is copied to the model folder and compared, and
 * {@code metrics.jsonl} to {@code output/data}. What fails is written to {@code output/failure}.
 *
 * <p>The machines of a job, as {@code resourceconfig.json} lists them, train together; the first one keeps checkpoints
 * and result, the others keep nothing.
 */
@Internal(shared = true)
public final class SageMakerTraining {
    /** The variable that names the base model. */
    public static final String MODEL = "PEFT4J_MODEL";
    /** An interruption that comes without a word costs at most so many updates. */
    static final int CHECKPOINT_STEPS = 50;
    /** The variable that names the job; another job has another one. */
    private static final String JOB = "TRAINING_JOB_ARN";
    /** As much as SageMaker shows of the reason of a failure. */
    private static final int SHOWN = 1024;
    private static final Logger LOG = LoggerFactory.getLogger(SageMakerTraining.class);
    private static final Map<String, String> SETTLED = settled();

    private final SageMakerJob job;
    private final JobCommands command;
    private final PrintWriter out;

    /**
     * The job below a root.
     *
     * @param root {@code /opt/ml}
     * @param environment the variables of the process
     * @param command the command line
     * @param out gets a line for each update and each measurement
     */
    public SageMakerTraining(Path root, Map<String, String> environment, JobCommands command, PrintWriter out) {
        this.job = new SageMakerJob(Objects.requireNonNull(root, "root"), Map.copyOf(environment));
        this.command = Objects.requireNonNull(command, "command");
        this.out = Objects.requireNonNull(out, "out");
    }

    private static Map<String, String> settled() {
        Map<String, String> settled = new LinkedHashMap<>();
        settled.put("data", "the data comes from the channel 'training'");
        settled.put("validation", "validation data comes from the channel 'validation'");
        settled.put("output", "the adapter goes to the model folder");
        settled.put("json", "each update has a line in the log, and one in output/data/metrics.jsonl");
        settled.put("if-exists", "a job resumes from the checkpoints it finds");
        for (String name : List.of("workers", "worker-rank", "workers-secret")) {
            settled.put(name, "the machines of a job train together as resourceconfig.json says");
        }
        settled.put("resume", "a job resumes from the checkpoints it finds");
        settled.put("resume-or-start", "a job resumes from the checkpoints it finds");
        return settled;
    }

    /**
     * Trains.
     *
     * @return what the job came to; a job that was stopped has not succeeded, though what it had learned is saved, nor
     *     has it failed: it leaves no reason of a failure
     */
    public JobCommands.Outcome run() {
        try {
            AtomicFiles.writeString(job.failure(), "");
            Files.delete(job.failure());
            JobCommands.Outcome outcome = train();
            if (!outcome.succeeded() && !outcome.isStopped()) {
                tell(outcome.problem());
            }
            return outcome;
        } catch (PeftException | UncheckedIOException e) {
            tell(e.getMessage());
            return new JobCommands.Outcome(1, e.getMessage());
        } catch (IOException e) {
            return new JobCommands.Outcome(1, "cannot write to " + job.failure() + ": " + AtomicFiles.reason(e));
        } catch (RuntimeException | Error e) {
            tell("internal error: " + e);
            throw e;
        }
    }

    private JobCommands.Outcome train() {
        List<String> words = words();
        boolean keeps = job.hosts().isFirst();
        ModelUpload delivery = new ModelUpload(job.checkpoints());
        delivery.makeReady();
        StepLines lines = new StepLines(out, plan -> {
        });
        JobCommands.Outcome outcome;
        try {
            outcome = command.train(words, lines);
        } finally {
            if (keeps) {
                keepRecords(delivery);
            }
        }
        if (!outcome.succeeded()) {
            return outcome;
        }
        if (keeps) {
            delivery.adapterTo(job.model());
        }
        return lines.result().filter(TrainingResult::cancelled).map(JobCommands.Outcome::stopped).orElse(outcome);
    }

    /** Metrics of a job that failed tell why; they do not hide its failure where they cannot be written. */
    private void keepRecords(ModelUpload delivery) {
        try {
            delivery.recordsTo(job.outputData());
        } catch (UncheckedIOException e) {
            LOG.warn("cannot write metrics to {}: {}", job.outputData(), e.getMessage());
        }
    }

    private List<String> words() {
        Map<String, String> given = job.hyperparameters();
        List<String> words = new ArrayList<>(new OptionWords("hyperparameter", command.options(), SETTLED).of(given));
        words.addAll(job.hosts().options(Optional.ofNullable(job.environment().get(Hosts.SECRET)),
                Optional.ofNullable(job.environment().get(JOB))));
        Map<String, Path> channels = job.channels();
        if (!given.containsKey("model")) {
            words.add("--model=" + model(channels));
        }
        words.add("--data=" + data(channels).orElseThrow(() -> new ConfigurationException("no data to train "
                + "on: the job has no channel 'training' (or 'train'), only " + channels.keySet())));
        Optional.ofNullable(channels.get("validation")).map(folder -> Channel.oneFile(Channel.files(folder),
                "the channel 'validation'")).ifPresent(file -> words.add("--validation=" + file));
        words.add("--output=" + job.checkpoints());
        words.add("--resume-or-start");
        if (!given.containsKey("checkpoint_steps")) {
            words.add("--checkpoint-steps=" + CHECKPOINT_STEPS);
        }
        return words;
    }

    private static Optional<Path> data(Map<String, Path> channels) {
        for (String name : List.of("training", "train")) {
            if (channels.containsKey(name)) {
                return Optional.of(Channel.oneFile(Channel.files(channels.get(name)), "the channel '" + name + "'"));
            }
        }
        return Optional.empty();
    }

    private String model(Map<String, Path> channels) {
        return ContainerModel.base(job.model(), Optional.ofNullable(job.environment().get(MODEL)),
                Optional.ofNullable(channels.get("model"))).orElseThrow(
                        () -> new ConfigurationException("no base "
                                + "model: set the hyperparameter 'model' or the variable " + MODEL
                                + " to a hub ID or a path, or add a "
                                + "channel 'model'"));
    }

    /** What is served below a root: the model folder, on the base that the environment names or the channel holds. */
    public static ContainerModel served(Path root, Map<String, String> environment) {
        SageMakerJob job = new SageMakerJob(root, environment);
        return ContainerModel.served(job.model(), Optional.ofNullable(environment.get(MODEL)),
                Optional.ofNullable(job.channels().get("model")));
    }

    private void tell(String problem) {
        try {
            AtomicFiles.writeString(job.failure(), problem.length() <= SHOWN ? problem
                    : problem.substring(0, SHOWN - 3) + "...");
        } catch (UncheckedIOException e) {
            LOG.error("cannot write the failure reason: {}", e.getMessage());
        }
    }

    /**
     * What SageMaker tells a training container: files below a root, and the variables of its toolkit where a file is
     * not there.
     *
     * @param root {@code /opt/ml}
     * @param environment the variables
     */
    private record SageMakerJob(Path root, Map<String, String> environment) {
        private static final ObjectMapper JSON = new ObjectMapper();
        /** What the Python SDK adds for itself. */
        private static final String RESERVED = "sagemaker_";

        private Path config(String name) {
            return root.resolve("input/config").resolve(name);
        }

        /** The hyperparameters, without those of the SDK. */
        Map<String, String> hyperparameters() {
            Map<String, String> all = new TreeMap<>();
            Optional<JsonNode> file = read(config("hyperparameters.json")).or(() -> variable("SM_HPS"));
            if (file.isPresent()) {
                file.get().properties().forEach(field -> all.put(field.getKey(), text(field.getValue())));
            } else {
                environment.forEach((name, value) -> {
                    if (name.startsWith("SM_HP_")) {
                        all.put(name.substring("SM_HP_".length()).toLowerCase(Locale.ROOT), value);
                    }
                });
            }
            all.keySet().removeIf(name -> name.startsWith(RESERVED));
            return all;
        }

        /** The folders of the channels by name. */
        Map<String, Path> channels() {
            Map<String, Path> channels = new LinkedHashMap<>();
            Path data = root.resolve("input/data");
            if (Files.isDirectory(data)) {
                try (Stream<Path> entries = Files.list(data)) {
                    entries.filter(Files::isDirectory).sorted()
                            .forEach(folder -> channels.put(folder.getFileName().toString(), folder));
                } catch (IOException e) {
                    throw new UncheckedIOException("cannot list " + data + ": " + AtomicFiles.reason(e), e);
                }
            }
            environment.forEach((name, value) -> {
                if (name.startsWith("SM_CHANNEL_")) {
                    channels.put(name.substring("SM_CHANNEL_".length()).toLowerCase(Locale.ROOT), Path.of(value));
                }
            });
            requireFiles();
            return channels;
        }

        private void requireFiles() {
            read(config("inputdataconfig.json")).ifPresent(all -> all.properties().forEach(channel -> {
                if (channel.getValue().path("TrainingInputMode").asText().equals("Pipe")) {
                    throw new ConfigurationException("the channel '" + channel.getKey() + "' has the input mode Pipe, "
                            + "which gives the data once only; use File or FastFile");
                }
            }));
        }

        Hosts hosts() {
            Optional<JsonNode> file = read(config("resourceconfig.json"));
            Optional<JsonNode> hosts = file.map(node -> node.path("hosts")).or(() -> variable("SM_HOSTS"));
            List<String> names = new ArrayList<>();
            hosts.ifPresent(list -> list.forEach(host -> names.add(host.asText())));
            if (names.isEmpty()) {
                return Hosts.one();
            }
            return Hosts.of(file.map(node -> node.path("current_host").asText())
                    .orElse(environment.getOrDefault("SM_CURRENT_HOST", names.get(0))), names);
        }

        /** Where the model goes, and lies when it is served. */
        Path model() {
            return Path.of(environment.getOrDefault("SM_MODEL_DIR", root.resolve("model").toString()));
        }

        /** Where all else goes that is to be kept. */
        Path outputData() {
            return Path.of(environment.getOrDefault("SM_OUTPUT_DATA_DIR", root.resolve("output/data").toString()));
        }

        /** The file that says why the job failed. */
        Path failure() {
            return root.resolve("output/failure");
        }

        /** The folder that is copied to S3 while the job runs, and back when it is started again. */
        Path checkpoints() {
            return root.resolve("checkpoints");
        }

        private Optional<JsonNode> variable(String name) {
            return Optional.ofNullable(environment.get(name)).map(text -> {
                try {
                    return JSON.readTree(text);
                } catch (IOException e) {
                    throw new ConfigurationException("the variable " + name + " is not valid JSON: " + text, e);
                }
            });
        }

        private static Optional<JsonNode> read(Path file) {
            return Files.isRegularFile(file) ? Optional.of(JsonFiles.object(file)) : Optional.empty();
        }

        private static String text(JsonNode value) {
            return value.isValueNode() ? value.asText() : value.toString();
        }
    }
}
