package io.peft4j.models.decoder;

import io.peft4j.core.kernel.Activation;
import io.peft4j.models.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * EmbeddingGemma 2, text: Gemma 4 whose tokens see all others, at most {@code sliding_window} away in layers with a
 * window; layers' own inputs come from the embedding alone, and states are projected to the vectors' size.
 */
public final class EmbeddingGemma2TextFamily extends DecoderFamily {
    private static final String PROJECTION = "per_layer_model_projection";
    private static final int INPUTS = 512;
    private static final int VECTOR = 768;

    /** For the {@link java.util.ServiceLoader}. */
    public EmbeddingGemma2TextFamily() {
        super("embedding_gemma2_text");
    }

    @Override
    public List<String> layerNames() {
        List<String> names = new ArrayList<>(super.layerNames());
        names.addAll(List.of(PROJECTION, "per_layer_input_gate", "per_layer_projection", "embedding_projection"));
        return names;
    }

    @Override
    boolean seesAll(ModelConfig config) {
        return true;
    }

    @Override
    OptionalInt projectionTo(ModelConfig config) {
        return OptionalInt.of(config.optionalPositive("embedding_dim").orElse(VECTOR));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        List<String> types = Gemma4Family.types(config);
        Gemma4Family.AttentionPlans attention = new Gemma4Family.AttentionPlans(config, types, types.size());
        Activation activation = LlamaFamily.activation(config, "hidden_activation", "gelu_pytorch_tanh");
        int width = config.positive("intermediate_size");
        int inputs = config.optionalPositive("hidden_size_per_layer_input").orElse(INPUTS);
        LayerPlan.Ending ending = new LayerPlan.Ending(
                Optional.of(new LayerPlan.OwnInput("ple_block.", inputs, activation)), true);
        List<LayerPlan> layers = IntStream.range(0, types.size()).mapToObj(i -> LayerPlan.of(around(attention.of(i)),
                new FeedForwardPlan.Gated(width, activation, false)).withNorms(Gemma2Family.AROUND)
                .withEnding(ending)).toList();
        DecoderPlan plan = DecoderPlan.of(LlamaFamily.sizes(config, true),
                NormPlan.rms(config.number("rms_norm_eps", 1e-6)), layers)
                .withScales(new DecoderPlan.Scales((float) Math.sqrt(config.positive("hidden_size")), 1, 1, 0));
        return plan.withEnds(DecoderPlan.Ends.NONE.withLayerInputs(new DecoderPlan.Inputs(Optional.empty(),
                "ple." + PROJECTION, "ple.per_layer_projection_norm", plan.sizes().vocabulary(), inputs)));
    }

    private static AttentionPlan around(AttentionPlan plan) {
        return plan.window() == 0 ? plan : plan.withWindow(2 * plan.window() + 1);
    }
}
