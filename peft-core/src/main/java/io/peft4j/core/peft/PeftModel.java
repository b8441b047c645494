package io.peft4j.core.peft;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Network;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.peft.ActiveAdapters.Choice;
import io.peft4j.core.peft.config.CalibrationBatches;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.file.SavedEmbeddings;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A base model with adapters. The base is shared and never changed: any number of these can stand on one base, and each
 * chooses on its own which of its adapters are active. An application gets one from {@code BaseModel.withAdapter}; the
 * constructor and {@link #of} are for several adapters, and for bases of other kinds.
 *
 * <p>The first adapter is active, those that come later are not until {@link #activate} names them. Several active
 * adapters work one on the other, in the order of their activation: those that add something to a layer add up, those
 * that turn or scale its input or output do so one after the other. With none the model is the base. What is trained is
 * what is active. Once there are several, answers need that choice.
 *
 * <p>Any number of threads may use it at once. A call, be it an answer, a score or a step of a training, runs to its
 * end with the layers that were active when it began, whatever is activated, swapped, deleted, merged or closed
 * meanwhile; what it uses is freed after it. {@link #with} and {@link #byRow} give views with adapters of their own
 * choice, so that threads need not agree on what is active. While the model is trained, what is active cannot be
 * changed. Changes wait for each other.
 *
 * <p>Closing frees the adapters, not the base; afterwards whatever begins is refused with a
 * {@link io.peft4j.core.error.ClosedException}.
 */
public final class PeftModel implements LanguageModel, AutoCloseable {
    /** The name of the first adapter unless it is given another. */
    public static final String DEFAULT_ADAPTER = "default";
    /** What stands for the base model among names of adapters, as in Hugging Face PEFT. */
    public static final String BASE = "__base__";

    private final BaseLanguageModel base;
    private final AdapterSet adapters;

    /** The base model without any adapter. */
    public PeftModel(BaseLanguageModel base) {
        this.base = Objects.requireNonNull(base, "base");
        this.adapters = new AdapterSet(base);
    }

    /**
     * The base model with a new adapter {@value #DEFAULT_ADAPTER}, initialized with seed 0.
     *
     * @throws io.peft4j.core.error.PeftException when the configuration does not fit the model
     */
    public static PeftModel of(BaseLanguageModel base, PeftConfig config) {
        return of(base, config, new SplittableRandom(0));
    }

    /** The base model with a new adapter {@value #DEFAULT_ADAPTER}, initialized from {@code random}. */
    public static PeftModel of(BaseLanguageModel base, PeftConfig config, RandomGenerator random) {
        return of(base, config, random, Optional.empty());
    }

    /** As {@link #of(BaseLanguageModel, PeftConfig, RandomGenerator)}; see {@link PeftConfig#needsCalibration}. */
    public static PeftModel of(BaseLanguageModel base, PeftConfig config, RandomGenerator random,
            Optional<CalibrationBatches> calibration) {
        return new PeftModel(config.modelOn(base)).addAdapter(DEFAULT_ADAPTER, config, random, calibration);
    }

    /**
     * The base model with an adapter from a folder, under the name {@value #DEFAULT_ADAPTER}.
     *
     * @throws io.peft4j.core.error.PeftException when it is damaged or does not fit the model
     */
    public static PeftModel load(BaseLanguageModel base, Path folder) {
        return new PeftModel(AdapterCheckpoint.readConfig(folder).modelOn(base)).loadAdapter(DEFAULT_ADAPTER, folder);
    }

    /**
     * Adds a new adapter. The first one becomes active.
     *
     * @param name letters, digits, hyphens and underscores; a folder name in {@link #saveAdapter}
     * @param random the source of its first values
     * @throws ConfigurationException when the name is taken or not allowed, or the model is merged
     */
    public PeftModel addAdapter(String name, PeftConfig config, RandomGenerator random) {
        return addAdapter(name, config, random, Optional.empty());
    }

    /** As {@link #addAdapter(String, PeftConfig, RandomGenerator)}, for first values that are computed from data. */
    public PeftModel addAdapter(String name, PeftConfig config, RandomGenerator random,
            Optional<CalibrationBatches> calibration) {
        adapters.add(name, () -> AdapterCheckpoint.create(config, AdapterSetup.creating(base, random, calibration)));
        return this;
    }

    /** As {@link #addAdapter(String, PeftConfig, RandomGenerator)} with seed 0. */
    public PeftModel addAdapter(String name, PeftConfig config) {
        return addAdapter(name, config, new SplittableRandom(0));
    }

    /**
     * Loads an adapter from a folder. The first one becomes active.
     *
     * @throws ConfigurationException when the name is taken or not allowed, or the model is merged
     * @throws io.peft4j.core.error.PeftException when it is damaged or does not fit the model
     */
    public PeftModel loadAdapter(String name, Path folder) {
        adapters.add(name, () -> AdapterCheckpoint.load(folder, base));
        return this;
    }

    /** As {@link #loadAdapter(String, Path)} under the name {@value #DEFAULT_ADAPTER}. */
    public PeftModel loadAdapter(Path folder) {
        return loadAdapter(DEFAULT_ADAPTER, folder);
    }

    /**
     * Puts the adapter of a folder in the place of one that there is, so that a running service changes its adapter:
     * answers that have begun end with the former one, which is freed after the last of them, all others get the new
     * one. What is active stays so. If the folder's adapter does not fit, nothing is changed.
     *
     * @throws ConfigurationException when there is no such adapter, it is being trained, the model is merged, or the
     *     folder's adapter cannot run beside the others that are active
     * @throws io.peft4j.core.error.PeftException when the folder is damaged or does not fit
     */
    public void hotSwap(String name, Path folder) {
        adapters.swap(name, folder);
    }

    /**
     * Takes an adapter out of the model; it is freed when the last answer that runs through it has ended. If it was
     * active, the others that were stay so.
     *
     * @throws ConfigurationException when there is no such adapter, it is being trained, the model is merged, or rows
     *     run through it ({@link #activateByRow})
     */
    public void deleteAdapter(String name) {
        adapters.delete(name);
    }

    /** The names of all adapters, in the order they came. */
    public List<String> adapterNames() {
        return List.copyOf(adapters.all().keySet());
    }

    /**
     * An adapter.
     *
     * @throws ConfigurationException when there is none of that name
     * @throws io.peft4j.core.error.ClosedException when the model is closed
     */
    public Adapter adapter(String name) {
        return adapters.adapter(name);
    }

    /** The names of the active adapters, in the order of their activation; empty while they are disabled. */
    public List<String> activeAdapters() {
        return adapters.active().choice().adapters();
    }

    /**
     * Makes exactly these adapters active; without names, the model is the base.
     *
     * @throws ConfigurationException when a name is unknown, two adapters bring a trained copy of the same layer, or
     *     the model is merged
     */
    public void activate(String... names) {
        adapters.choose(Choice.onAllRows(List.of(names)));
    }

    /**
     * The model with exactly these adapters, whichever are active; without names, the base. Any number of such views
     * can be used at once, by any number of threads. An adapter is looked up when something is asked of the view.
     *
     * @throws ConfigurationException when a name is unknown; when something is asked of the view also when it has been
     *     deleted, and as {@link #activate}
     */
    public LanguageModel with(String... names) {
        return adapters.view(this, Choice.onAllRows(List.of(names)));
    }

    /**
     * The model for batches whose rows run through different adapters: rows of group i ({@link
     * io.peft4j.core.nn.TokenSequence#inGroup}) through adapter {@code names[i]}, or through the base where that is
     * {@value #BASE}. Each sequence gets what it gets alone; gradients reach the adapters of their rows.
     *
     * @throws ConfigurationException when a name is unknown; when something is asked of the view also when an adapter
     *     cannot run on some rows only: one that works with virtual tokens, on whole sequences, or on the output layer
     */
    public LanguageModel byRow(String... names) {
        return adapters.view(this, Choice.byRow(List.of(names)));
    }

    /**
     * Makes these adapters active, each for the rows of its group, as {@link #byRow} says; {@value #BASE} is the
     * base. Training then trains all of them in one batch. That stays so while adapters are added and swapped; none of
     * them can be deleted or merged before others are activated.
     *
     * @throws ConfigurationException as {@link #byRow}, and when the model is merged
     */
    public void activateByRow(String... names) {
        adapters.choose(Choice.byRow(List.of(names)));
    }

    /**
     * Answers prompts in one batch, each with an adapter of its own.
     *
     * @param adapterOfPrompt for each prompt the name of its adapter, or {@value #BASE}
     * @throws ConfigurationException as {@link #byRow}, and when there are not as many names as prompts
     */
    public List<Completion> generate(List<Prompt> prompts, List<String> adapterOfPrompt, GenerationOptions options) {
        if (prompts.size() != adapterOfPrompt.size()) {
            throw new ConfigurationException(adapterOfPrompt.size() + " adapters for " + prompts.size() + " prompts");
        }
        List<String> names = adapterOfPrompt.stream().distinct().toList();
        int[] groups = adapterOfPrompt.stream().mapToInt(names::indexOf).toArray();
        try (ModelLease lease = adapters.lease(Choice.byRow(names))) {
            LayerSelection layers = ((RowLayers) lease.layers()).forSequences(groups);
            return base.generate(lease.withLayers(layers), prompts, options);
        }
    }

    /**
     * Makes the model the base until the result is closed. Then all is active that was, but for adapters that have been
     * deleted. Closing twice does nothing.
     *
     * @throws ConfigurationException when the model is merged
     */
    public Scope disable() {
        return adapters.disable();
    }

    /** Ends with what was before. */
    @FunctionalInterface
    public interface Scope extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * An adapter as it is now, whatever is active: for passes in which requests with different adapters share a batch.
     *
     * @throws ConfigurationException when there is none of that name
     * @throws io.peft4j.core.error.ClosedException when the model is closed
     */
    @Internal
    public AdapterLease leaseAdapter(String name) {
        return adapters.leaseAdapter(name);
    }

    /** What is trained: the tensors of the active adapters; a merged model throws a ConfigurationException. */
    public List<Parameter> trainableParameters() {
        adapters.requireUnmerged("train");
        return ParameterCounts.trained(this).map(AdapterTensor::parameter).toList();
    }

    /** The number of trainable parameters: those of the active adapters. */
    public long trainableParameterCount() {
        return ParameterCounts.trainable(this);
    }

    /** The number of all parameters: those of the base, tied ones counted once, and those of all adapters. */
    public long parameterCount() {
        return ParameterCounts.all(this);
    }

    /** {@code trainable params: 4,884,480 || all params: 139,399,488 || trainable%: 3.5039}, as Hugging Face has it. */
    public String trainableSummary() {
        return ParameterCounts.summary(this);
    }

    /** Which adapters there are, which are active, merged and trained, in the whole and place by place. */
    public ModelStatus status() {
        return ModelStatus.of(this);
    }

    /**
     * Runs with copies of the adapted layers into which the active adapters are merged, in f32, instead of base layer
     * and adapter. The base and other models on it are not touched; {@link #unmerge} goes back without any rounding.
     * Where the output layer is the input embedding, each gets its own copy, and what was trained on one does not reach
     * the other.
     *
     * @throws ConfigurationException when a layer cannot be merged, the result is not finite, nothing is active,
     *     adapters are active by row, or the model is merged already
     */
    public void merge() {
        adapters.merge();
    }

    /**
     * As {@link #merge()}, but compares the logits before and after on sample text.
     *
     * @return how far they are apart
     * @throws ConfigurationException also when that is more than the check allows; the model is unmerged then
     */
    public LogitDifference merge(MergeCheck check) {
        return adapters.merge(() -> check.merge(this));
    }

    /**
     * Goes back to base layers and adapters; the copies are freed when nothing runs through them any more. Does nothing
     * where nothing is merged.
     */
    public void unmerge() {
        adapters.unmerge();
    }

    /** Whether the adapters are merged. */
    public boolean isMerged() {
        return adapters.isMerged();
    }

    /**
     * The weights that merging changed, by their names in a checkpoint; all others are the base's. They are freed by
     * {@link #unmerge} and {@link #close}.
     *
     * @throws ConfigurationException when the model is not merged
     */
    public Map<String, INDArray> mergedWeights() {
        return adapters.mergedWeights();
    }

    /**
     * Saves all adapters as Hugging Face PEFT does: the one called {@value #DEFAULT_ADAPTER} in the folder, others in
     * sub-folders with their names, and the tokenizer beside them. Other files in the folder stay.
     *
     * @throws java.io.UncheckedIOException when a file cannot be written
     * @throws ConfigurationException when there is no adapter
     */
    public void saveAdapter(Path folder) {
        saveAdapter(folder, SavedEmbeddings.AS_LOADED);
    }

    /**
     * As {@link #saveAdapter(Path)}, with a choice of what is stored of the base's embedding and output layer, such as
     * that of Hugging Face PEFT ({@link SavedEmbeddings#AUTO}).
     */
    public void saveAdapter(Path folder, SavedEmbeddings embeddings) {
        adapters.saveAll(folder, embeddings);
    }

    /**
     * Saves one adapter in a folder of its own, whatever its name, with the tokenizer beside it.
     *
     * @throws java.io.UncheckedIOException when a file cannot be written
     * @throws ConfigurationException when there is no such adapter
     */
    public void saveAdapter(String name, Path folder) {
        adapters.save(name, folder);
    }

    /** SHA-256 of an adapter's {@link AdapterCheckpoint#WEIGHTS_FILE} as {@link #saveAdapter} would write it now. */
    public String fingerprint(String name) {
        return adapters.fingerprint(name);
    }

    /** The base model. */
    public BaseLanguageModel base() {
        return base;
    }

    @Internal
    @Override
    public Network network() {
        return base.network();
    }

    @Internal
    @Override
    public Engine engine() {
        return base.engine();
    }

    @Internal
    @Override
    public ModelLease lease() {
        return adapters.lease();
    }

    /** The model as it is now for one training: until the lease is closed, what is active cannot be changed. */
    @Internal
    public ModelLease leaseForTraining() {
        return adapters.leaseForTraining();
    }

    @Override
    public Tokenizer tokenizer() {
        return base.tokenizer();
    }

    @Override
    public Optional<ChatTemplate> chatTemplate() {
        return base.chatTemplate();
    }

    /** Those of the active adapter; of the base where not one alone is active. */
    @Override
    public DecisionSettings decisions() {
        return adapters.decisions(adapters.active().choice());
    }

    /** Says how the active adapter reads typed questions; it is saved with it. */
    public void describeDecisions(DecisionSettings settings) {
        adapters.describe(settings);
    }

    @Override
    public List<Completion> generate(List<Prompt> prompts, GenerationOptions options) {
        try (ModelLease lease = adapters.leaseForAnswer()) {
            return base.generate(lease, prompts, options);
        }
    }

    /**
     * Refuses whatever begins from now on, and frees the adapters when what runs through them has ended; closing twice
     * does nothing.
     */
    @Override
    public void close() {
        adapters.close();
    }

    @Override
    public String toString() {
        return base.network().description().name() + " with " + adapterNames() + ", active " + activeAdapters();
    }
}
