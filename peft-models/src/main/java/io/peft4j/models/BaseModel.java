package io.peft4j.models;

import io.peft4j.core.Internal;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.engine.Lifetime;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.Kernels.BFloat16Speed;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Network;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.CalibrationBatches;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.file.AdapterSignature;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.models.architecture.Architecture;
import io.peft4j.models.architecture.Architectures;
import io.peft4j.models.architecture.CloseAll;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.ScoreSettings;
import io.peft4j.models.architecture.SentencePooling;
import io.peft4j.models.architecture.TaskPlan;
import io.peft4j.models.architecture.WeightLoader;
import io.peft4j.models.architecture.WeightType;
import io.peft4j.models.generation.TextGenerator;
import io.peft4j.models.gguf.GgufDecisions;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.models.hub.ModelSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A base model: frozen weights, tokenizer and chat template. Serves any number of adapters and threads: they answer,
 * score and train side by side, and take turns on one engine, where answers go first.
 *
 * <pre>{@code
 * try (BaseModel base = BaseModel.load("HuggingFaceTB/SmolLM2-135M-Instruct")) {
 *     System.out.println(base.generate("What is the notice period for a Senior Consultant?"));
 * }
 * }</pre>
 */
public final class BaseModel implements BaseLanguageModel {
    private static final Logger LOG = LoggerFactory.getLogger(BaseModel.class);

    private final Architecture architecture;
    private final Network network;
    private final PrecisionChoice precision;
    private final Engine engine;
    private final Tokenizer tokenizer;
    private final TextGenerator generator;
    /** One for all arrangements of the layers. */
    private final Lifetime lifetime;
    private final ModelConfig config;
    private final Set<Integer> stopTokens;
    /** For each layer its number as it was loaded; empty where none is repeated or left out. */
    private final List<Integer> layerOrder;
    private final Origin origin;

    /**
     * What is known of the checkpoint.
     *
     * @param source where it lies
     * @param options what it was loaded with
     * @param widened whether rows for new tokens were added to it
     * @param decisions how it reads typed questions
     * @param weights what quantized weights became
     */
    private record Origin(ModelSource source, ModelOptions options, boolean widened, DecisionSettings decisions,
            Optional<String> weights) {
    }

    private BaseModel(Architecture architecture, ModelConfig config, Network network, PrecisionChoice precision,
            Engine engine, Tokenizer tokenizer, Set<Integer> stopTokens, List<Integer> layerOrder,
            Origin origin, Optional<Lifetime> shared) {
        this.layerOrder = layerOrder;
        this.origin = origin;
        this.architecture = architecture;
        this.config = config;
        this.stopTokens = Set.copyOf(stopTokens);
        this.network = network;
        this.precision = precision;
        this.engine = engine;
        this.tokenizer = tokenizer;
        this.generator = new TextGenerator(tokenizer, tokenizer.chatTemplate(), stopTokens);
        this.lifetime = shared.orElseGet(() -> new Lifetime("the model " + network.description().name(), this::free));
    }

    /**
     * Loads a model with the default options.
     *
     * @param reference an ID on the hub, a Hugging Face folder, a GGUF file, or {@code tiny}, the small model of the
     *     artifact {@code peft-tiny-model}
     * @throws io.peft4j.core.error.ModelNotFoundException when there is no such model; says where it was looked for
     * @throws io.peft4j.core.error.PeftException when a file is damaged or asks for what is not supported
     * @throws java.io.UncheckedIOException when a file cannot be read
     */
    public static BaseModel load(String reference) {
        return load(reference, ModelOptions.defaults());
    }

    /** As {@link #load(String)}, with options. */
    public static BaseModel load(String reference, ModelOptions options) {
        return load(ModelLocator.fromEnvironment().locate(reference), options);
    }

    /** What a model on this machine is for, by its configuration; a GGUF file's by its architecture. */
    @Internal
    public static Task taskOf(ModelSource source) {
        if (source instanceof ModelSource.GgufPath) {
            try (GgufFile file = GgufFile.open(source.path())) {
                return GgufDecisions.task(file);
            }
        }
        ModelConfig config = Checkpoint.config(source.path());
        return TaskPlan.of(config, Optional.empty(), Architectures.of(config).defaultTask(), 0,
                SentencePooling.of(source.path()), () -> ScoreSettings.of(source.path(), config)).task();
    }

