package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.peft.Bias;
import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ModuleSelector;
import io.peft4j.core.peft.OneOrMany;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import io.peft4j.core.peft.TokenIndices;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * LoRA (<a href="https://arxiv.org/abs/2106.09685">2106.09685</a>): beside a frozen weight W [out, in] two small
 * matrices are trained, A [r, in] and B [out, r]: {@code y = x W^T + s * (dropout(x) A^T) B^T}, {@code s = alpha / r},
 * or {@code alpha / sqrt(r)} with {@link #rsLora}. A layer gets {@code r * (in + out)} trainable parameters.
 *
 * <p>Made with {@link #builder()}; the names in {@code code} are the keys of {@code adapter_config.json}.
 *
 * @param common what every configuration holds
 * @param rank {@code r}: the rank; default 8
 * @param alpha {@code lora_alpha}: scales the change; default 8
 * @param dropout {@code lora_dropout}: probability that an element of x is dropped in training; default 0
 * @param targetModules {@code target_modules}: which linear layers and embeddings are adapted; default what the
 *     architecture has ({@code q_proj} and {@code v_proj} for Llama)
 * @param excludeModules {@code exclude_modules}: which of them are not; default none
 * @param bias {@code bias}: which biases of the base are trained; default none
 * @param rsLora {@code use_rslora}: rank-stabilized scaling (<a
 * href="https://arxiv.org/abs/2312.03732">2312.03732</a>);
 *     default false
 * @param rankPattern {@code rank_pattern}: other ranks, by expressions that must match the end of a path from the
 *     beginning of one of its parts; the first that matches counts; default none
 * @param alphaPattern {@code alpha_pattern}: other alphas, as rankPattern; default none
 * @param layersToTransform {@code layers_to_transform}: numbers of the layers that are adapted; default all
 * @param layersPattern {@code layers_pattern}: name of the list of layers; default any
 * @param modulesToSave {@code modules_to_save}: layers that are trained as a whole; default none
 * @param initialization {@code init_lora_weights}: how A and B begin; default {@link Initialization#KAIMING}
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; no model here has such, so a new
 *     adapter with true is refused
 * @param loraBias {@code lora_bias}: whether B has a bias [out], which is scaled as B is; default false
 * @param dora {@code use_dora}: whether the length of each row of the weight is trained beside its direction, with one
 *     more parameter a row (<a href="https://arxiv.org/abs/2402.09353">2402.09353</a>); default false
 * @param trainableTokens {@code trainable_token_indices}: tokens whose rows of the embedding are trained and replace
 *     the base's, with the output layer's rows where the two are one; default none
 * @param invocationTokens {@code alora_invocation_tokens}: the change is made from the beginning of the last occurrence
 *     of these tokens on, and not at all where a sequence has none (Activated LoRA, <a
 *     href="https://arxiv.org/abs/2504.12397">2504.12397</a>); keys and values before them are those of the base. Such
 *     an adapter cannot be merged. Default none: the change is made everywhere
 * @param layerReplication {@code layer_replication}: ranges of the base's decoder layers that the model consists of;
 *     layers that stand in several ranges run several times with the same weights, each with an adapter and a number
 *     of its own; default none: the base as it is
 * @param ensureWeightTying {@code ensure_weight_tying}: whether what is trained of an embedding that is the output
 *     layer (a trained copy, chosen tokens) is trained for both; default false: a trained copy is of one of them,
 *     chosen tokens are of both unless others are named for the output layer
 */
public record LoraConfig(CommonConfig common, int rank, double alpha, double dropout, TargetModules targetModules,
        TargetModules excludeModules, Bias bias, boolean rsLora, Map<String, Integer> rankPattern,
        Map<String, Double> alphaPattern, OneOrMany<Integer> layersToTransform, OneOrMany<String> layersPattern,
        List<String> modulesToSave, Initialization initialization, boolean fanInFanOut, boolean loraBias,
        boolean dora, TokenIndices trainableTokens, List<Integer> invocationTokens,
        List<LayerRange> layerReplication, boolean ensureWeightTying)
        implements PeftConfig {
    /** The method's id. */
    static final String PEFT_TYPE = "LORA";

    /**
     * Checks ranges and combinations.
     *
     * @throws ConfigurationException when a value is out of range, or two contradict each other
     */
    public LoraConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(bias, "bias");
        Objects.requireNonNull(initialization, "initialization");
        Objects.requireNonNull(trainableTokens, "trainableTokens");
        rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
        alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
        modulesToSave = List.copyOf(modulesToSave);
        invocationTokens = List.copyOf(invocationTokens);
        layerReplication = List.copyOf(layerReplication);
        require(rank > 0, "the rank (r) is " + rank + "; it must be at least 1");
        require(Double.isFinite(alpha), "alpha (lora_alpha) is " + alpha + "; it must be a number");
        require(dropout >= 0 && dropout < 1, "dropout (lora_dropout) is " + dropout
                + "; it must be at least 0 and below 1");
        Targets.requireRanks(rankPattern);
        require(!loraBias || initialization == Initialization.KAIMING || initialization == Initialization.RANDOM,
                "lora_bias works with init_lora_weights true or false, not with " + initialization);
        require(!dora || !initialization.takesFromBase(), "use_dora does not work with init_lora_weights "
                + initialization);
        require(!dora || !initialization.freezesB(), "use_dora does not work with init_lora_weights " + initialization);
        require(!loraBias || !dora, "lora_bias does not work with use_dora; turn one of them off");
        require(invocationTokens.stream().allMatch(token -> token >= 0), "the invocation (alora_invocation_tokens) is "
                + invocationTokens + "; token ids are not negative");
        require(invocationTokens.isEmpty() || !dora && !initialization.needsLinear(),
                "alora_invocation_tokens do not work with use_dora or init_lora_weights " + initialization
                + ": a change of the whole base weight cannot wait for an invocation");
        // Checks that targets, layers and pattern go together.
        new ModuleSelector(targetModules, excludeModules, layersToTransform, layersPattern, modulesToSave);
    }

    private static void require(boolean ok, String message) {
        if (!ok) {
            throw new ConfigurationException(message);
        }
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static LoraConfigBuilder builder() {
        return new LoraConfigBuilder();
    }

    /** A builder with the values of this configuration. */
    public LoraConfigBuilder toBuilder() {
        return new LoraConfigBuilder(this);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public LoraConfig withCommon(CommonConfig other) {
        return toBuilder().common(other).build();
    }

    @Override
    public String toJson() {
        return LoraConfigJson.write(this);
    }

    @Override
    public BaseLanguageModel modelOn(BaseLanguageModel base) {
        List<Integer> order = LayerRange.layers(layerReplication);
        return order.isEmpty() || order.equals(base.layerOrder()) ? base : base.withLayers(order);
    }

    @Override
    public boolean needsCalibration() {
        return initialization.needsCalibration();
    }

    ModuleSelector selector() {
        return new ModuleSelector(targetModules, excludeModules, layersToTransform, layersPattern, modulesToSave);
    }

    /** {@code s} for a layer with the given rank and alpha. */
    double scaling(int layerRank, double layerAlpha) {
        return layerAlpha / (rsLora ? Math.sqrt(layerRank) : layerRank);
    }
}
