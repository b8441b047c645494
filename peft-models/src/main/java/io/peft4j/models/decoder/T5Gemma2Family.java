package io.peft4j.models.decoder;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.ModelTensor;
import java.util.List;

/** T5Gemma 2 (<a href="https://arxiv.org/abs/2512.14856">2512.14856</a>), text: Gemma 3 as an encoder and as a decoder, which
 * share their embedding; a decoder's attention has the encoder's states among its keys. */
public final class T5Gemma2Family extends T5GemmaFamily {
    private static final String ENCODER = "model.encoder.text_model";
    private static final String STORED = "model.encoder";
    private static final String DECODER = "model.decoder";

    /** For the {@link java.util.ServiceLoader}. */
    public T5Gemma2Family() {
        super("t5gemma2");
    }

    @Override
    DecoderPlan encoder(ModelConfig config) {
        ModelConfig whole = config.object("encoder").orElseThrow(() -> new FileFormatException(config.file(),
                "encoder is missing; a model of type " + modelType() + " describes its encoder in it"));
        return plan(stack(config, whole, "text_config"), ENCODER, STORED);
    }

    @Override
    DecoderPlan decoder(ModelConfig config, int source) {
        return plan(config, DECODER, DECODER).mapLayers((i, layer) -> layer.withAttention(layer.attention()
                .withNames("self_attn", new AttentionPlan.Merged(), "o_proj")));
    }

    @Override
    boolean sharesEmbedding() {
        return true;
    }

    /** Files leave out the place of the encoder of text beside that of images. */
    @Override
    public List<ModelTensor> checkpointTensors(ModelConfig config, ModelTensor tensor) {
        return List.of(new ModelTensor(tensor.name().replace(ENCODER, STORED), tensor.shape(), tensor.rows()));
    }

    /** As Transformers, which does not use {@code attn_logit_softcapping} here. */
    private static DecoderPlan plan(ModelConfig config, String path, String stored) {
        return plan(new Gemma3Family(), config, path, stored)
                .mapLayers((i, layer) -> layer.withAttention(layer.attention().withSoftCap(0)));
    }
}
