package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.INNER;
import static io.peft4j.methods.Sizes.KEYS;
import static io.peft4j.methods.Sizes.LAYERS;
import static io.peft4j.methods.Sizes.V;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.PeftConfig;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** ShadowPEFT keeps what every method promises. */
class ShadowContractTest extends PeftFilesContract {
    @Override
    protected List<Case> cases() {
        ShadowConfig shadow = ShadowConfig.builder().rank(3).strength(4).dropout(0).build();
        int layer = 2 * H * H + 2 * KEYS * H + 3 * INNER * H + 2 * H;
        return List.of(
                new Case("all layers", Base.PLAIN, shadow, true, false,
                        layer + H + LAYERS * 2 * 3 * H + (LAYERS - 1) * 2 * (2 * 3 * H + 3 + H)),
                new Case("one layer, another width", Base.BIASED, shadow.toBuilder().hiddenSize(6).intermediateSize(10)
                        .layers(2).initWeights(false).targetModules("layers.1").build(), false, false,
                        2 * (2 * 6 * H + 2 * KEYS * 6 + 3 * 10 * 6 + 2 * 6 + H + 2 * KEYS + 6 + 2 * 10 + 6) + 6 + H * 6
                                + V * 6 + 2 * 3 * H),
                new Case("an embedding of its own", Base.TIED, shadow.toBuilder().sharesEmbedding(false).updateSize(2)
                        .initWeights(false).build(), false, false,
                        layer + H + V * H + LAYERS * 2 * 3 * H + (LAYERS - 1) * 2 * (2 * 2 * H + 2 + H)));
    }

    /** Attention that begins near even has gradients too small for differences in f32; training compares them. */
    @Override
    protected boolean isDerivative(Parameter parameter) {
        return !parameter.name().matches(".*shadow_backbone.*self_attn\\.[qk]_proj.*");
    }

    @Override
    protected Optional<String> mixingObstacle(Case test) {
        return Optional.of("it runs a decoder of its own");
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(ShadowConfig.builder().dropout(0.5).initWeights(false).strength(2).build());
    }

    @Test
    void moreLayersThanTheBaseHasAreRefused() {
        try (TinyModel base = new TinyModel(new TinyNetwork(1, false, false))) {
            ShadowConfig config = ShadowConfig.builder().layers(LAYERS + 1).build();
            assertEquals("shadow_num_hidden_layers is 3; it must be at most 2, the number of layers of the base",
                    assertThrows(ConfigurationException.class,
                            () -> PeftModel.of(base, config, new SplittableRandom(1)))
                            .getMessage());
        }
    }
}
