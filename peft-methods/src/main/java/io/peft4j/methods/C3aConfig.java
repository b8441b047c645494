package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * C3A (<a href="https://arxiv.org/abs/2407.19342">2407.19342</a>): a weight [out, in] is changed by a matrix of
 * circulant blocks of size B, each given by one trained row: {@code out * in / B} parameters a layer.
 *
 * <p>Values are Hugging Face PEFT's. A training is not: PEFT 0.21 computes a wrong gradient for the input of a layer.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param blockSize {@code block_size}: B, a divisor of both sides of each weight; default 256
 * @param blockSizePattern {@code block_size_pattern}: other sizes, by expressions for the end of a path from the
 *     beginning of one of its parts, the first that matches, or else by a whole path ({@link
 *     io.peft4j.core.peft.PathPatterns#belowAnother}); default none
 * @param start {@code init_weights}: how the rows begin; default {@link Start#XAVIER_UNIFORM}
 */
public record C3aConfig(CommonConfig common, Placement placement, int blockSize,
        Map<String, Integer> blockSizePattern, Start start) implements PeftConfig {
    static final String PEFT_TYPE = "C3A";
    private static final PlacementJson PLACEMENT = new PlacementJson(EnumSet.of(PlacementJson.Key.LAYERS,
            PlacementJson.Key.SAVE, PlacementJson.Key.BIAS), "c3a_only");

    /** How the rows of a new adapter begin. */
    public enum Start {
        /** Uniform in {@code sqrt(6 / (in + out))}. */
        XAVIER_UNIFORM("\"xavier_uniform\""),
        /** Uniform in {@code sqrt(1 / in)}. */
        KAIMING_UNIFORM("\"kaiming_uniform\""),
        /** Normal with standard deviation 1. */
        GAUSSIAN("\"gaussian\""),
        /** 0, so that the model begins as the base. */
        ZERO("true");

        private final String json;

        Start(String json) {
            this.json = json;
        }
    }

    /**
     * Checks the block size.
     *
     * @throws ConfigurationException when it is below 1
     */
    public C3aConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(placement, "placement");
        Objects.requireNonNull(start, "start");
        blockSizePattern = Collections.unmodifiableMap(new LinkedHashMap<>(blockSizePattern));
        PlacementJson.require(blockSize > 0, "block_size is " + blockSize + "; it must be at least 1");
    }

    /** Hugging Face PEFT's defaults. */
    public static C3aConfig defaults() {
        return new C3aConfig(CommonConfig.defaults(), Placement.defaults(), 256, Map.of(), Start.XAVIER_UNIFORM);
    }

    /** The same at other places. */
    public C3aConfig withPlacement(Placement other) {
        return new C3aConfig(common, other, blockSize, blockSizePattern, start);
    }

    /** The same with other blocks. */
    public C3aConfig withBlockSize(int size) {
        return new C3aConfig(common, placement, size, blockSizePattern, start);
    }

    /** The same with other blocks by expression. */
    public C3aConfig withBlockSizePattern(Map<String, Integer> pattern) {
        return new C3aConfig(common, placement, blockSize, pattern, start);
    }

    /** The same with another beginning. */
    public C3aConfig withStart(Start other) {
        return new C3aConfig(common, placement, blockSize, blockSizePattern, other);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public C3aConfig withCommon(CommonConfig other) {
        return new C3aConfig(other, placement, blockSize, blockSizePattern, start);
    }

    @Override
    public TargetModules targetModules() {
        return placement.targetModules();
    }

    static C3aConfig read(ConfigReader reader) {
        Placement placement = PLACEMENT.read(reader);
        int size = reader.integer("block_size", 256, 1);
        Map<String, Integer> pattern = reader.integers("block_size_pattern");
        Optional<String> json = reader.json("init_weights");
        // false means the default in Hugging Face PEFT.
        String text = json.filter(value -> !value.equals("false")).orElse(Start.XAVIER_UNIFORM.json);
        Start start = Arrays.stream(Start.values()).filter(value -> value.json.equals(text)).findFirst()
                .orElseThrow(() -> new ConfigurationException(reader.source() + ": init_weights is " + text
                        + "; it must be true, false, \"gaussian\", \"kaiming_uniform\" or \"xavier_uniform\""));
        CommonConfig common = reader.common();
        return PlacementJson.checked(reader, () -> new C3aConfig(common, placement, size, pattern, start));
    }

    @Override
    public String toJson() {
        return PLACEMENT.write(placement, new ConfigWriter(PEFT_TYPE, common))
                .put("block_size", blockSize)
                .put("block_size_pattern", blockSizePattern)
                .putJson("init_weights", start.json)
                .toJson();
    }
}
