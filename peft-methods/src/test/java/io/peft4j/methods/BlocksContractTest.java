package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.LAYERS;

import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.PeftFilesContract;
import java.util.List;
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
        BottleneckConfig adapters = BottleneckConfig.defaults().withSize(3, BottleneckConfig.Activation.SILU);
        return List.of(
                at(Base.PLAIN, "LLaMA-Adapter", AdaptionPromptConfig.of(3, 0), LAYERS * (3 * H + 1)),
                // As in Hugging Face PEFT the bias of the output projection counts twice.
                new Case("LLaMA-Adapter, one layer, biases", Base.BIASED, AdaptionPromptConfig.of(2, 1), false, false,
                        2 * H + 1),
                at(Base.PLAIN, "Houlsby", adapters, LAYERS * 2 * bottleneck(3)),
                at(Base.BIASED, "Pfeiffer", adapters.withStyle(BottleneckConfig.Style.PFEIFFER)
                        .withSize(2, BottleneckConfig.Activation.TANH), LAYERS * bottleneck(2)),
                at(Base.PLAIN, "one block", adapters.withSize(4, BottleneckConfig.Activation.SILU).withPlacement(
                        Placement.at("self_attn").inLayers(1).saving("model.norm")), bottleneck(4) + H));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.empty();
    }
}
