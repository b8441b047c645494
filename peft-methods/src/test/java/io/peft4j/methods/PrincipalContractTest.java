package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.INNER;
import static io.peft4j.methods.Sizes.KEYS;
import static io.peft4j.methods.Sizes.LAYERS;
import static io.peft4j.methods.Sizes.at;
import static io.peft4j.methods.Sizes.moved;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.PeftConfig;
import java.util.List;
import java.util.stream.Stream;

/** PSOFT and AdaMSS, which work in the largest directions of a weight, keep what every method promises. */
class PrincipalContractTest extends PeftFilesContract {
    @Override
    protected List<Case> cases() {
        PsoftConfig psoft = PsoftConfig.builder().rank(3).build();
        AdamssConfig adamss = AdamssConfig.builder().rank(3).clusters(2).build();
        return List.of(
                at(Base.PLAIN, "PSOFT", psoft, LAYERS * 2 * 9),
                at(Base.BIASED, "PSOFT, powers, root split, one scale", psoft.toBuilder().cayleyNeumann(true)
                        .neumannTerms(4).split(PsoftConfig.Split.BOTH).scalesInput(false).targetModules("up_proj")
                        .build(), LAYERS * 6),
                moved(Base.BIASED, "PSOFT, any matrix, random start", psoft.toBuilder().orthogonal(false)
                        .scalesOutput(false).initWeights(false).targetModules("k_proj").build(), LAYERS * 12),
                at(Base.PLAIN, "AdaMSS", adamss, LAYERS * (4 * 3 + H + KEYS)),
                moved(Base.BIASED, "AdaMSS with a bias, random start", adamss.toBuilder().clusters(3)
                        .start(AdamssConfig.Start.RANDOM).targetModules("up_proj").build(),
                        LAYERS * (3 * 3 + INNER)));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(PsoftConfig.builder().rank(2).dropout(0.5).build());
    }
}
