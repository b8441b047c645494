package io.peft4j.core.peft;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.NearNames;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.model.CausalNetwork;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A base model with adapters. The base is shared and never changed: any number of these can stand on one base, and each
 * chooses by itself which of its adapters are active.
 *
 * <p>The first adapter is active, those that come later are not until {@link #activate} names them. Several active
 * adapters work one on the other, in the order of their activation: those that add something to a layer add up, those
 * that turn or scale its input or output do so one after the other. With none the model is the base. What is trained is
 * what is active.
 *
 * <p>Closing frees the adapters, not the base. For use by one thread at a time; a pass that has begun keeps the layers
 * that were active then.
 */
public final class PeftModel implements LanguageModel, AutoCloseable {
    /** The name of the first adapter unless it is given another. */
    public static final String DEFAULT_ADAPTER = "default";
    /** What stands for the base model among names of adapters, as in Hugging Face PEFT. */
    public static final String BASE = "__base__";
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,99}");

    private final BaseLanguageModel base;
    private final Map<String, AdapterCheckpoint> adapters = new LinkedHashMap<>();
    private final Activation activation = new Activation(this);

    /** The base model without any adapter. */
    public PeftModel(BaseLanguageModel base) {
        this.base = Objects.requireNonNull(base, "base");
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

    /** As the other, with the data that the first values are computed from ({@link PeftConfig#needsCalibration}). */
    public static PeftModel of(BaseLanguageModel base, PeftConfig config, RandomGenerator random,
            Optional<Calibration> calibration) {
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

    // ---- adapters

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

    /** As the other, with the data that the first values of some adapters are computed from. */
    public PeftModel addAdapter(String name, PeftConfig config, RandomGenerator random,
            Optional<Calibration> calibration) {
        requireNewName(name);
        put(name, AdapterCheckpoint.create(name, config, AdapterSetup.creating(base, random, calibration)));
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
        requireNewName(name);
        put(name, AdapterCheckpoint.load(folder, base));
        return this;
    }

    /** As {@link #loadAdapter(String, Path)} under the name {@value #DEFAULT_ADAPTER}. */
    public PeftModel loadAdapter(Path folder) {
        return loadAdapter(DEFAULT_ADAPTER, folder);
    }

    private void requireNewName(String name) {
        activation.requireUnmerged("add an adapter");
        if (!NAME.matcher(name).matches()) {
            throw new ConfigurationException("'" + name + "' is no name for an adapter; use letters, digits, - and _");
        }
        if (adapters.containsKey(name)) {
            throw new ConfigurationException("there is an adapter '" + name
                    + "' already; choose another name, or delete it");
        }
    }

    private void put(String name, AdapterCheckpoint adapter) {
        adapters.put(name, adapter);
        if (adapters.size() == 1) {
            activate(name);
        }
    }

    /**
     * Puts the values of an adapter's folder into the memory of an adapter that there is, so that a running service
     * changes its adapter without allocating another. What is active stays so; gradients are cleared. The folder's
     * adapter must be of the same method with the same ranks, and may adapt fewer layers. If it does not fit, nothing
     * is changed. While it is checked it is in memory a second time; what some methods hold beside their parameters (a
     * part of the base's weights) is made anew.
     *
     * @throws ConfigurationException when there is no such adapter, the methods differ, the model is merged, or the
     *     folder's adapter cannot run beside the others that are active
     * @throws io.peft4j.core.error.PeftException when the folder is damaged or does not fit
     */
    public void hotSwap(String name, Path folder) {
        activation.requireUnmerged("swap an adapter");
        adapter(name);
        adapters.put(name, HotSwap.run(adapters.get(name), folder, base,
                loaded -> activation.requireFit(name, loaded)));
        activation.refresh();
    }

    /**
     * Frees an adapter. If it was active, the others that were stay so.
     *
     * @throws ConfigurationException when there is no such adapter, the model is merged, or rows run through it
     *     ({@link #activateByRow})
     */
    public void deleteAdapter(String name) {
        activation.requireUnmerged("delete an adapter");
        adapter(name);
        activation.drop(name);
        adapters.remove(name).adapter().close();
    }

    /** The names of all adapters, in the order they came. */
    public List<String> adapterNames() {
        return List.copyOf(adapters.keySet());
    }

    /**
     * An adapter.
     *
     * @throws ConfigurationException when there is none of that name
     */
    public Adapter adapter(String name) {
        AdapterCheckpoint found = adapters.get(name);
        if (found == null) {
            throw new ConfigurationException("there is no adapter '" + name + "'; "
                    + NearNames.sentence(name, adapters.keySet()));
        }
        return found.adapter();
    }

    // ---- what is active

    /** The names of the active adapters, in the order of their activation; empty while they are disabled. */
    public List<String> activeAdapters() {
        return activation.adapters();
    }

    /**
     * Makes exactly these adapters active; without names, the model is the base.
     *
     * @throws ConfigurationException when a name is unknown, two adapters bring a trained copy of the same layer, or
     *     the model is merged
     */
    public void activate(String... names) {
        activation.choose(List.of(names));
    }

    /**
     * The layers with exactly these adapters active, whatever the model's own are. For passes with different adapters
     * side by side.
     *
     * @throws ConfigurationException as {@link #activate}
     */
    public LayerSelection layersOf(String... names) {
        Map<String, Adapter> chosen = new LinkedHashMap<>();
        List.of(names).forEach(name -> chosen.put(name, adapter(name)));
        return ActiveLayers.of(chosen);
    }

    /**
     * The layers of a batch whose rows run through different adapters: rows of group i ({@link
     * io.peft4j.core.nn.TokenSequence#inGroup}) through adapter {@code names[i]}, or through the base where that is
     * {@value #BASE}. Each sequence gets what it gets alone; gradients reach the adapters of their rows.
     *
     * @throws ConfigurationException when a name is unknown, the model is merged, or an adapter cannot run on some
     *     rows only: one that works with virtual tokens, on whole sequences, or on the output layer
     */
    public LayerSelection layersByRow(String... names) {
        return rowLayers(List.of(names));
    }

    private RowLayers rowLayers(List<String> names) {
        activation.requireUnmerged("mix adapters in one batch");
        return RowLayers.of(network(), this::adapter, names);
    }

    /**
     * Makes these adapters active, each for the rows of its group, as {@link #layersByRow} says; {@value #BASE} is the
     * base. Training then trains all of them in one batch. That stays so while adapters are added and swapped; none of
     * them can be deleted or merged before others are activated.
     *
     * @throws ConfigurationException as {@link #layersByRow}
     */
    public void activateByRow(String... names) {
        activation.chooseByRow(List.of(names));
    }

    /**
     * Answers prompts in one batch, each with an adapter of its own.
     *
     * @param adapterOfPrompt for each prompt the name of its adapter, or {@value #BASE}
     * @throws ConfigurationException as {@link #layersByRow}, and when there are not as many names as prompts
     */
    public List<Completion> generate(List<Prompt> prompts, List<String> adapterOfPrompt, GenerationOptions options) {
        if (prompts.size() != adapterOfPrompt.size()) {
            throw new ConfigurationException(adapterOfPrompt.size() + " adapters for " + prompts.size() + " prompts");
        }
        List<String> names = adapterOfPrompt.stream().distinct().toList();
        int[] groups = adapterOfPrompt.stream().mapToInt(names::indexOf).toArray();
        return base.generate(rowLayers(names).forSequences(groups), prompts, options);
    }

    /**
     * Makes the model the base until the result is closed. Then all is active that was, but for adapters that have been
     * deleted. Closing twice does nothing.
     *
     * @throws ConfigurationException when the model is merged
     */
    public Scope disable() {
        return activation.suspend();
    }

    /** Ends with what was before. */
    @FunctionalInterface
    public interface Scope extends AutoCloseable {
        @Override
        void close();
    }

    // ---- training

    /**
     * What is trained: the trainable tensors of the active adapters.
     *
     * @throws ConfigurationException when the model is merged
     */
    public List<Parameter> trainableParameters() {
        activation.requireUnmerged("train");
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

    /**
     * {@code trainable params: 4,884,480 || all params: 139,399,488 || trainable%: 3.5039}, as Hugging Face PEFT says.
     */
    public String trainableSummary() {
        return ParameterCounts.summary(this);
    }

    /** Which adapters there are, which are active, merged and trained, in the whole and place by place. */
    public ModelStatus status() {
        return ModelStatus.of(this);
    }

    // ---- merging

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
        activation.merge();
    }

    /**
     * As {@link #merge()}, but compares the logits before and after on sample text.
     *
     * @return how far they are apart
     * @throws ConfigurationException also when that is more than the check allows; the model is unmerged then
     */
    public LogitDifference merge(MergeCheck check) {
        activation.requireMergeable();
        return check.merge(this);
    }

    /** Goes back to base layers and adapters, and frees the copies. Does nothing where nothing is merged. */
    public void unmerge() {
        activation.unmerge();
    }

    /** Whether the adapters are merged. */
    public boolean isMerged() {
        return activation.isMerged();
    }

    /**
     * The weights that merging changed, by their names in a checkpoint; all others are the base's. They are freed by
     * {@link #unmerge} and {@link #close}.
     *
     * @throws ConfigurationException when the model is not merged
     */
    public Map<String, INDArray> mergedWeights() {
        return activation.mergedWeights();
    }

    // ---- files

    /**
     * Saves all adapters as Hugging Face PEFT does: the one called {@value #DEFAULT_ADAPTER} in the folder, others in
     * sub-folders with their names, and the tokenizer beside them. Other files in the folder stay.
     *
     * @throws java.io.UncheckedIOException when a file cannot be written
     * @throws ConfigurationException when there is no adapter
     */
    public void saveAdapter(Path folder) {
        if (adapters.isEmpty()) {
            throw new ConfigurationException("there is no adapter to save");
        }
        adapters.forEach((name, stored) ->
                stored.save(name.equals(DEFAULT_ADAPTER) ? folder : folder.resolve(name), base));
        base.tokenizer().save(folder);
    }

    /**
     * Saves one adapter in a folder of its own, whatever its name, with the tokenizer beside it.
     *
     * @throws java.io.UncheckedIOException when a file cannot be written
     * @throws ConfigurationException when there is no such adapter
     */
    public void saveAdapter(String name, Path folder) {
        adapter(name);
        adapters.get(name).save(folder, base);
        base.tokenizer().save(folder);
    }

    // ---- the model

    /** The base model. */
    public BaseLanguageModel base() {
        return base;
    }

    @Override
    public CausalNetwork network() {
        return base.network();
    }

    @Override
    public LayerSelection layers() {
        return activation.layers();
    }

    @Override
    public Kernels kernels() {
        return base.kernels();
    }

    @Override
    public Tokenizer tokenizer() {
        return base.tokenizer();
    }

    @Override
    public Optional<ChatTemplate> chatTemplate() {
        return base.chatTemplate();
    }

    @Override
    public List<Completion> generate(List<Prompt> prompts, GenerationOptions options) {
        return base.generate(layers(), prompts, options);
    }

    /** Frees all adapters. The model is the base from then on; closing twice does nothing. */
    @Override
    public void close() {
        activation.clear();
        List<AdapterCheckpoint> all = new ArrayList<>(adapters.values());
        adapters.clear();
        all.forEach(stored -> stored.adapter().close());
    }
}
