package io.peft4j.lora;

import static io.peft4j.core.peft.TinyNetwork.HIDDEN;
import static io.peft4j.core.peft.TinyNetwork.INNER;
import static io.peft4j.core.peft.TinyNetwork.KEYS;
import static io.peft4j.core.peft.TinyNetwork.LAYERS;
import static io.peft4j.core.peft.TinyNetwork.VOCABULARY;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.lora.init.Eva;
import io.peft4j.lora.init.LoraInit;
import java.util.List;
import java.util.stream.Stream;

/** DoRA keeps what every method promises: LoRA's parameters and one more for each row of a weight. */
class DoraContractTest extends PeftFilesContract {
    private static final int QUERY = HIDDEN + HIDDEN;
    private static final int VALUE = HIDDEN + KEYS;
    private static final int MLP = HIDDEN + INNER;
    private static final int ROWS = HIDDEN + 2 * KEYS + HIDDEN + 2 * INNER + HIDDEN;

    private static LoraConfigBuilder dora(int rank, String... targets) {
        return LoraConfig.builder().dora(true).rank(rank).alpha(2 * rank).targetModules(targets);
    }

    private static Case at(Base base, String name, LoraConfigBuilder builder, long parameters) {
        return new Case(name, base, builder.build(), true, true, parameters);
    }

    @Override
    protected List<Case> cases() {
        return List.of(
                at(Base.PLAIN, "all-linear", dora(4).targetModules(TargetModules.ALL_LINEAR),
                        LAYERS * (4 * (2 * QUERY + 2 * VALUE + 3 * MLP) + ROWS)),
                at(Base.BIASED, "with biases, rank-stabilized", dora(3, "o_proj", "down_proj").rsLora(true)
                        .initialization(LoraInit.GAUSSIAN), LAYERS * (3 * (QUERY + MLP) + 2 * HIDDEN)),
                new Case("random start", Base.BIASED, dora(2, "q_proj").initialization(LoraInit.RANDOM).build(),
                        false, true, LAYERS * (2 * QUERY + HIDDEN)),
                at(Base.BIASED, "eva", dora(2, "o_proj").initialization(Eva.builder().build()),
                        LAYERS * (2 * QUERY + HIDDEN)),
                at(Base.PLAIN, "embedding and output layer", dora(2, "embed_tokens", "lm_head"),
                        2 * 2 * (VOCABULARY + HIDDEN) + HIDDEN + VOCABULARY),
                at(Base.TIED, "output layer, tied", dora(2, "lm_head"), 2 * (VOCABULARY + HIDDEN) + VOCABULARY),
                at(Base.BIASED, "biases of adapted layers", dora(2, "q_proj").bias(Bias.ADAPTED),
                        LAYERS * (2 * QUERY + 2 * HIDDEN)));
    }

    /** The norm is a constant for the gradients; those of A and B are held against Hugging Face PEFT's. */
    @Override
    protected boolean isDerivative(Parameter parameter) {
        return !parameter.name().contains("lora_A") && !parameter.name().contains("lora_B")
                && !parameter.name().contains("lora_embedding");
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(dora(4, "q_proj", "down_proj").dropout(0.5).build());
    }
}
