package io.peft4j.cloud.jobs;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.train.TrainingResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A training job of SageMaker. The hyperparameters are the options of {@code train}, with underscores; the data comes
 * from the channel {@code training} or {@code train}, validation data from {@code validation}; the base model is the
 * hyperparameter {@code model}, the variable {@value #MODEL}, or what lies in the model folder or the channel
 * {@code model}.
 *
 * <p>The training runs in the folder of checkpoints, which SageMaker keeps in S3, and goes on there after an
 * interruption with the same result bit for bit. In the end the adapter is copied to the model folder and compared, and
 * {@code metrics.jsonl} to {@code output/data}. What fails is told in {@code output/failure}.
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
}
