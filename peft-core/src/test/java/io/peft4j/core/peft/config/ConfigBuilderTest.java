package io.peft4j.core.peft.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** How a configuration record is built, read and written by its annotations. */
class ConfigBuilderTest {
    /** A configuration with values of all kinds. */
    @PeftType("SAMPLE")
    @UnusedKey(value = "conv", fallback = "false", feature = "convolutions")
    @UnusedKey(value = "quiet", fallback = "1")
    public record Sample(CommonConfig common,
            @Group(without = "layers_pattern", biasWord = "sample_only") Placement placement,
            @Key(value = "r", fallback = "8") int rank,
            @Key(value = "alpha", fallback = "16", whole = true) double alpha,
            @Key("p") double dropout, @Key(value = "size", zeroIsNull = true, option = "length") int size,
            @Key("seed") OptionalInt seed, @Key("name") Optional<String> name, @Key("ranks") Map<String, Integer> ranks,
            @Key(value = "mode", fallback = "\"SLOW\"") Mode mode) implements PlacedConfig {
        /** A choice. */
        public enum Mode {
            /** One. */
            SLOW,
            /** The other. */
            FAST
        }

        /** Checks the rank. */
        public Sample {
            Checks.atLeast(1, "r", rank);
            ranks = Checks.positive("ranks", ranks);
        }

        Builder toBuilder() {
            return ConfigBuilder.from(Builder.class, this);
        }

        /** A builder. */
        public interface Builder extends PlacedBuilder<Sample, Builder> {
            /** The rank. */
            Builder rank(int value);

            /** Alpha. */
            Builder alpha(double value);

            /** The seed. */
            Builder seed(OptionalInt value);

            /** The mode. */
            Builder mode(Mode value);

            /** Biases. */
            Builder bias(Bias value);
        }
    }

    /** One whose rank is not that of the record in it. */
    @PeftType("OUTER")
    public record Outer(@Group(biasWord = "sample_only") Sample inner, @Key("mode") boolean mode,
            @Key(value = "outer_r", fallback = "3", option = "rank") int outerRank) implements PeftConfig {
        @Override
        public CommonConfig common() {
            return inner.common();
        }

        /** A builder. */
        public interface Builder extends PlacedBuilder<Outer, Builder> {
            /** The record within. */
            Builder inner(Sample value);

            /** The outer one's. */
            Builder mode(boolean value);
        }
    }

    /** A record without an id. */
    public record Nameless(CommonConfig common) implements PeftConfig {
    }

    /** A builder that names what the record does not have. */
    public interface Wrong extends ConfigBuilder<Sample> {
        /** There is no such component. */
        Wrong rang(int value);
    }

    private static Sample.Builder sample() {
        return ConfigBuilder.of(Sample.Builder.class, Sample.class);
    }

    private static Sample read(String json) {
        return (Sample) ConfigSchema.of(Sample.class).read(ConfigReader.parseNew(json, "file"));
    }

    private static String refused(String json) {
        String message = assertThrows(ConfigurationException.class, () -> read(json)).getMessage();
        assertTrue(message.startsWith("file"), message);
        return message;
    }

    @Test
    void defaultsStandInTheRecordAndNowhereElse() {
        Sample built = sample().build();
        assertEquals(new Sample(CommonConfig.defaults(), Placement.defaults(), 8, 16, 0, 0, OptionalInt.empty(),
                Optional.empty(), Map.of(), Sample.Mode.SLOW), built);
        assertEquals(built, read("{}"));
    }

    @Test
    void valuesAreSetReadAndWritten() {
        Sample built = sample().rank(4).targetModules("q_proj").excludeModules("a").layersToTransform(1, 2)
                .modulesToSave("norm").bias(Bias.ADAPTED).seed(OptionalInt.of(5)).mode(Sample.Mode.FAST).build();
        String json = built.toJson();
        assertEquals(built, read(json).withCommon(built.common()));
        assertTrue(json.contains("\"bias\": \"sample_only\"") && json.contains("\"mode\": \"FAST\""), json);
        assertTrue(json.contains("\"alpha\": 16,") && json.contains("\"p\": 0.0") && json.contains("\"size\": null"),
                json);
        assertTrue(json.contains("\"conv\": false") && json.contains("\"quiet\": 1"), json);
        assertEquals(List.of("norm"), built.toBuilder().rank(2).build().placement().modulesToSave());
        assertEquals("other", built.withCommon(built.common().withBaseModel("other")).common().baseModel()
                .orElseThrow());
    }

    @Test
    void aKeyThatTheMethodDoesNotHaveIsRefused() {
        String message = assertThrows(ConfigurationException.class,
                () -> sample().targetModules("q_proj").layersToTransform(1).layersPattern("h")).getMessage();
        assertTrue(message.contains("layers_pattern"), message);
        Placement placement = new Placement(TargetModules.of("q_proj"), TargetModules.UNSET, OneOrMany.one(1),
                OneOrMany.one("h"), List.of(), Bias.NONE);
        assertThrows(ConfigurationException.class, () -> sample().placement(placement));
    }

    @Test
    void anUnknownKeyOfANewAdapterIsAnErrorThatNamesTheNearest() {
        assertTrue(refused("{\"alhpa\": 3}").contains("unknown key 'alhpa'; the nearest of"),
                refused("{\"alhpa\": 3}"));
        assertTrue(refused("{\"alhpa\": 3}").contains("'alpha'"), refused("{\"alhpa\": 3}"));
        assertTrue(refused("{\"layers_pattern\": \"h\"}").contains("layers_pattern"));
        Sample kept = (Sample) ConfigSchema.of(Sample.class).read(ConfigReader.parse("{\"alhpa\": 3}", "file"));
        assertEquals(Map.of("alhpa", "3"), kept.common().otherKeys());
    }

    @Test
    void invalidValuesAreRefusedWithTheFileName() {
        assertTrue(refused("{\"r\": 0}").contains("r is 0"));
        assertTrue(refused("{\"r\": 1.5}").contains("r is 1.5"));
        assertTrue(refused("{\"mode\": \"QUICK\"}").contains("one of [\"SLOW\", \"FAST\"]"));
        assertTrue(refused("{\"conv\": true}").contains("convolutions is not supported"));
        assertEquals(8, read("{\"r\": null, \"conv\": null}").rank());
        assertThrows(NullPointerException.class, () -> sample().mode(null));
    }

    @Test
    void aRecordWithinAnotherSharesItsKeys() {
        Outer outer = ConfigBuilder.of(Outer.Builder.class, Outer.class).inner(sample().rank(2).build()).mode(true)
                .targetModules("v_proj").build();
        assertEquals(new Outer(sample().rank(2).targetModules("v_proj").build(), true, 3), outer);
        assertTrue(outer.toJson().contains("\"mode\": true"), outer.toJson());
        assertEquals(outer, ((Outer) ConfigSchema.of(Outer.class).read(ConfigReader.parseNew(outer.toJson(), "file")))
                .withCommon(outer.common()));
        assertThrows(ConfigurationException.class, () -> ConfigBuilder.of(Outer.Builder.class, Outer.class)
                .inner(sample().mode(Sample.Mode.FAST).build()));
    }

    @Test
    void aBuilderHasNoMethodWithoutAComponent() {
        String message = assertThrows(IllegalStateException.class,
                () -> ConfigBuilder.of(Wrong.class, Sample.class)).getMessage();
        assertTrue(message.contains("rang"), message);
        assertThrows(IllegalStateException.class, () -> new Nameless(CommonConfig.defaults()).peftType());
    }
}
