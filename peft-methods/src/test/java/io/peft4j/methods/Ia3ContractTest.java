package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.INNER;
import static io.peft4j.methods.Sizes.KEYS;
import static io.peft4j.methods.Sizes.LAYERS;
import static io.peft4j.methods.Sizes.V;
import static io.peft4j.methods.Sizes.at;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.TargetModules;
import java.util.List;
import java.util.stream.Stream;

/** IA3 keeps what every method promises. */
class Ia3ContractTest extends PeftFilesContract {
    /** Feed-forward layers by name alone. */
    private static Ia3Config ia3(TargetModules targets, String... feedforward) {
        return Ia3Config.builder().targetModules(targets).feedforwardModules(feedforward).build();
    }

    private static Ia3Config ia3(String... targets) {
        return ia3(TargetModules.of(targets));
    }

    @Override
    protected List<Case> cases() {
        return List.of(
                at(Base.PLAIN, "defaults", Ia3Config.builder().build(), LAYERS * (2 * KEYS + INNER)),
                at(Base.BIASED, "outputs and inputs with biases", ia3(
                        TargetModules.of("q_proj", "up_proj", "down_proj"), "down_proj"), LAYERS * (H + INNER + INNER)),
                at(Base.PLAIN, "no feed-forward layer", ia3("o_proj"), LAYERS * H),
                at(Base.PLAIN, "expression", ia3(
                        TargetModules.regex(".*\\.0\\..*(v|down)_proj"), "down_proj"), KEYS + INNER),
                at(Base.PLAIN, "all linear, norms as a whole", ia3(TargetModules.ALL_LINEAR).toBuilder()
                        .modulesToSave("norm").build(),
                        LAYERS * (2 * H + 2 * KEYS + 2 * INNER + H + 2 * H) + H),
                at(Base.TIED, "output layer, tied", ia3("lm_head"), V),
                new Case("random start", Base.PLAIN, Ia3Config.builder().initWeights(false).build(), false, true,
                        LAYERS * (2 * KEYS + INNER)));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.empty();
    }
}
