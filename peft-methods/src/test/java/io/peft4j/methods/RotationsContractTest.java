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
import io.peft4j.core.peft.config.TargetModules;
import java.util.List;
import java.util.stream.Stream;

/** OFT, BOFT and HRA keep what every method promises. */
class RotationsContractTest extends PeftFilesContract {
    /** Elements above the diagonal of a block. */
    private static int triangle(int size) {
        return size * (size - 1) / 2;
    }

    @Override
    protected List<Case> cases() {
        OftConfig oft = OftConfig.builder().blockSize(4).build();
        BoftConfig boft = BoftConfig.builder().blockSize(2).build();
        HraConfig hra = HraConfig.builder().rank(2).build();
        return List.of(
                at(Base.PLAIN, "OFT", oft, LAYERS * 2 * (H / 4) * triangle(4)),
                at(Base.BIASED, "OFT, exact, number of blocks, biases", OftConfig.builder().blocks(2)
                        .blockSize(0).cayleyNeumann(false).targetModules("k_proj", "down_proj").bias(Bias.ADAPTED)
                        .build(),
                        LAYERS * (2 * triangle(H / 2) + 2 * triangle(INNER / 2) + KEYS + H)),
                at(Base.PLAIN, "OFT, one block for all, size adjusted", OftConfig.builder().blockSize(5)
                        .blockShare(true).targetModules("o_proj", "down_proj").build(),
                        LAYERS * 2 * triangle(4)),
                at(Base.PLAIN, "OFT in a ball", oft.toBuilder().cayleyNeumann(false).constrained(true).eps(10)
                        .targetModules("up_proj").build(), LAYERS * (H / 4) * triangle(4)),
                at(Base.TIED, "OFT on an embedding", oft.toBuilder().targetModules("embed_tokens", "q_proj").build(),
                        (1 + LAYERS) * (H / 4) * triangle(4)),
                moved(Base.PLAIN, "OFT, random start", oft.toBuilder().initWeights(false)
                        .targetModules("q_proj").build(), LAYERS * (H / 4) * triangle(4)),
                at(Base.PLAIN, "BOFT", boft, LAYERS * (2 * H * 2 + H + KEYS)),
                at(Base.BIASED, "BOFT, butterfly, all biases", boft.toBuilder().factors(3).targetModules("q_proj")
                        .bias(Bias.ALL).build(),
                        LAYERS * (3 * H * 2 + H + 2 * H + 2 * KEYS + 2 * INNER + H)),
                moved(Base.PLAIN, "BOFT, random start", boft.toBuilder().blockSize(0).blocks(2).factors(2)
                        .initWeights(false).targetModules("down_proj").layersToTransform(1).build(),
                        2 * INNER * (INNER / 2) + H),
                at(Base.PLAIN, "HRA", hra.toBuilder().targetModules(TargetModules.ALL_LINEAR).build(),
                        LAYERS * 2 * (6 * H + INNER)),
                moved(Base.BIASED, "HRA, an odd number", hra.toBuilder().rank(3).build(), LAYERS * 2 * 3 * H),
                moved(Base.PLAIN, "HRA, orthogonal", hra.toBuilder().rank(3).gramSchmidt(true)
                        .targetModules("down_proj").modulesToSave("norm").build(), LAYERS * (3 * INNER + 2 * H) + H));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(BoftConfig.builder().blockSize(2).factors(2).dropout(0.5).build());
    }
}
