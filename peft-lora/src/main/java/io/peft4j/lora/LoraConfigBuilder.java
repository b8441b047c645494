package io.peft4j.lora;

import io.peft4j.core.peft.Bias;
import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.OneOrMany;
import io.peft4j.core.peft.TargetModules;
import io.peft4j.core.peft.TokenIndices;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Builds a {@link LoraConfig}, which says what each value means. */
public final class LoraConfigBuilder {
    private CommonConfig common = CommonConfig.defaults();
    private int rank = 8;
    private double alpha = 8;
    private double dropout;
    private TargetModules targetModules = TargetModules.UNSET;
    private TargetModules excludeModules = TargetModules.UNSET;
    private Bias bias = Bias.NONE;
    private boolean rsLora;
    private Map<String, Integer> rankPattern = Map.of();
    private Map<String, Double> alphaPattern = Map.of();
    private OneOrMany<Integer> layersToTransform = OneOrMany.none();
    private OneOrMany<String> layersPattern = OneOrMany.none();
    private List<String> modulesToSave = List.of();
    private Initialization initialization = Initialization.KAIMING;
    private boolean fanInFanOut;
    private boolean loraBias;
    private boolean dora;
    private TokenIndices trainableTokens = TokenIndices.NONE;
    private List<Integer> invocationTokens = List.of();
    private List<LayerRange> layerReplication = List.of();
    private boolean ensureWeightTying;

    LoraConfigBuilder() {
    }

    LoraConfigBuilder(LoraConfig config) {
        common = config.common();
        rank = config.rank();
        alpha = config.alpha();
        dropout = config.dropout();
        targetModules = config.targetModules();
        excludeModules = config.excludeModules();
        bias = config.bias();
        rsLora = config.rsLora();
        rankPattern = config.rankPattern();
        alphaPattern = config.alphaPattern();
        layersToTransform = config.layersToTransform();
        layersPattern = config.layersPattern();
        modulesToSave = config.modulesToSave();
        initialization = config.initialization();
        fanInFanOut = config.fanInFanOut();
        loraBias = config.loraBias();
        dora = config.dora();
        trainableTokens = config.trainableTokens();
        invocationTokens = config.invocationTokens();
        layerReplication = config.layerReplication();
        ensureWeightTying = config.ensureWeightTying();
    }

    /** What every configuration holds. */
    public LoraConfigBuilder common(CommonConfig value) {
        common = value;
        return this;
    }

    /** The rank r, at least 1; default 8. */
    public LoraConfigBuilder rank(int value) {
        rank = value;
        return this;
    }

    /** Scales the change by alpha / r; default 8. */
    public LoraConfigBuilder alpha(double value) {
        alpha = value;
        return this;
    }

    /** Probability that an element of a layer's input is dropped in training, in [0, 1); default 0. */
    public LoraConfigBuilder dropout(double value) {
        dropout = value;
        return this;
    }

    /** Which layers are adapted; default what the architecture has. */
    public LoraConfigBuilder targetModules(TargetModules value) {
        targetModules = value;
        return this;
    }

    /** Which layers are adapted, by name. */
    public LoraConfigBuilder targetModules(String... names) {
        return targetModules(TargetModules.of(names));
    }

    /** Which layers are not adapted though they are targets; default none. */
    public LoraConfigBuilder excludeModules(TargetModules value) {
        excludeModules = value;
        return this;
    }

    /** Which layers are not adapted though they are targets, by name. */
    public LoraConfigBuilder excludeModules(String... names) {
        return excludeModules(TargetModules.of(names));
    }

    /** Which biases of the base are trained; default none. */
    public LoraConfigBuilder bias(Bias value) {
        bias = value;
        return this;
    }

    /** Whether the change is scaled by alpha / sqrt(r); default false. */
    public LoraConfigBuilder rsLora(boolean value) {
        rsLora = value;
        return this;
    }

