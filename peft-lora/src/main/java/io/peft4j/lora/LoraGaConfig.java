package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * LoRA-GA (<a href="https://arxiv.org/abs/2407.05000">2407.05000</a>): A and B begin with singular vectors of the
 * gradient of the base weight, so that the first steps move the weight as full fine-tuning would.
 *
 * @param direction {@code direction}: which of the 2r largest go where; default {@link Direction#A_FIRST}
 * @param scale {@code scale}: how large B begins; default {@link Scale#STABLE}
 * @param stableGamma {@code stable_gamma}: gamma of {@link Scale#STABLE}; default 16
 */
public record LoraGaConfig(Direction direction, Scale scale, int stableGamma) implements StartConfig {
    /** Which singular vectors A and B take. */
    public enum Direction {
        /** B the first, third, ..., A the second, fourth, ... */
        ALTERNATING("ArBr"),
        /** B the first r, A the next r. */
        B_FIRST("A2rBr"),
        /** A the first r, B the next r; the default. */
        A_FIRST("ArB2r"),
        /** Both the same r, drawn at random. */
        RANDOM("random");

        private final String json;

        Direction(String json) {
            this.json = json;
        }
    }

    /** How large B begins. */
    public enum Scale {
        /** B times {@code out^(1/4) / sqrt(gamma)}; the default. */
        STABLE("stable"),
        /** B times the largest singular value of the weight over the first that B took. */
        WEIGHT_SVD("weight_svd"),
        /** A and B divided by the adapter's scaling. */
        GD_SCALE("gd_scale"),
        /** As they are. */
        UNIT("unit");

        private final String json;

        Scale(String json) {
            this.json = json;
        }
    }

    /**
     * Checks gamma.
     *
     * @throws ConfigurationException when gamma is below 1
     */
    public LoraGaConfig {
        Objects.requireNonNull(direction, "direction");
        Objects.requireNonNull(scale, "scale");
        Targets.require(stableGamma >= 1, "stable_gamma is " + stableGamma + "; it must be at least 1");
    }

    /** Hugging Face PEFT's defaults. */
    public static LoraGaConfig defaults() {
        return new LoraGaConfig(Direction.A_FIRST, Scale.STABLE, 16);
    }

    static LoraGaConfig read(ConfigReader reader) {
        LoraGaConfig config = new LoraGaConfig(
                named(reader, "direction", Direction.A_FIRST.json, Direction.values(), value -> value.json),
                named(reader, "scale", Scale.STABLE.json, Scale.values(), value -> value.json),
                reader.integer("stable_gamma", 16, 1));
        reader.end();
        return config;
    }

    private static <T> T named(ConfigReader reader, String key, String fallback, T[] values, Function<T, String> json) {
        String name = reader.text(key, fallback);
        List<String> names = Arrays.stream(values).map(json).toList();
        if (!names.contains(name)) {
            throw new ConfigurationException(reader.source() + ": " + key + " is '" + name + "'; it must be one of "
                    + names);
        }
        return values[names.indexOf(name)];
    }

    @Override
    public String key() {
        return "lora_ga_config";
    }

    @Override
    public String toJson() {
        return ConfigWriter.nested().put("direction", direction.json).put("scale", scale.json)
                .put("stable_gamma", stableGamma).toJson();
    }
}
