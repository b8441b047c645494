package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.INNER;
import static io.peft4j.methods.Sizes.KEYS;
import static io.peft4j.methods.Sizes.LAYERS;
import static io.peft4j.methods.Sizes.at;
import static io.peft4j.methods.Sizes.moved;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.PeftConfig;
import java.util.List;
import java.util.stream.Stream;

/** GraLoRA, GLoRA, DEFT and super-tuning keep what every method promises. */
class LowRanksContractTest extends PeftFilesContract {
    /** Sides of the weights of queries and values together. */
    private static final int SIDES = H + H + H + KEYS;

    @Override
    protected List<Case> cases() {
        GraloraConfig gralora = GraloraConfig.builder().rank(2).alpha(4).build();
        GloraConfig glora = GloraConfig.builder().rank(2).build();
        DeftConfig deft = DeftConfig.builder().rank(2).build();
        SupertuningConfig elements = SupertuningConfig.builder().sparsity(0.8).build();
        return List.of(
                at(Base.PLAIN, "GraLoRA", gralora, LAYERS * 2 * SIDES),
                moved(Base.BIASED, "GraLoRA, hybrid, random start, biases", gralora.toBuilder().rank(4).blocks(4)
                        .hybridRank(1).initWeights(false).targetModules("down_proj").bias(Bias.ADAPTED).build(),
                        LAYERS * (5 * (INNER + H) + H)),
                at(Base.PLAIN, "GLoRA", glora, LAYERS * 2 * 2 * SIDES),
                at(Base.BIASED, "GLoRA with biases", glora.toBuilder().targetModules("o_proj").build(),
                        LAYERS * (2 * 2 * 2 * H + 2 * (H + 1) + 2)),
                moved(Base.BIASED, "GLoRA, vectors, random start, trained biases", glora.toBuilder()
                        .weightForm(GloraConfig.Form.VECTOR).couplingForm(GloraConfig.Form.VECTOR)
                        .biasForm(GloraConfig.Form.VECTOR).initWeights(false).bias(Bias.ADAPTED)
                        .targetModules("k_proj").build(), LAYERS * (2 * KEYS + H + 3 * KEYS)),
                at(Base.PLAIN, "GLoRA, constants", glora.toBuilder().weightForm(GloraConfig.Form.CONSTANT).build(),
                        LAYERS * 4),
                at(Base.BIASED, "GLoRA on biases alone", glora.toBuilder().weightForm(GloraConfig.Form.NONE)
                        .couplingForm(GloraConfig.Form.NONE).build(), LAYERS * 4),
                at(Base.PLAIN, "DEFT", deft, LAYERS * 2 * SIDES),
                at(Base.BIASED, "DEFT, QR, alpha", deft.toBuilder().alpha(4)
                        .decomposition(DeftConfig.Decomposition.QR).targetModules("up_proj").build(),
                        LAYERS * 2 * (H + INNER)),
                moved(Base.PLAIN, "DEFT, removal alone, rank above the outputs", deft.toBuilder().rank(5)
                        .removalOnly(true).targetModules("v_proj").build(), LAYERS * KEYS * KEYS),
                at(Base.PLAIN, "super-tuning", elements, LAYERS * ((int) (H * H * 0.2) + (int) (H * KEYS * 0.2))),
                moved(Base.BIASED, "super-tuning with low rank, smallest, indices not saved", elements.toBuilder()
                        .rank(2).selectTop(false).initWeights(false).saveIndices(false).targetModules("v_proj")
                        .build(), LAYERS * ((int) (H * KEYS * 0.2) + 2 * (H + KEYS))));
    }

    /** Where P is near 0, differences meet the bend of {@code max(P, 0)}; trainings are compared instead. */
    @Override
    protected boolean isDerivative(Parameter parameter) {
        return !parameter.name().endsWith("deft_P") || parameter.name().contains("up_proj");
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(GraloraConfig.builder().rank(2).dropout(0.5).build(),
                DeftConfig.builder().rank(2).dropout(0.5).build(),
                SupertuningConfig.builder().sparsity(0.5).rank(2).dropout(0.5).build());
    }
}
