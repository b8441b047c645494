package io.peft4j.lora;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.PeftConfig;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** PVeRA keeps what every method promises. */
class PveraContractTest extends PeftFilesContract {
    private static final int H = TinyNetwork.HIDDEN;
    private static final int KEYS = TinyNetwork.KEYS;
    private static final int LAYERS = TinyNetwork.LAYERS;

    @Override
    protected List<Case> cases() {
        PveraConfig config = PveraConfig.builder().rank(4).build();
        return List.of(
                new Case("defaults", Base.PLAIN, config, true, true, LAYERS * (4 * 4 + H + KEYS)),
                new Case("random start, biases, projection not saved", Base.BIASED, config.toBuilder()
                        .initWeights(false).bias(Bias.ADAPTED).saveProjection(false).projectionSeed(5)
                        .targetModules("k_proj").build(), false, true, LAYERS * (2 * 4 + 2 * KEYS)));
    }

    /** Gradients are those of a pass with noise, and the contract's differences are of passes without. */
    @Override
    protected boolean isDerivative(Parameter parameter) {
        return false;
    }

    @Override
    protected Optional<String> mixingObstacle(Case test) {
        return Optional.of("it draws random numbers for all rows of a batch in training");
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(PveraConfig.builder().rank(4).build());
    }
}
