package io.peft4j.methods;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The keys by which AdaMSS drops clusters. */
class AdamssConfigTest {
    private static Arguments wrong(String message, UnaryOperator<AdamssConfigBuilder> change) {
        return Arguments.of(message, change);
    }

    static Stream<Arguments> wrong() {
        return Stream.of(
                wrong("asa_target_subspaces is 0; it must be an integer of at least 1", b -> b.targetClusters(0)),
                wrong("mask_interval is 0; it must be an integer of at least 1", b -> b.interval(0)),
                wrong("init_warmup is 8 and final_warmup 8; init_warmup must be below final_warmup, so that clusters "
                        + "can be dropped between", b -> b.firstUpdate(8).lastUpdate(8)),
                wrong("asa_importance_beta is 1.0; it must be at least 0 and below 1", b -> b.beta1(1)),
                wrong("asa_uncertainty_beta is -0.1; it must be at least 0 and below 1", b -> b.beta2(-0.1)),
                wrong("asa_schedule_exponent is 0.0; it must be a number above 0", b -> b.exponent(0)));
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void valuesOutOfRangeAreRefusedWhereClustersAreDropped(String message,
            UnaryOperator<AdamssConfigBuilder> change) {
        AdamssConfig unused = change.apply(AdamssConfig.builder()).build();
        assertEquals(message, assertThrows(ConfigurationException.class,
                () -> unused.toBuilder().dropsClusters(true).build()).getMessage());
    }

    @Test
    void keysAreThoseOfHuggingFacePeft() {
        Path adapter = Path.of("..", "tests", "fixtures", "methods", "adamss-drops-bias");
        AdamssConfig read = (AdamssConfig) AdapterCheckpoint.readConfig(adapter);
        AdamssConfig expected = AdamssConfig.builder().rank(20).clusters(4).clusterRank(3).dynamicRank(true)
                .threshold(0.6).seed(5).dropsClusters(true).targetClusters(8).firstUpdate(0).lastUpdate(10).interval(3)
                .beta1(0.6).beta2(0.7).exponent(1.5).placement(read.placement()).common(read.common()).build();
        assertEquals(expected, read);
    }
}
