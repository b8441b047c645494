package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.INNER;
import static io.peft4j.methods.Sizes.KEYS;
import static io.peft4j.methods.Sizes.LAYERS;
import static io.peft4j.methods.Sizes.at;
import static io.peft4j.methods.Sizes.moved;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.PeftConfig;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** FourierFT, C3A, SHiRA and trainable tokens keep what every method promises. */
class ChangesContractTest extends PeftFilesContract {
    private static TrainableTokensConfigBuilder tokens(int... ids) {
        return TrainableTokensConfig.builder().tokenIndices(ids);
    }

    @Override
    protected List<Case> cases() {
        FourierFtConfig fourier = FourierFtConfig.builder().frequencies(6).scaling(20).build();
        C3aConfig c3a = C3aConfig.builder().blockSize(4).build();
        ShiraConfig shira = ShiraConfig.builder().rank(1).build();
        return List.of(
                moved(Base.PLAIN, "FourierFT", fourier, LAYERS * 2 * 6),
                at(Base.BIASED, "FourierFT from zero, biases", fourier.toBuilder().initWeights(true)
                        .targetModules("up_proj", "down_proj").bias(Bias.ADAPTED).build(),
                        LAYERS * (2 * 6 + INNER + H)),
                moved(Base.PLAIN, "FourierFT with a pattern", fourier.toBuilder()
                        .frequencyPattern(Map.of("v_proj", 3)).build(), LAYERS * (6 + 3)),
                moved(Base.PLAIN, "C3A", c3a, LAYERS * (H * H + H * KEYS) / 4),
                at(Base.PLAIN, "C3A from zero, with a pattern", c3a.toBuilder()
                        .initialization(C3aConfig.Initialization.ZERO)
                        .blockSizePattern(Map.of("down_proj", 2)).targetModules("k_proj", "down_proj").build(),
                        LAYERS * (H * KEYS / 4 + INNER * H / 2)),
                at(Base.PLAIN, "SHiRA", shira, LAYERS * (H + H + H + KEYS)),
                at(Base.BIASED, "SHiRA, seeded, norms as a whole", shira.toBuilder().seed(3).rank(2)
                        .targetModules("gate_proj").modulesToSave("norm").build(),
                        LAYERS * (2 * (H + INNER) + 2 * H) + H),
                moved(Base.PLAIN, "SHiRA, random start", shira.toBuilder().initWeights(false).build(),
                        LAYERS * (3 * H + KEYS)),
                at(Base.PLAIN, "tokens", tokens(5, 2, 12).build(), 3 * H),
                at(Base.TIED, "tokens, tied", tokens(4, 8).build(), 2 * H),
                moved(Base.PLAIN, "tokens, random start", tokens(5, 4).initWeights(false).build(),
                        2 * H));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.empty();
    }
}
