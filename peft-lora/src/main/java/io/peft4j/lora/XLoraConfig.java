package io.peft4j.lora;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.UnusedKey;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * X-LoRA (<a href="https://arxiv.org/abs/2402.07148">2402.07148</a>): a classifier mixes LoRA adapters separately for
 * each token. A first pass through the model, with all adapters scaled by {@code scaling_pass_value}, gives the last
 * hidden states, from which the classifier computes a scaling s_i for each adapter i; in the second pass each layer
 * computes {@code y = base(x) + g * sum of s_i c_i (x A_i^T) B_i^T}, c_i LoRA's own scaling. The classifier alone is
 * trained: {@code (H + 1) * k} parameters for k adapters with a depth of 1, with {@code layerwise_scalings} k times the
 * number of adapted layers.
 *
 * <p>In answers both passes have keys and values of their own, and so twice the memory for them.
 *
 * <p>The adapters are plain LoRA on linear layers. They are saved with X-LoRA, in subfolders with their numbers.
 * Hugging Face PEFT writes the first layer of the classifier, without its number, into the file of subfolder 0, and
 * does not read it again; here it is read, and the adapters are those that its configuration names. What is saved here
 * PEFT reads where the folder is the working directory.
 *
 * @param common what every configuration holds
 * @param adapters {@code adapters}: the folders of the adapters, by name; in a saved adapter its subfolders
 * @param hiddenSize {@code hidden_size}: H; default that of the model
 * @param softmax {@code enable_softmax}: whether the scalings of a token are a softmax of what the classifier says;
 *     default true
 * @param softmaxOfChosen {@code enable_softmax_topk}: whether the scalings that are not 0 go through a softmax (once
 *     more); default false
 * @param temperature {@code softmax_temperature}: what the classifier's result is divided by; default 1
 * @param layerwise {@code layerwise_scalings}: whether each layer has scalings of its own; default false
 * @param chosen {@code top_k_lora}: how many adapters work on a token, those with the largest scalings; default all
 * @param depth {@code xlora_depth}: layers of the classifier; default 1
 * @param size {@code xlora_size}: outputs of its inner layers; default 2048
 * @param dropout {@code xlora_dropout_p}: probability that one of them is dropped in training; default 0.2
 * @param firstScaling {@code scaling_pass_value}: scaling of all adapters in the first pass; default 0
 * @param weight {@code global_scaling_weight}: g; default 1
 */
@PeftType(value = "XLORA", name = "xlora", description = "a gate that mixes frozen LoRA adapters token by token",
        paper = "https://arxiv.org/abs/2402.07148")
@UnusedKey(value = "use_trainable_adapters", fallback = "false", because = "the classifier alone is trained")
public record XLoraConfig(CommonConfig common,
        @Key(value = "adapters", fallback = "{}") Map<String, String> adapters,
        @Key(value = "hidden_size", zeroIsNull = true) int hiddenSize,
        @Key(value = "enable_softmax", fallback = "true") boolean softmax,
        @Key("enable_softmax_topk") boolean softmaxOfChosen,
        @Key(value = "softmax_temperature", fallback = "1.0") double temperature,
        @Key("layerwise_scalings") boolean layerwise,
        @Key("top_k_lora") OptionalInt chosen,
        @Key(value = "xlora_depth", fallback = "1") int depth,
        @Key(value = "xlora_size", fallback = "2048") int size,
        @Key(value = "xlora_dropout_p", fallback = "0.2") double dropout,
        @Key("scaling_pass_value") double firstScaling,
        @Key(value = "global_scaling_weight", fallback = "1.0") double weight) implements PeftConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when there are no adapters, or a value is out of range
     */
    public XLoraConfig {
        adapters = Collections.unmodifiableMap(new LinkedHashMap<>(adapters));
        Checks.require(!adapters.isEmpty(), "adapters is empty; list the folders of the adapters to mix");
        Checks.require(temperature > 0, "softmax_temperature is " + temperature + "; it must be above 0");
        int most = adapters.size();
        Checks.require(chosen.isEmpty() || chosen.getAsInt() >= 1 && chosen.getAsInt() <= most,
                "top_k_lora is " + chosen.orElse(0) + "; it must be from 1 to the number of adapters, " + most);
        Checks.require(firstScaling == 0 || chosen.isEmpty() || chosen.getAsInt() == most, "scaling_pass_value is "
                + firstScaling + ", which is the same for all adapters, so that top_k_lora cannot choose; use 0");
        Checks.atLeast(1, "xlora_depth", depth);
        Checks.rank("the size of the classifier (xlora_size)", size);
        Checks.probability("xlora_dropout_p", dropout);
        Checks.finite("scaling_pass_value", firstScaling);
        Checks.finite("global_scaling_weight", weight);
    }

    @Override
    public List<String> parts() {
        return List.copyOf(adapters.values());
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static XLoraConfigBuilder builder() {
        return ConfigBuilder.of(XLoraConfigBuilder.class, XLoraConfig.class);
    }

    /** A builder with the values of this configuration. */
    public XLoraConfigBuilder toBuilder() {
        return ConfigBuilder.from(XLoraConfigBuilder.class, this);
    }
}
