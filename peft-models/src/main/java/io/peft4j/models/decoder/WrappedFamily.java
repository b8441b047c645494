package io.peft4j.models.decoder;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.models.architecture.Architecture;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.ModelTensor;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.ServiceLoader;

/**
 * A decoder inside a model of text and images: {@code text_config} describes it, and its places stand below
 * {@code model.language_model}, as in Transformers, so that adapters fit. Only its text part is loaded. What is
 * exported merged is a model of text alone.
 */
abstract class WrappedFamily extends DecoderFamily {
    private static final String INSIDE = "model.language_model.";
    private static final String TIED = "tie_word_embeddings";
    private static final DecoderPlan.Names NAMES = new DecoderPlan.Names(INSIDE + "embed_tokens", Optional.empty(),
            INSIDE + "layers", INSIDE + "norm", "lm_head",
            Map.of(INSIDE, "language_model.model.", "lm_head", "language_model.lm_head"));

    private final String textType;

    /** @param textType the {@code model_type} of the decoder where its configuration does not say */
    WrappedFamily(String modelType, String textType) {
        super(modelType);
        this.textType = textType;
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        ModelConfig text = text(config);
        return inner(text).plan(text).withNames(NAMES);
    }

    @Override
    boolean seesAll(ModelConfig config) {
        ModelConfig text = text(config);
        return inner(text).seesAll(text);
    }

    @Override
    OptionalInt projectionTo(ModelConfig config) {
        ModelConfig text = text(config);
        return inner(text).projectionTo(text);
    }

    private ModelConfig text(ModelConfig config) {
        ModelConfig text = config.object("text_config").orElseThrow(() -> new FileFormatException(config.file(),
                "text_config is missing; a model of type " + modelType() + " describes its decoder in it"));
        boolean tied = config.flag(TIED, true);
        if (text.has(TIED) || !config.has(TIED)) {
            return text;
        }
        ObjectNode values = text.values().deepCopy();
        return new ModelConfig(config.file(), values.put(TIED, tied));
    }

    private DecoderFamily inner(ModelConfig text) {
        String type = text.text("model_type").orElse(textType);
        return ServiceLoader.load(Architecture.class, Architecture.class.getClassLoader()).stream()
                .map(ServiceLoader.Provider::get).filter(family -> family.modelType().equals(type))
                .filter(DecoderFamily.class::isInstance).map(DecoderFamily.class::cast).findFirst()
                .orElseThrow(() -> new FileFormatException(text.file(), "text_config.model_type \"" + type
                        + "\" is not a supported decoder; it is usually \"" + textType + "\""));
    }

    @Override
    public ModelConfig writtenConfig(ModelConfig config) {
        ModelConfig text = text(config);
        ObjectNode values = text.values().deepCopy();
        String type = inner(text).modelType();
        values.put("model_type", type);
        for (String key : List.of("eos_token_id", "bos_token_id", "pad_token_id")) {
            if (config.has(key) && !text.has(key)) {
                values.set(key, config.values().get(key));
            }
        }
        String family = type.replace("_text", "").replace("_moe", "Moe");
        values.putArray("architectures").add(family.substring(0, 1).toUpperCase(Locale.ROOT) + family.substring(1)
                + "ForCausalLM");
        return new ModelConfig(config.file(), values);
    }

    @Override
    public List<ModelTensor> checkpointTensors(ModelConfig config, ModelTensor tensor) {
        ModelConfig text = text(config);
        return inner(text).checkpointTensors(text, plain(tensor));
    }

    @Override
    public List<ModelTensor> ggufTensors(ModelConfig config, ModelTensor tensor) {
        ModelConfig text = text(config);
        return inner(text).ggufTensors(text, plain(tensor));
    }

    private static ModelTensor plain(ModelTensor tensor) {
        return new ModelTensor(tensor.name().replace(INSIDE, "model."), tensor.shape(), tensor.rows());
    }
}
