package io.peft4j.lora;

import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.TokenIndices;
import io.peft4j.core.peft.config.UnusedKey;
import io.peft4j.lora.init.LoraInit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * LoRA (<a href="https://arxiv.org/abs/2106.09685">2106.09685</a>): beside a frozen weight W [out, in] two small
 * matrices are trained, A [r, in] and B [out, r]: {@code y = x W^T + s * (dropout(x) A^T) B^T}, {@code s = alpha / r},
 * or {@code alpha / sqrt(r)} with {@link #rsLora}. A layer gets {@code r * (in + out)} trainable parameters.
 *
 * <p>Made with {@link #builder()}; the names in {@code code} are the keys of {@code adapter_config.json}.
 *
 * @param common what every configuration holds
 * @param placement which linear layers and embeddings are adapted, and what is trained as a whole beside them; default
 *     what the architecture has ({@code q_proj} and {@code v_proj} for Llama)
 * @param rank {@code r}: the rank; default 8
 * @param alpha {@code lora_alpha}: scales the change; default 8
 * @param dropout {@code lora_dropout}: probability that an element of x is dropped in training; default 0
 * @param rsLora {@code use_rslora}: rank-stabilized scaling (<a
 *     href="https://arxiv.org/abs/2312.03732">2312.03732</a>); default false
 * @param rankPattern {@code rank_pattern}: other ranks, by expressions that must match the end of a path from the
 *     beginning of one of its parts; the first that matches counts, so a map with an order is needed where several
 *     match one path, such as a {@link java.util.LinkedHashMap}; default none
 * @param alphaPattern {@code alpha_pattern}: other alphas, as rankPattern; default none
 * @param initialization {@code init_lora_weights}: how A and B begin; default {@link LoraInit#KAIMING}
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out], as GPT-2's are; a new
 *     adapter gets it automatically
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
 *     layer (low-rank matrices, a trained copy, chosen tokens) is trained for both, by the sum of both gradients;
 *     default false: matrices and a trained copy are of one of them, chosen tokens are of both unless others are named
 *     for the output layer
 * @param targetParameters {@code target_parameters}: parameters of the base that are no layers, such as the experts'
 *     {@code mlp.experts.gate_up_proj} and a router's {@code gate.weight}; one is meant whose path equals a name or
 *     ends with a dot and the name; default none
 * @param kasa {@code kasa_config}: KaSA; default none
 * @param blocks {@code use_bdlora}: BD-LoRA; default none
 * @param velora {@code velora_config}: VeLoRA, in training; default none
 * @param monteclora {@code monteclora_config}: MonteCLoRA, in training; default none
 * @param arrow {@code arrow_config}: Arrow, which mixes other adapters; default none
 */
@PeftType(value = "LORA", name = "lora",
        description = "a low-rank additive update B A",
        paper = "https://arxiv.org/abs/2106.09685")
@UnusedKey(value = "megatron_config", feature = "Megatron")
@UnusedKey(value = "megatron_core", fallback = "\"megatron.core\"")
@UnusedKey(value = "qalora_group_size", fallback = "16")
@UnusedKey(value = "runtime_config", fallback = "",
        because = "it says how Hugging Face PEFT uses a GPU, not what the adapter is")
@UnusedKey(value = "use_qalora", fallback = "false",
        because = "it is for layers that Hugging Face PEFT has quantized by GPTQ")
public record LoraConfig(CommonConfig common, @Group(biasWord = "lora_only") Placement placement,
        @Key(value = "r", fallback = "8") int rank,
        @Key(value = "lora_alpha", fallback = "8", whole = true) double alpha, @Key("lora_dropout") double dropout,
        @Key("use_rslora") boolean rsLora, @Key("rank_pattern") Map<String, Integer> rankPattern,
        @Key("alpha_pattern") Map<String, Double> alphaPattern,
        @Key(value = "init_lora_weights", fallback = "true", format = LoraInit.Format.class) LoraInit initialization,
        @Key("fan_in_fan_out") boolean fanInFanOut, @Key("lora_bias") boolean loraBias,
        @Key("use_dora") boolean dora, @Key("trainable_token_indices") TokenIndices trainableTokens,
        @Key("alora_invocation_tokens") List<Integer> invocationTokens,
        @Key(value = "layer_replication", format = LayerRange.Format.class) List<LayerRange> layerReplication,
        @Key("ensure_weight_tying") boolean ensureWeightTying,
        @Key("target_parameters") List<String> targetParameters,
        @Key(value = "kasa_config", format = Kasa.Format.class) Optional<Kasa> kasa,
        @Key(value = "use_bdlora", format = BlockDiagonal.Format.class) Optional<BlockDiagonal> blocks,
        @Key(value = "velora_config", format = Velora.Format.class) Optional<Velora> velora,
        @Key(value = "monteclora_config", format = Monteclora.Format.class) Optional<Monteclora> monteclora,
        @Key(value = "arrow_config", format = Arrow.Format.class) Optional<Arrow> arrow)
        implements
            LoraBased {
    /**
     * Checks ranges and combinations.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range, or two contradict each other
     */
    public LoraConfig {
        rankPattern = Checks.positive("rank_pattern", rankPattern);
        alphaPattern = Checks.ordered(alphaPattern);
        invocationTokens = List.copyOf(invocationTokens);
        layerReplication = List.copyOf(layerReplication);
        targetParameters = List.copyOf(targetParameters);
        Checks.require(targetParameters.isEmpty() || dropout == 0 && !loraBias && !dora && isDrawn(initialization),
                "target_parameters work without dropout, lora_bias and use_dora, and with init_lora_weights true or "
                        + "false");
        requirePlain("kasa_config", kasa.isPresent(), initialization, dora || loraBias || blocks.isPresent(),
                targetParameters, invocationTokens);
        requirePlain("use_bdlora", blocks.isPresent(), initialization, dora || loraBias, targetParameters,
                invocationTokens);
        requirePlain("arrow_config", arrow.isPresent(), initialization, dora || loraBias || blocks.isPresent()
                || kasa.isPresent(), targetParameters, invocationTokens);
        Checks.require(velora.isEmpty() && monteclora.isEmpty() || velora.isEmpty() != monteclora.isEmpty() && !dora
                && kasa.isEmpty() && blocks.isEmpty() && arrow.isEmpty() && targetParameters.isEmpty()
                && invocationTokens.isEmpty() && !initialization.freezesB(),
                "velora_config and monteclora_config work without each other, use_dora, kasa_config, use_bdlora, "
                        + "arrow_config, target_parameters, alora_invocation_tokens and init_lora_weights \"mica\"");
        Checks.require(
                arrow.isEmpty()
                        || dropout == 0 && trainableTokens.equals(TokenIndices.NONE) && layerReplication.isEmpty()
                                && placement.modulesToSave().isEmpty() && placement.bias().equals(Bias.NONE),
                "arrow_config trains nothing; remove lora_dropout, bias, modules_to_save, trainable_token_indices and "
                        + "layer_replication");
        Checks.rank("the rank (r)", rank);
        Checks.finite("alpha (lora_alpha)", alpha);
        Checks.probability("dropout (lora_dropout)", dropout);
        String init = "init_lora_weights " + initialization.json();
        Checks.require(!loraBias || isDrawn(initialization),
                "lora_bias works with init_lora_weights true or false, not "
                        + "with " + initialization.json());
        boolean ofBase = initialization.needsLinear() || initialization.freezesB();
        Checks.require(!dora || !ofBase, "use_dora does not work with " + init);
        Checks.require(!loraBias || !dora, "lora_bias does not work with use_dora; turn one of them off");
        Checks.require(invocationTokens.stream().allMatch(token -> token >= 0), "the invocation "
                + "(alora_invocation_tokens) is " + invocationTokens + "; token ids are not negative");
        Checks.require(invocationTokens.isEmpty() || !dora && !ofBase,
                "alora_invocation_tokens do not work with use_dora or " + init
                        + ", which change the whole base weight");
    }

    private static void requirePlain(String key, boolean isOn, LoraInit init, boolean others, List<String> parameters,
            List<Integer> tokens) {
        Checks.require(!isOn || isDrawn(init) && !others && parameters.isEmpty() && tokens.isEmpty(), key
                + " works with init_lora_weights true or false and without use_dora, lora_bias, use_bdlora, "
                + "target_parameters and alora_invocation_tokens");
    }

    /** Whether A and B begin as PyTorch begins linear layers. */
    static boolean isDrawn(LoraInit init) {
        return init.equals(LoraInit.KAIMING) || init.equals(LoraInit.RANDOM);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static LoraConfigBuilder builder() {
        return ConfigBuilder.of(LoraConfigBuilder.class, LoraConfig.class);
    }

    /** A builder with the values of this configuration. */
    public LoraConfigBuilder toBuilder() {
        return ConfigBuilder.from(LoraConfigBuilder.class, this);
    }

    @Override
    public LoraConfig lora() {
        return this;
    }

    /** The adapters that Arrow mixes, in its folder or beside it. */
    @Override
    public List<String> parts() {
        return arrow.stream().flatMap(mixed -> mixed.all().stream()).flatMap(name -> Stream.of(name, "../" + name))
                .toList();
    }

    @Override
    public boolean needsCalibration() {
        return initialization.needsCalibration();
    }

    /** {@code s} for a layer with the given rank and alpha. */
    public double scaling(int layerRank, double layerAlpha) {
        return layerAlpha / (rsLora ? Math.sqrt(layerRank) : layerRank);
    }

    /** The more a change of B A counts, the smaller its steps; what begins with a part of the base is large already. */
    @Override
    public double autoRateFactor() {
        double scaling = Math.abs(scaling(rank, alpha));
        return scaling == 0 ? 1 : initialization.autoRateFactor() * Math.sqrt(2 / scaling);
    }
}