    /** Loads a model that lies on this machine already. */
    @Internal
    public static BaseModel load(ModelSource source, ModelOptions options) {
        return load(source, options, Optional.empty());
    }

    /**
     * Loads a model that runs on the given kernels.
     *
     * @param kernels taken over: closing the model closes them
     */
    @Internal
    public static BaseModel load(ModelSource source, ModelOptions options, Kernels kernels) {
        return load(source, options, Optional.of(kernels));
    }

    private static BaseModel load(ModelSource source, ModelOptions options, Optional<Kernels> given) {
        int threads = options.threads().orElseGet(KernelSelection::defaultThreads);
        List<AutoCloseable> incomplete = new ArrayList<>(given.stream().toList());
        // Its tokenizer is read on another thread, so the kernels are made after it has been opened.
        try (Checkpoint checkpoint = Checkpoint.open(source, options)) {
            Kernels kernels = given.orElseGet(() -> KernelSelection.best(threads));
            if (given.isEmpty()) {
                incomplete.add(kernels);
            }
            Architecture architecture = Architectures.of(checkpoint.config(), checkpoint.tensorNames());
            BFloat16Speed speed = kernels.bfloat16Speed();
            PrecisionChoice precision = PrecisionChoice.of(options.precision(), speed,
                    ProcessUsage.memoryLimitBytes(), checkpoint.size());
            boolean narrow = speed != BFloat16Speed.SLOWER;
            LOG.info("{} is loaded in {} ({})", source.name(), precision.name(), precision.reason());
            WeightType type = options.weightType(precision.precision(), narrow);
            Optional<String> quantized = checkpoint.quantizedType().map(stored -> stored + " from "
                    + source.provenance().place() + (type.blocks() == WeightType.Blocks.CONVERTED ? ", expanded to "
                            + precision.name() : ", computed with as they are"));
            quantized.ifPresent(text -> LOG.info("weights: {}", text));
            Function<WeightLoader, Network> builder = weights -> architecture.build(source.name(), checkpoint.config(),
                    weights, TaskPlan.of(checkpoint.config(), options.task(), architecture.defaultTask(),
                            options.headSeed(), checkpoint.pooling(), () -> source instanceof ModelSource.GgufPath
                                    ? ScoreSettings.USUAL : ScoreSettings.of(source.path(), checkpoint.config())));
            Network network = options.sharedWeights() ? SharedWeights.of(source, type, options.newTokens())
                    .network(checkpoint, builder, threads) : builder.apply(checkpoint.weights(type, threads));
            incomplete.add(network);
            BaseModel model = new BaseModel(architecture, checkpoint.config(), network, precision,
                    new Engine(kernels), checkpoint.tokenizer(), checkpoint.stopTokens(), List.of(),
                    new Origin(source, options, checkpoint.isWidened(), checkpoint.decisions(), quantized),
                    Optional.empty());
            checkpoint.keepTokenizer();
            incomplete.clear();
            return model;
        } finally {
            CloseAll.all(incomplete);
        }
    }

    /**
     * A new adapter on this model, ready to be trained. The model itself does not change.
     *
     * @throws io.peft4j.core.error.PeftException when the configuration does not fit the model
     */
    public PeftModel withAdapter(PeftConfig config) {
        return PeftModel.of(this, config);
    }

    /** As {@link #withAdapter(PeftConfig)}, with first values drawn from {@code seed}, which is 0 there. */
    public PeftModel withAdapter(PeftConfig config, long seed) {
        return PeftModel.of(this, config, new SplittableRandom(seed));
    }

    /**
     * A new adapter on this model whose first values are computed from data.
     *
     * @param config its {@link PeftConfig#needsCalibration()} says whether there is a use for the data
     * @param calibration some batches of the training data
     * @throws io.peft4j.core.error.PeftException when the configuration does not fit the model or the data
     */
    public PeftModel withAdapter(PeftConfig config, CalibrationBatches calibration) {
        return PeftModel.of(this, config, new SplittableRandom(0), Optional.of(calibration));
    }

