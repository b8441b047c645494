package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.LAYERS;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.PeftConfig;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** LLaMA-Adapter and bottleneck adapters keep what every method promises. */
class BlocksContractTest extends PeftFilesContract {
    private static Case at(Base base, String name, PeftConfig config, long parameters) {
        return new Case(name, base, config, true, false, parameters);
    }

    private static int bottleneck(int size) {
        return 2 * H * size + size + H;
    }

    @Override
    protected List<Case> cases() {
        BottleneckConfig adapters = BottleneckConfig.builder().size(3).activation(BottleneckConfig.Activation.SILU)
                .build();
        return List.of(
                at(Base.PLAIN, "LLaMA-Adapter", AdaptionPromptConfig.builder().length(3).build(), LAYERS * (3 * H + 1)),
                // As in Hugging Face PEFT the bias of the output projection counts twice.
                new Case("LLaMA-Adapter, one layer, biases", Base.BIASED,
                        AdaptionPromptConfig.builder().length(2).layers(1).build(), false, false, 2 * H + 1),
                at(Base.PLAIN, "Houlsby", adapters, LAYERS * 2 * bottleneck(3)),
                at(Base.BIASED, "Pfeiffer", adapters.toBuilder().style(BottleneckConfig.Style.PFEIFFER)
                        .size(2).activation(BottleneckConfig.Activation.TANH).build(), LAYERS * bottleneck(2)),
                at(Base.PLAIN, "one block", adapters.toBuilder().size(4).targetModules("self_attn")
                        .layersToTransform(1).modulesToSave("model.norm").build(), bottleneck(4) + H));
    }

    @Override
    protected Optional<String> mixingObstacle(Case test) {
        String first = switch (test.name()) {
            case "LLaMA-Adapter", "Houlsby" -> "0.self_attn";
            case "Pfeiffer" -> "0.mlp";
            default -> "1.self_attn";
        };
        return Optional.of("at model.layers." + first + " it works on whole sequences");
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.empty();
    }
}
