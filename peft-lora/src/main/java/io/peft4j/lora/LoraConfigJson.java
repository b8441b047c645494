package io.peft4j.lora;

import io.peft4j.core.peft.Bias;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.OneOrMany;
import java.util.LinkedHashMap;
import java.util.Map;

/** {@link LoraConfig} as {@code adapter_config.json} with the keys and defaults of Hugging Face PEFT 0.21. */
final class LoraConfigJson {
    /** The word for the biases of the adapted layers. */
    private static final String ADAPTED_ONLY = "lora_only";
    /** Keys that switch on variants of LoRA which are not implemented, and what they would switch on. */
    private static final Map<String, String> UNSUPPORTED = new LinkedHashMap<>();
    /** What Hugging Face PEFT writes for keys that a {@link LoraConfig} has no field for. */
    private static final Map<String, String> DEFAULTS = new LinkedHashMap<>();

    static {
        unsupported("arrow_config", "null", "Arrow");
        unsupported("kasa_config", "null", "KaSA");
        unsupported("megatron_config", "null", "Megatron");
        unsupported("monteclora_config", "null", "MonteCLoRA");
        unsupported("target_parameters", "null", "adapting parameters instead of layers");
        unsupported("use_bdlora", "null", "BD-LoRA");
        unsupported("use_qalora", "false", "QA-LoRA");
        unsupported("velora_config", "null", "VeLoRA");
        Initialization.keys().forEach(key -> DEFAULTS.put(key, "null"));
        DEFAULTS.put("loftq_config", "{}");
        // Without effect unless one of those above is on.
        DEFAULTS.put("megatron_core", "\"megatron.core\"");
        DEFAULTS.put("qalora_group_size", "16");
    }

    private LoraConfigJson() {
    }

    private static void unsupported(String key, String defaultJson, String feature) {
        UNSUPPORTED.put(key, feature);
        DEFAULTS.put(key, defaultJson);
    }

    static LoraConfig read(ConfigReader reader) {
        LoraConfigBuilder builder = keys(reader).rankPattern(reader.integers("rank_pattern"));
        builder.common(reader.common());
        return Targets.checked(reader, builder::build);
    }

    /** All keys but {@code rank_pattern} and the common ones, which are read last. */
    static LoraConfigBuilder keys(ConfigReader reader) {
        LoraConfigBuilder builder = LoraConfig.builder()
                .rank(reader.integer("r", 8, 1))
                .alpha(reader.number("lora_alpha", 8))
                .dropout(reader.dropout("lora_dropout", 0))
                .targetModules(reader.modules("target_modules"))
                .excludeModules(reader.modules("exclude_modules"))
                .bias(Bias.read(reader, ADAPTED_ONLY))
                .rsLora(reader.flag("use_rslora", false))
                .alphaPattern(reader.numbers("alpha_pattern"))
                .layersToTransform(reader.oneOrMoreIntegers("layers_to_transform"))
                .layersPattern(reader.oneOrMoreTexts("layers_pattern"))
                .modulesToSave(reader.texts("modules_to_save"))
                .initialization(Initialization.read(reader))
                .fanInFanOut(reader.flag("fan_in_fan_out", false))
                .loraBias(reader.flag("lora_bias", false))
                .dora(reader.flag("use_dora", false))
                .trainableTokens(Targets.checked(reader, () -> reader.tokens("trainable_token_indices")))
                .invocationTokens(reader.oneOrMoreIntegers("alora_invocation_tokens").values())
                .layerReplication(Targets.checked(reader,
                        () -> LayerRange.of(reader.integerLists("layer_replication"))))
                .ensureWeightTying(reader.flag("ensure_weight_tying", false));
        UNSUPPORTED.forEach(reader::requireOff);
        DEFAULTS.keySet().stream().filter(key -> !Initialization.keys().contains(key)).forEach(reader::ignore);
        reader.ignoreBecause("runtime_config", "it says how Hugging Face PEFT uses a GPU, not what the adapter is");
        return builder;
    }

    static String write(LoraConfig config) {
        return write(new ConfigWriter(LoraConfig.PEFT_TYPE, config.common()), config)
                .put("rank_pattern", config.rankPattern()).toJson();
    }

    /** All keys but {@code rank_pattern}. */
    static ConfigWriter write(ConfigWriter writer, LoraConfig config) {
        DEFAULTS.forEach(writer::putDefault);
        config.initialization().config().ifPresent(own -> writer.putJson(own.key(), own.toJson()));
        if (config.initialization().config().filter(StartConfig::computesAlphas).isPresent()) {
            writer.putDecimals("alpha_pattern", config.alphaPattern());
        } else {
            writer.put("alpha_pattern", config.alphaPattern());
        }
        return writer.put("r", config.rank())
                .putNumber("lora_alpha", config.alpha())
                .putDecimal("lora_dropout", config.dropout())
                .put("target_modules", config.targetModules())
                .put("exclude_modules", config.excludeModules())
                .put("bias", config.bias().json(ADAPTED_ONLY))
                .put("use_rslora", config.rsLora())
                .put("layers_to_transform", config.layersToTransform())
                .put("layers_pattern", config.layersPattern())
                .putList("modules_to_save", config.modulesToSave())
                .putJson("init_lora_weights", config.initialization().json())
                .put("fan_in_fan_out", config.fanInFanOut())
                .put("lora_bias", config.loraBias())
                .put("use_dora", config.dora())
                .put("trainable_token_indices", config.trainableTokens())
                .put("alora_invocation_tokens", config.invocationTokens().isEmpty() ? OneOrMany.none()
                        : OneOrMany.many(config.invocationTokens()))
                .putJson("layer_replication", LayerRange.json(config.layerReplication()))
                .put("ensure_weight_tying", config.ensureWeightTying());
    }
}
