package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.INNER;
import static io.peft4j.methods.Sizes.KEYS;
import static io.peft4j.methods.Sizes.LAYERS;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.PeftConfig;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Lily keeps what every method promises. */
class LilyContractTest extends PeftFilesContract {
    @Override
    protected List<Case> cases() {
        LilyConfig lily = LilyConfig.builder().rank(3).scaling(8).build();
        return List.of(
                new Case("default targets", Base.PLAIN, lily, true, false,
                        3 * (LAYERS * (H + H + 2 * 2) + 2 * (H + KEYS))),
                new Case("one A, random start", Base.BIASED, lily.toBuilder().stride(LAYERS).matrices(4).scaling(4)
                        .initWeights(false).targetModules("up_proj").build(), false, false,
                        3 * (H + LAYERS * 4 + 4 * INNER)));
    }

    @Override
    protected Optional<String> mixingObstacle(Case test) {
        return Optional.of("it reads whole sequences");
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.empty();
    }
}
