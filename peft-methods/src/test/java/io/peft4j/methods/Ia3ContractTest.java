package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.INNER;
import static io.peft4j.methods.Sizes.KEYS;
import static io.peft4j.methods.Sizes.LAYERS;
import static io.peft4j.methods.Sizes.V;
import static io.peft4j.methods.Sizes.at;

import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.TargetModules;
import java.util.List;
import java.util.stream.Stream;

/** IA3 keeps what every method promises. */
class Ia3ContractTest extends PeftFilesContract {
    private static final Ia3Config IA3 = Ia3Config.defaults();

    @Override
    protected List<Case> cases() {
        return List.of(
                at(Base.PLAIN, "defaults", IA3, LAYERS * (2 * KEYS + INNER)),
                at(Base.BIASED, "outputs and inputs with biases", IA3.withPlacement(
                        Placement.at("q_proj", "up_proj", "down_proj"), "down_proj"), LAYERS * (H + INNER + INNER)),
                at(Base.PLAIN, "no feed-forward layer", IA3.withPlacement(Placement.at("o_proj")), LAYERS * H),
                at(Base.PLAIN, "expression", IA3.withPlacement(Placement.at(
                        TargetModules.regex(".*\\.0\\..*(v|down)_proj")), "down_proj"), KEYS + INNER),
                at(Base.PLAIN, "all linear, norms as a whole", IA3.withPlacement(
                        Placement.at(TargetModules.ALL_LINEAR).saving("norm")),
                        LAYERS * (2 * H + 2 * KEYS + 2 * INNER + H + 2 * H) + H),
                at(Base.TIED, "output layer, tied", IA3.withPlacement(Placement.at("lm_head")), V),
                new Case("random start", Base.PLAIN, IA3.withInitWeights(false), false, true,
                        LAYERS * (2 * KEYS + INNER)));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.empty();
    }
}
