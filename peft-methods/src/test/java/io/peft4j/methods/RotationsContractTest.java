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
import io.peft4j.core.peft.TargetModules;
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
        OftConfig oft = OftConfig.defaults().withBlockSize(4);
        BoftConfig boft = BoftConfig.defaults().withBlockSize(2, 1);
        HraConfig hra = HraConfig.defaults().withRank(2);
        return List.of(
                at(Base.PLAIN, "OFT", oft, LAYERS * 2 * (H / 4) * triangle(4)),
                at(Base.BIASED, "OFT, exact, number of blocks, biases", OftConfig.defaults().withBlocks(2).exact()
                        .withPlacement(Placement.at("k_proj", "down_proj").withBiases(Bias.ADAPTED)),
                        LAYERS * (2 * triangle(H / 2) + 2 * triangle(INNER / 2) + KEYS + H)),
                at(Base.PLAIN, "OFT, one block for all, size adjusted", OftConfig.defaults().withBlockSize(5)
                        .sharingBlocks().withPlacement(Placement.at("o_proj", "down_proj")),
                        LAYERS * 2 * triangle(4)),
                at(Base.PLAIN, "OFT in a ball", oft.exact().constrainedTo(10).withPlacement(Placement.at("up_proj")),
                        LAYERS * (H / 4) * triangle(4)),
                moved(Base.PLAIN, "OFT, random start", oft.withInitWeights(false).withPlacement(Placement.at("q_proj")),
                        LAYERS * (H / 4) * triangle(4)),
                at(Base.PLAIN, "BOFT", boft, LAYERS * (2 * H * 2 + H + KEYS)),
                at(Base.BIASED, "BOFT, butterfly, all biases", boft.withBlockSize(2, 3).withPlacement(
                        Placement.at("q_proj").withBiases(Bias.ALL)),
                        LAYERS * (3 * H * 2 + H + 2 * H + 2 * KEYS + 2 * INNER + H)),
                moved(Base.PLAIN, "BOFT, random start", boft.withBlocks(2, 2).withInitWeights(false).withPlacement(
                        Placement.at("down_proj").inLayers(1)), 2 * INNER * (INNER / 2) + H),
                at(Base.PLAIN, "HRA", hra.withPlacement(Placement.at(TargetModules.ALL_LINEAR)),
                        LAYERS * 2 * (6 * H + INNER)),
                moved(Base.BIASED, "HRA, an odd number", hra.withRank(3), LAYERS * 2 * 3 * H),
                moved(Base.PLAIN, "HRA, orthogonal", hra.withRank(3).withGramSchmidt().withPlacement(
                        Placement.at("down_proj").saving("norm")), LAYERS * (3 * INNER + 2 * H) + H));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(BoftConfig.defaults().withBlockSize(2, 2).withDropout(0.5));
    }
}
