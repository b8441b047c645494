package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.KEYS;
import static io.peft4j.methods.Sizes.LAYERS;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.PeftConfig;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Prompt tuning, P-tuning, prefix tuning, CPT and cartridges keep what every method promises. */
class VirtualTokensContractTest extends PeftFilesContract {
    private static Case at(Base base, String name, PeftConfig config, long parameters) {
        return new Case(name, base, config, false, false, parameters);
    }

    /** Weights and biases of a linear layer. */
    private static int linear(int in, int out) {
        return in * out + out;
    }

    @Override
    protected List<Case> cases() {
        int columns = LAYERS * 2 * KEYS;
        return List.of(
                at(Base.PLAIN, "prompt", PromptTuningConfig.builder().virtualTokens(3).build(), 3 * H),
                at(Base.TIED, "prompt from the vocabulary", PromptTuningConfig.builder().virtualTokens(2)
                        .initialization(PromptTuningConfig.Initialization.SAMPLE_VOCAB).build(), 2 * H),
                at(Base.PLAIN, "encoder", PTuningConfig.builder().virtualTokens(3).hiddenSize(5).build(),
                        3 * H + linear(H, 5) + linear(5, 5) + linear(5, H)),
                at(Base.PLAIN, "prefix", PrefixTuningConfig.builder().virtualTokens(3).build(), 3 * columns),
                at(Base.BIASED, "prefix from zero", PrefixTuningConfig.builder().virtualTokens(2)
                        .initialization(PrefixTuningConfig.Initialization.ZERO).build(), 2 * columns),
                at(Base.PLAIN, "cartridge", CartridgeConfig.builder().virtualTokens(3).frozenTokens(0).build(),
                        3 * columns),
                at(Base.BIASED, "example", CptConfig.builder().tokenIds(List.of(3, 1, 4)).types(List.of(1, 2, 3))
                        .build(), 3 * H),
                at(Base.PLAIN, "prompt of a task", MultitaskPromptConfig.builder().virtualTokens(3).rank(2).build(),
                        3 * H + 2 * (3 + H)),
                at(Base.PLAIN, "prompt of one of several tasks",
                        MultitaskPromptConfig.builder().virtualTokens(3).tasks(2)
                                .task(1).build(),
                        3 * H + 2 * (3 + H)),
                at(Base.PLAIN, "prefix with a projection", PrefixTuningConfig.builder().virtualTokens(2)
                        .projection(true).hiddenSize(5).build(),
                        2 * KEYS + linear(KEYS, 5) + linear(5, columns)));
    }

    /** Norms enlarge the small prompts of a new task so much that a difference's step is too long. */
    @Override
    protected boolean isDerivative(Parameter parameter) {
        return !parameter.name().startsWith("prefix_task");
    }

    @Override
    protected Optional<String> mixingObstacle(Case test) {
        return Optional.of("it adds virtual tokens to a batch");
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(PTuningConfig.builder().virtualTokens(4).encoder(PTuningConfig.Encoder.LSTM).hiddenSize(6)
                .layers(3).dropout(0.5).build());
    }
}
