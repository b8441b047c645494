package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.INNER;
import static io.peft4j.methods.Sizes.KEYS;
import static io.peft4j.methods.Sizes.LAYERS;
import static io.peft4j.methods.Sizes.at;
import static io.peft4j.methods.Sizes.moved;

import io.peft4j.core.peft.Bias;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.PeftFilesContract;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** FourierFT, C3A, SHiRA and trainable tokens keep what every method promises. */
class ChangesContractTest extends PeftFilesContract {
    @Override
    protected List<Case> cases() {
        FourierFtConfig fourier = FourierFtConfig.defaults().withFrequencies(6).withScaling(20);
        C3aConfig c3a = C3aConfig.defaults().withBlockSize(4);
        ShiraConfig shira = ShiraConfig.defaults().withRank(1);
        return List.of(
                moved(Base.PLAIN, "FourierFT", fourier, LAYERS * 2 * 6),
                at(Base.BIASED, "FourierFT from zero, biases", fourier.withInitWeights(true).withPlacement(
                        Placement.at("up_proj", "down_proj").withBiases(Bias.ADAPTED)),
                        LAYERS * (2 * 6 + INNER + H)),
                moved(Base.PLAIN, "FourierFT with a pattern", fourier.withFrequencyPattern(Map.of("v_proj", 3)),
                        LAYERS * (6 + 3)),
                moved(Base.PLAIN, "C3A", c3a, LAYERS * (H * H + H * KEYS) / 4),
                at(Base.PLAIN, "C3A from zero, with a pattern", c3a.withStart(C3aConfig.Start.ZERO)
                        .withBlockSizePattern(Map.of("down_proj", 2)).withPlacement(
                        Placement.at("k_proj", "down_proj")), LAYERS * (H * KEYS / 4 + INNER * H / 2)),
                at(Base.PLAIN, "SHiRA", shira, LAYERS * (H + H + H + KEYS)),
                at(Base.BIASED, "SHiRA, seeded, norms as a whole", shira.withSeed(3).withRank(2).withPlacement(
                        Placement.at("gate_proj").saving("norm")), LAYERS * (2 * (H + INNER) + 2 * H) + H),
                moved(Base.PLAIN, "SHiRA, random start", shira.withInitWeights(false), LAYERS * (3 * H + KEYS)),
                at(Base.PLAIN, "tokens", TrainableTokensConfig.of(5, 2, 12), 3 * H),
                at(Base.TIED, "tokens, tied", TrainableTokensConfig.of(4, 8), 2 * H),
                moved(Base.PLAIN, "tokens, random start", TrainableTokensConfig.of(5, 4).withInitWeights(false),
                        2 * H));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.empty();
    }
}