    /**
     * An adapter from a folder in Hugging Face PEFT's form.
     *
     * @throws io.peft4j.core.error.PeftException when it does not fit the model, with everything that does not
     */
    public PeftModel withAdapter(Path folder) {
        return PeftModel.load(this, folder);
    }

    /**
     * As {@link #withAdapter(Path)}, of an adapter that was signed with a trusted key.
     *
     * @throws io.peft4j.core.error.PeftException also when it was not, or was changed since
     */
    public PeftModel withAdapter(Path folder, AdapterSignature trusted) {
        return trusted.load(folder, this::withAdapter);
    }

    /**
     * The same checkpoint, loaded once more with its weights in another precision: in f32, for instance, from which
     * models are exported.
     *
     * @return a model of its own, with the layers as they are in the checkpoint; the caller closes it
     */
    public BaseModel again(ModelOptions.Precision other) {
        return load(origin.source(), origin.options().withPrecision(other).withSharedWeights(false));
    }

    /** What the weights are kept in, and why. */
    @Internal
    public PrecisionChoice precision() {
        return precision;
    }

    /** The configuration that it was loaded with; from a GGUF file with the keys of {@code config.json}. */
    @Internal
    public ModelConfig config() {
        return config;
    }

    @Override
    public Set<Integer> stopTokens() {
        return stopTokens;
    }

    @Override
    public BaseModel withLayers(List<Integer> order) {
        List<Integer> before = layerOrder();
        return new BaseModel(architecture, config.withLayers(order), network.withLayers(order), precision,
                engine, tokenizer, stopTokens, order.stream().map(before::get).toList(), origin,
                Optional.of(lifetime));
    }

    @Override
    public Optional<String> revision() {
        return origin.source().provenance().revision();
    }

    @Override
    public Optional<String> weights() {
        return origin.weights();
    }

    @Override
    public boolean takesTextPart() {
        return origin.options().textPart();
    }

    @Override
    public boolean hasNewTokens() {
        return origin.widened();
    }

    @Override
    public List<Integer> layerOrder() {
        return layerOrder.isEmpty() ? BaseLanguageModel.super.layerOrder() : layerOrder;
    }

    @Internal
    @Override
    public Network network() {
        return network;
    }

    @Internal
    @Override
    public Engine engine() {
        return engine;
    }

    @Internal
    @Override
    public ModelLease lease() {
        return new ModelLease(network, engine, LayerSelection.BASE, List.of(lifetime.lease()));
    }

    @Override
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    @Override
    public Optional<ChatTemplate> chatTemplate() {
        return tokenizer.chatTemplate();
    }

    /** The folder of an adapter that belongs to the model by its {@code decision.json}, where it names one. */
    public Optional<Path> ownAdapter() {
        return origin.decisions().adapter().map(origin.source().path()::resolve);
    }

    @Override
    public DecisionSettings decisions() {
        return origin.decisions();
    }

    @Override
    public List<String> defaultTargetModules() {
        return architecture.defaultTargetModules();
    }

    @Internal
    @Override
    public List<Completion> generate(ModelLease model, List<Prompt> prompts, GenerationOptions options) {
        return generator.generate(model, prompts, options);
    }

    /**
     * The token ids of a prompt, as {@link #generate(ModelLease, List, GenerationOptions)} makes them: those that are
     * continued, or that an encoder reads.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the prompt leaves no room for an answer, or is a chat
     *     and there is no template
     */
    @Internal
    public int[] encode(ModelLease model, Prompt prompt) {
        return generator.encode(model, prompt);
    }

    @Override
    public String toString() {
        ModelDescription about = network.description();
        return String.format(Locale.ROOT, "%s (%s, %,d parameters, %s)", about.name(), about.modelType(),
                about.parameters(), precision.name());
    }

    private void free() {
        tokenizer.close();
        network.close();
        engine.close();
    }

    /**
     * Refuses whatever begins from now on, also on adapters of this model, and frees all native memory when what runs
     * has ended. Does not wait; closing twice does nothing. A model from {@link #withLayers} is closed with the one
     * that it came from.
     */
    @Override
    public void close() {
        if (layerOrder.isEmpty()) {
            lifetime.close();
        }
    }
}