    /**
     * Other ranks by expression, in the order in which they are tried; default none. Where several match one path, the
     * map needs an order, such as that of a {@link java.util.LinkedHashMap}: {@link Map#of} has another one in each run
     * of the JVM.
     */
    public LoraConfigBuilder rankPattern(Map<String, Integer> value) {
        rankPattern = value;
        return this;
    }

    /** Other alphas by expression, in an order as that of {@link #rankPattern}; default none. */
    public LoraConfigBuilder alphaPattern(Map<String, Double> value) {
        alphaPattern = value;
        return this;
    }

    /**
     * Numbers of the layers that are adapted; default all. Layers below the first of them give the same in every epoch,
     * so a training computes them once for each example.
     */
    public LoraConfigBuilder layersToTransform(int... value) {
        return layersToTransform(OneOrMany.many(IntStream.of(value).boxed().toList()));
    }

    /** Numbers of the layers that are adapted. */
    public LoraConfigBuilder layersToTransform(OneOrMany<Integer> value) {
        layersToTransform = value;
        return this;
    }

    /** Names of the list of layers; default any. */
    public LoraConfigBuilder layersPattern(String... value) {
        return layersPattern(OneOrMany.many(List.of(value)));
    }

    /** Names of the list of layers. */
    public LoraConfigBuilder layersPattern(OneOrMany<String> value) {
        layersPattern = value;
        return this;
    }

    /** Layers that are trained as a whole; default none. */
    public LoraConfigBuilder modulesToSave(String... names) {
        return modulesToSave(List.of(names));
    }

    /** Layers that are trained as a whole. */
    public LoraConfigBuilder modulesToSave(List<String> names) {
        modulesToSave = names;
        return this;
    }

    /** How A and B begin; default {@link Initialization#KAIMING}. */
    public LoraConfigBuilder initialization(Initialization value) {
        initialization = value;
        return this;
    }

    /** Whether the base stores weights [in, out]; default false. */
    public LoraConfigBuilder fanInFanOut(boolean value) {
        fanInFanOut = value;
        return this;
    }

    /** Whether B has a bias; default false. */
    public LoraConfigBuilder loraBias(boolean value) {
        loraBias = value;
        return this;
    }

    /** Whether the length of each row is trained beside its direction (DoRA); default false. */
    public LoraConfigBuilder dora(boolean value) {
        dora = value;
        return this;
    }

    /** Tokens whose rows of the embedding are trained; default none. */
    public LoraConfigBuilder trainableTokens(TokenIndices value) {
        trainableTokens = value;
        return this;
    }

    /** Tokens of the input embedding whose rows are trained. */
    public LoraConfigBuilder trainableTokens(int... tokens) {
        return trainableTokens(TokenIndices.of(tokens));
    }

    /** Token ids from whose last occurrence on the change is made (aLoRA); default everywhere. */
    public LoraConfigBuilder invocationTokens(int... ids) {
        return invocationTokens(IntStream.of(ids).boxed().toList());
    }

    /** Token ids from whose last occurrence on the change is made (aLoRA). */
    public LoraConfigBuilder invocationTokens(List<Integer> ids) {
        invocationTokens = ids;
        return this;
    }

    /** Ranges of the base's decoder layers that the model consists of; default none: the base as it is. */
    public LoraConfigBuilder layerReplication(LayerRange... ranges) {
        return layerReplication(List.of(ranges));
    }

    /** Ranges of the base's decoder layers that the model consists of. */
    public LoraConfigBuilder layerReplication(List<LayerRange> ranges) {
        layerReplication = ranges;
        return this;
    }

    /** Whether what is trained of an embedding that is the output layer is trained for both; default false. */
    public LoraConfigBuilder ensureWeightTying(boolean value) {
        ensureWeightTying = value;
        return this;
    }

    /**
     * The configuration.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range, or two contradict each other
     */
    public LoraConfig build() {
        return new LoraConfig(common, rank, alpha, dropout, targetModules, excludeModules, bias, rsLora, rankPattern,
                alphaPattern, layersToTransform, layersPattern, modulesToSave, initialization, fanInFanOut, loraBias,
                dora, trainableTokens, invocationTokens, layerReplication, ensureWeightTying);
    }
}
