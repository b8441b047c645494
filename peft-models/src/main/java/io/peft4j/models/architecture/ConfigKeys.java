package io.peft4j.models.architecture;

import io.peft4j.core.error.FileFormatException;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a {@code config.json} says that was not read. Keys that say nothing of the computation are known by name;
 * all others are named in the log, as Hugging Face Transformers, too, leaves them without effect.
 */
public final class ConfigKeys {
    private static final Logger LOG = LoggerFactory.getLogger(ConfigKeys.class);
    /** Names, versions, tokens, training and output options, and what belongs to heads of other tasks. */
    private static final Pattern NEUTRAL = Pattern.compile("architectures|auto_map|model_type|_name_or_path|_.*"
            + "|(torch_)?dtype|transformers_version|version|unsloth.*|use_cache|sentence_transformers|sbert_.*"
            + "|activation_fn|cache_implementation|.*_token_id"
            + "|.*(dropout|_pdrop)|initializer_.*|.*_init(_.*)?|router_aux_loss_coef|router_jitter_noise"
            + "|(id2label|label2id|num_labels|problem_type|task_specific_params|summary_.*|classifier_.*)"
            + "|(output_|return_).*|pretraining_tp|chunk_size_feed_forward|is_(encoder_)?decoder|tokenizer_class"
            + "|gradient_checkpointing|use_return_dict|max_length|model_max_length|rope_type|type|head_dim"
            + "|(vision|audio|mm|projector|multimodal)_.*|(image|video|boi|eoi|boa|eoa)_.*|spatial_merge_size");
    private static final String QUANTIZED = "quantization_config";

    private ConfigKeys() {
    }

    /**
     * Names in the log the keys that were not read, once a network has been built.
     *
     * @throws FileFormatException when the checkpoint is quantized in a form of its own
     */
    public static void report(ModelConfig config) {
        Set<String> unknown = unknown(config);
        if (!unknown.isEmpty()) {
            LOG.warn("{}: models of type {} do not use the keys {}, as in Hugging Face "
                    + "Transformers", config.file(), config.modelType(), unknown);
        }
    }

    /**
     * Refuses a checkpoint that is quantized in a form of its own.
     *
     * @throws FileFormatException when it is
     */
    public static void requirePlain(ModelConfig config) {
        if (config.object(QUANTIZED).isPresent()) {
            throw config.unsupported(QUANTIZED, config.object(QUANTIZED).get().text("quant_method").orElse("set"),
                    "checkpoints in F32, F16 or BF16, which can be quantized when loaded, and GGUF files");
        }
    }

    /** The keys that say something of the computation, perhaps, and were not read. */
    public static Set<String> unknown(ModelConfig config) {
        Set<String> unknown = new TreeSet<>(config.unread());
        unknown.removeIf(key -> NEUTRAL.matcher(key.substring(key.lastIndexOf('.') + 1)).matches());
        return unknown;
    }
}
