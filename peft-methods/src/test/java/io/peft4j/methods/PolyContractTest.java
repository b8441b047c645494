package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.KEYS;
import static io.peft4j.methods.Sizes.LAYERS;
import static io.peft4j.methods.Sizes.at;
import static io.peft4j.methods.Sizes.moved;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.PeftConfig;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Poly keeps what every method promises. */
class PolyContractTest extends PeftFilesContract {
    @Override
    protected List<Case> cases() {
        PolyConfig poly = PolyConfig.builder().rank(2).build();
        return List.of(
                at(Base.PLAIN, "defaults", poly, LAYERS * 4 * (2 * (H + H + H + KEYS) + 2)),
                moved(Base.BIASED, "splits, random start", poly.toBuilder().skills(3).splits(2).initWeights(false)
                        .targetModules("k_proj").build(), LAYERS * 3 * (2 * (H + KEYS) + 2)),
                at(Base.PLAIN, "one of several tasks",
                        poly.toBuilder().tasks(3).task(2).targetModules("q_proj").build(),
                        LAYERS * 4 * (2 * (H + H) + 3)));
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
        return Stream.of(PolyConfig.builder().rank(2).build());
    }
}
