package io.peft4j.lora;

import static io.peft4j.core.peft.TinyNetwork.HIDDEN;
import static io.peft4j.core.peft.TinyNetwork.INNER;
import static io.peft4j.core.peft.TinyNetwork.KEYS;
import static io.peft4j.core.peft.TinyNetwork.LAYERS;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.lora.init.LoraInit;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A mixture of LoRA experts keeps what every method promises. */
class LoraMixtureContractTest extends PeftFilesContract {
    private static LoraMixtureConfig mixture(int experts, LoraConfigBuilder lora) {
        return LoraMixtureConfig.builder().lora(lora.build()).experts(experts).build();
    }

    /** Parameters of one layer. */
    private static long parameters(int experts, int rank, int in, int out) {
        return (long) experts * rank * (in + out) + (long) experts * in;
    }

    @Override
    protected List<Case> cases() {
        return List.of(
                new Case("defaults", Base.PLAIN, LoraMixtureConfig.builder().build(), true, false,
                        LAYERS * (parameters(4, 8, HIDDEN, HIDDEN) + parameters(4, 8, HIDDEN, KEYS))),
                new Case("three experts, rank-stabilized", Base.BIASED, mixture(3, LoraConfig.builder().rank(2)
                        .alpha(5).rsLora(true).targetModules("down_proj")), true, false,
                        LAYERS * parameters(3, 2, INNER, HIDDEN)),
                new Case("random start, one layer, a whole norm", Base.TIED, mixture(2, LoraConfig.builder().rank(1)
                        .initialization(LoraInit.RANDOM).targetModules("q_proj").layersToTransform(1)
                        .modulesToSave("model.norm")), false, false, parameters(2, 1, HIDDEN, HIDDEN) + HIDDEN));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(mixture(2, LoraConfig.builder().rank(2).dropout(0.5).targetModules("q_proj", "down_proj")));
    }

    @Test
    void settingsThatExpertsDoNotSupportAreRefused() {
        assertThrows(ConfigurationException.class, () -> mixture(1, LoraConfig.builder()));
        for (LoraConfigBuilder lora : List.of(LoraConfig.builder().dora(true), LoraConfig.builder().loraBias(true),
                LoraConfig.builder().bias(Bias.ALL), LoraConfig.builder().rankPattern(Map.of("q_proj", 2)),
                LoraConfig.builder().invocationTokens(3),
                LoraConfig.builder().initialization(LoraInit.PISSA))) {
            assertThrows(ConfigurationException.class, () -> mixture(4, lora));
        }
    }
}
