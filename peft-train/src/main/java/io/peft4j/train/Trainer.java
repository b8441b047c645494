package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.AdapterLease;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.CalibrationBatches;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.Masking;
import io.peft4j.train.objective.ChatObjective;
import io.peft4j.train.objective.DataSetup;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.EncodedExamples;
import io.peft4j.train.objective.Keeping;
import io.peft4j.train.objective.MixedObjective;
import io.peft4j.train.objective.NextTokenObjective;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.parallel.WorkerCollective;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains the active adapters of a model: by next-token prediction on the supervised tokens, or by another {@link
 * Objective}.
 *
 * <pre>{@code
 * TrainingResult run = Trainer.builder(model).output(Path.of("handbook-adapter"))
 *         .build().train(examples);
 * }</pre>
 *
 * <p>While a training writes to an output folder, others are refused there ({@link
 * io.peft4j.core.io.FolderLock}).
 *
 * <p>The loss of an update is the mean over all supervised tokens of its examples, however they are cut into batches,
 * so gradient accumulation equals a larger batch, and several {@linkplain TrainerBuilder#workers workers} equal one.
 * The same seed gives the same adapter, bit for bit.
 */
public final class Trainer {
    private static final Logger LOG = LoggerFactory.getLogger(Trainer.class);

    private final PeftModel model;
    private final TrainingOptions options;
    private final List<TokenSequence> validation;
    private final Optional<ChatDataset> validationChats;
    private final Optional<OutputFolder> output;
    private final List<TrainingListener> listeners;
    private final Cancellation cancellation;
    private final WorkerCollective workers;
    private final Optional<Keeping> keeping;
    private final Profiler profiler;

    Trainer(TrainerBuilder builder, TrainingOptions options) {
        this.model = builder.model;
        this.options = options;
        this.profiler = new Profiler(options.profile());
        this.validation = builder.validation;
        this.validationChats = builder.validationChats;
        this.workers = builder.workers;
        this.keeping = builder.keeping;
        boolean tells = workers.rank() == 0;
        this.output = builder.outputFolder().filter(folder -> tells);
        this.listeners = new ArrayList<>(List.of(new TrainingGuards(LOG::warn)));
        listeners.addAll(tells ? builder.listeners : List.of());
        if (builder.logsProgress && tells) {
            listeners.add(new ProgressLog(LOG::info, System::nanoTime));
        }
        this.cancellation = builder.cancellation;
    }

    /** A builder of a trainer for the adapters that are active in {@code model}. */
    public static TrainerBuilder builder(PeftModel model) {
        return new TrainerBuilder(model);
    }

    /**
     * Checks an output folder before a model is loaded or data is read, and changes nothing: that it can be written,
     * that no other training writes to it, and that there is a training in it only where one is to be resumed.
     *
     * @return the folder to write to
     * @throws ConfigurationException when it does not go with what is asked for
     * @throws java.io.UncheckedIOException when it cannot be written
     */
    public static Path requireOutput(Path folder, RunStart start, IfExists ifExists) {
        OutputFolder chosen = new OutputFolder(new Checkpoints(folder, 0, 2), List.of(PeftModel.DEFAULT_ADAPTER), start,
                ifExists).chosen();
        chosen.check();
        return chosen.checkpoints().output();
    }

    /**
     * Trains on conversations, encoded with the model's tokenizer and chat template; see {@link ChatEncoder}. Those
     * that are longer than {@link TrainerBuilder#maxLength} are left out, counted ({@link TrainingPlan#leftOut}) and
     * listed in the log.
     *
     * @throws io.peft4j.core.error.PeftException when an example cannot be encoded, as a conversation where the model
     *     has no chat template, or as {@link #train(List)} says
     */
    public TrainingResult train(ChatDataset examples) {
        requireOutput();
        return run(chats(), encode(examples), held());
    }

    /**
     * Trains on the examples, and saves the adapter where an output folder is given, also when the training was
     * cancelled. A training that fails leaves no adapter; its last values are in the model.
     *
     * @throws ConfigurationException when there is no example, no supervised token or no trainable parameter; when an
     *     example is longer than the model's limit; when the output folder does not go with
     *     {@link TrainerBuilder#start}, or another training writes to it; when the loss is no number any more
     * @throws java.io.UncheckedIOException when the output cannot be written; the message says where what was trained
     *     is kept, and resuming finishes the save
     */
    public TrainingResult train(List<TokenSequence> examples) {
        requireOutput();
        model.network().causal();
        return run(NextTokenObjective.ofSequences(), EncodedExamples.of(examples), held());
    }

    /**
     * Trains on examples of another kind, for instance texts with labels:
     *
     * <pre>{@code
     * Trainer.builder(model).build().train(new ClassificationObjective(model), TaskRows.texts(file));
     * }</pre>
     *
     * @param objective what is minimized
     * @throws ConfigurationException as {@link #train(List)} says
     */
    public <E> TrainingResult train(Objective<E> objective, List<E> examples) {
        return train(objective, examples, List.of());
    }

    /**
     * As {@link #train(Objective, List)}, with examples whose loss is measured before the training and after each
     * epoch.
     */
    public <E> TrainingResult train(Objective<E> objective, List<E> examples, List<E> held) {
        requireOutput();
        return run(objective, encoded(objective, examples, "training"), held(objective, held));
    }

    private void requireOutput() {
        profiler.begin();
        output.map(OutputFolder::chosen).ifPresent(OutputFolder::check);
    }

    /** Trains on several objectives at once, each with examples of its own. */
    public TrainingResult train(MixedObjective objective) {
        return train(objective, objective.examples(), objective.held());
    }

    /**
     * What {@link #train(ChatDataset)} would take, from a probe of some seconds: the first updates run at a learning
     * rate of 0. Nothing of the model changes, and nothing stays written.
     *
     * @throws io.peft4j.core.error.PeftException as {@link #train(ChatDataset)}
     */
    public TrainingEstimate estimate(ChatDataset examples) {
        return probe(chats(), encode(examples), held());
    }

    /** What {@link #train(List)} would take, from a probe. */
    public TrainingEstimate estimate(List<TokenSequence> examples) {
        return probe(NextTokenObjective.ofSequences(), EncodedExamples.of(examples), held());
    }

    /** What {@link #train(Objective, List, List)} would take, from a probe. */
    public <E> TrainingEstimate estimate(Objective<E> objective, List<E> examples, List<E> held) {
        return probe(objective, encoded(objective, examples, "training"), held(objective, held));
    }

    private TrainingEstimate probe(Objective<?> objective, EncodedExamples examples, EncodedExamples held) {
        Optional<Keeping.Probe> kept = keeping.map(what -> what.probe(model.base(), batchSize()));
        TrainingEstimate estimate = new TrainingProbe(TrainingTask.of(model, with(kept.map(Keeping.Probe::some),
                objective), options, examples, held).complete(Optional.empty())).run(TrainingEstimate.PROBE);
        return kept.map(probe -> estimate.withAskingSeconds(probe.seconds())).orElse(estimate);
    }

    private Objective<?> with(Optional<Keeping> kept, Objective<?> objective) {
        return kept.<Objective<?>>map(what -> what.around(objective, model)).orElse(objective);
    }

    private <E> EncodedExamples encoded(Objective<E> objective, List<E> examples, String kind) {
        profiler.enter(Profiler.Section.ENCODING);
        EncodedExamples encoded = objective.encode(examples, new DataSetup(kind, maxLength(), batchSize()));
        profiler.enter(Profiler.Section.OTHER);
        return encoded;
    }

    /** Examples in a pass where it does not matter for the result. */
    private int batchSize() {
        return options.batchSize().orElse(TrainingOptions.USUAL_BATCH);
    }

    private <E> EncodedExamples held(Objective<E> objective, List<E> held) {
        return held.isEmpty() ? EncodedExamples.of(List.of()) : encoded(objective, held, "validation");
    }

    private TrainingResult run(Objective<?> objective, EncodedExamples examples, EncodedExamples held) {
        try (TrainingRun training = open(objective, examples, held)) {
            TrainingResult result = training.execute();
            // No worker has succeeded before the adapter is saved.
            workers.gather(new byte[0]);
            return result;
        } catch (RuntimeException | Error e) {
            workers.fail(e.getMessage() == null ? e.getClass().getName() : e.getMessage());
            throw e;
        }
    }

    /** A training that is about to begin; the folder is locked, and the model kept for it. */
    TrainingRun open(Objective<?> objective, EncodedExamples examples, EncodedExamples held) {
        if (held.examples().isEmpty()
                && (options.patience() > 0 || options.keepBest() || options.evaluateEverySteps() > 0)) {
            throw new ConfigurationException("evaluation by steps, early stopping and keeping the best adapter need "
                    + "validation data");
        }
        TrainingTask task = TrainingTask.of(model, with(keeping, objective), options, examples, held);
        task.warnOfShared();
        return TrainingRun.open(task, output.map(OutputFolder::chosen), workers, profiler, cancellation,
                listeners);
    }

    /** Why it cannot share passes with the trainings of other adapters, as a sentence; empty where it can. */
    Optional<String> sharingObstacle() {
        if (options.neftuneAlpha() > 0 || options.labelSmoothing() > 0) {
            return Optional.of("it has noise on its embeddings or smoothed labels");
        }
        if (keeping.isPresent()) {
            return Optional.of("it has a penalty on what changes along kept answers");
        }
        if (options.freezeLower() > 0) {
            return Optional.of("it freezes lower layers, which the others train");
        }
        if (options.profile()) {
            return Optional.of("its profile would be one of all of them");
        }
        if (workers.count() > 1) {
            return Optional.of("it is divided among " + workers.count() + " workers");
        }
        List<String> active = model.activeAdapters();
        if (active.size() != 1) {
            return Optional.of("it trains " + Count.of(active.size(), "adapter") + " at once");
        }
        if (model.adapter(active.get(0)).layers().stream().anyMatch(AdapterLayer::hasDropout)) {
            return Optional.of("its adapter has dropout, whose random numbers would be others");
        }
        try (AdapterLease lease = model.leaseAdapter(active.get(0))) {
            return lease.mixingObstacle();
        }
    }

    /**
     * The loss on the validation conversations of the model as it is: the mean negative log-likelihood of a supervised
     * token.
     *
     * @throws ConfigurationException when there is no validation data, or no supervised token in it
     */
    public double validationLoss() {
        EncodedExamples held = held();
        if (held.examples().isEmpty()) {
            throw new ConfigurationException("there is no validation data to measure a loss on");
        }
        double weight = EncodedExample.weight(TrainingTask.checked(held, "validation", model).examples());
        List<TokenSequence> sequences = EncodedExample.sequences(held.examples());
        double sum = 0;
        try (TrainingPasses passes = TrainingPasses.of(model)) {
            for (int from = 0; from < sequences.size(); from += batchSize()) {
                sum += passes.evaluation(model.network().pack(sequences.subList(from,
                        (int) Math.min(sequences.size(), (long) from + batchSize()))),
                        pass -> pass.batch().targets().weightedSum(pass.negativeLogLikelihoods()));
            }
        }
        return sum / weight;
    }

    /**
     * What is set of the training by the names that its checkpoints have: epochs, batches, rates, optimizer, seed;
     * {@code auto} for what rules choose. Trainings with the same settings, model and examples go the same way.
     */
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>(options.settings());
        keeping.map(Keeping::settings).ifPresent(settings::putAll);
        return settings;
    }

    PeftModel model() {
        return model;
    }

    private ChatObjective chats() {
        return new ChatObjective(model, options.masking());
    }

    EncodedExamples encode(ChatDataset dataset) {
        return encoded(chats(), dataset.examples(), "training");
    }

    /** The conversations or sequences that the loss is measured on. */
    EncodedExamples held() {
        return validationChats.map(held -> encoded(chats(), held.examples(), "validation"))
                .orElseGet(() -> EncodedExamples.of(validation));
    }

    /**
     * The first examples of a training, for an adapter whose first values are computed from data
     * ({@link io.peft4j.core.peft.config.PeftConfig#needsCalibration()}). Examples that are too long are left out.
     *
     * @param model the base model
     * @param examples the training's conversations
     * @param batchSize examples a batch
     * @param mostBatches the most batches
     * @throws io.peft4j.core.error.PeftException when there is no example, or one cannot be encoded
     */
    public static CalibrationBatches calibration(LanguageModel model, ChatDataset examples, int batchSize,
            int mostBatches) {
        return CalibrationBatches.of(
                ChatEncoder.of(model, Masking.ASSISTANT).encode(examples, model.network().description().maxPositions())
                        .sequences(),
                batchSize, mostBatches);
    }

    private int maxLength() {
        return options.maxLength().orElse(room());
    }

    /** The most tokens of an example that the model takes. */
    private int room() {
        try (ModelLease lease = model.lease()) {
            return lease.maxPositions();
        }
    }

    @Override
    public String toString() {
        return "trainer of " + model + ": " + options;
    }
}
