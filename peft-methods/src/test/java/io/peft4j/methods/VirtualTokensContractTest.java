package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.KEYS;
import static io.peft4j.methods.Sizes.LAYERS;

import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.PeftFilesContract;
import java.util.List;
import java.util.stream.Stream;

/** Prompt tuning, P-tuning and prefix tuning keep what every method promises. */
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
                at(Base.PLAIN, "prompt", PromptTuningConfig.of(3), 3 * H),
                at(Base.TIED, "prompt from the vocabulary", PromptTuningConfig.of(2).fromVocabulary(), 2 * H),
                at(Base.PLAIN, "encoder", PTuningConfig.of(3).withEncoder(PTuningConfig.Encoder.MLP, 5),
                        3 * H + linear(H, 5) + linear(5, 5) + linear(5, H)),
                at(Base.PLAIN, "prefix", PrefixTuningConfig.of(3), 3 * columns),
                at(Base.BIASED, "prefix from zero", PrefixTuningConfig.of(2).fromZero(), 2 * columns),
                at(Base.PLAIN, "prefix with a projection", PrefixTuningConfig.of(2).withProjection(5),
                        2 * KEYS + linear(KEYS, 5) + linear(5, columns)));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(PTuningConfig.of(4).withEncoder(PTuningConfig.Encoder.LSTM, 6).withLayers(3, 0.5));
    }
}
