package io.peft4j.models.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.gguf.GgufMetadata;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.RowReader;
import io.peft4j.models.architecture.GgufRotaryForm;
import io.peft4j.models.architecture.ModelConfig;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

/**
 * Scaled rotary embeddings in GGUF files: llama.cpp knows a factor for all frequencies, tensors with a divisor for each
 * (Llama 3.1's, or two of them for short and long texts, Phi's), and YaRN.
 */
final class GgufRotary {
    /** Divisors of the frequencies. */
    private static final String DIVISORS = "rope_freqs.weight";
    private static final String LONG_FACTORS = "rope_factors_long.weight";
    private static final String SHORT_FACTORS = "rope_factors_short.weight";
    private static final float UNROTATED = 1e30f;
    private static final String BASE = "rope.freq_base";
    private static final String LOCAL_BASE = "rope.freq_base_swa";
    private static final String ORIGINAL = "original_max_position_embeddings";

    private GgufRotary() {
    }

    /** Whether a tensor belongs to the rotary embedding and to no place of the model. */
    static boolean owns(String tensor) {
        return Set.of(DIVISORS, LONG_FACTORS, SHORT_FACTORS).contains(tensor);
    }

    /** Adds the bases of the frequencies, and {@code rope_scaling} where the file has a scaled embedding. */
    static void read(ObjectNode config, GgufRotaryForm form, GgufFile file, String prefix) {
        GgufMetadata metadata = file.metadata();
        config.put(form.baseKey(), GgufConfig.decimal(metadata.floating(prefix + BASE, 10000)));
        if (form.hasLocal()) {
            config.put(form.localBaseKey(),
                    GgufConfig.decimal(metadata.floating(prefix + LOCAL_BASE, form.localBase())));
        }
        String type = metadata.string(prefix + "rope.scaling.type", "none");
        String scaling = prefix + "rope.scaling.";
        if (file.names().contains(DIVISORS)) {
            putFactors(config.putObject("rope_scaling").put("rope_type", "divisors"), "divisors", file, DIVISORS);
        } else if (file.names().contains(LONG_FACTORS)) {
            ObjectNode node = config.putObject("rope_scaling").put("rope_type", "longrope");
            putFactors(node, "long_factor", file, LONG_FACTORS);
            putFactors(node, "short_factor", file, SHORT_FACTORS);
            putOriginal(node, metadata, scaling);
            config.put(ORIGINAL, metadata.integer(scaling + "original_context_length"));
            if (metadata.has(scaling + "attn_factor")) {
                node.put("attention_factor", GgufConfig.decimal(metadata.floating(scaling + "attn_factor")));
            }
        } else if (type.equals("linear") || type.equals("yarn")) {
            ObjectNode node = config.putObject("rope_scaling").put("rope_type", type)
                    .put("factor", GgufConfig.decimal(metadata.floating(scaling + "factor")));
            if (type.equals("yarn")) {
                putOriginal(node, metadata, scaling);
                putNumber(node, "beta_fast", metadata, scaling + "yarn_beta_fast");
                putNumber(node, "beta_slow", metadata, scaling + "yarn_beta_slow");
            }
        } else if (!type.equals("none")) {
            config.putObject("rope_scaling").put("rope_type", type);
        }
    }

    private static void putOriginal(ObjectNode node, GgufMetadata metadata, String scaling) {
        node.put(ORIGINAL, metadata.integer(scaling + "original_context_length"));
    }

    private static void putNumber(ObjectNode node, String key, GgufMetadata metadata, String ggufKey) {
        if (metadata.has(ggufKey)) {
            node.put(key, GgufConfig.decimal(metadata.floating(ggufKey)));
        }
    }

    private static void putFactors(ObjectNode node, String key, GgufFile file, String tensor) {
        ArrayNode factors = node.putArray(key);
        for (float factor : file.readFloats(tensor)) {
            factors.add(factor);
        }
    }

    /** Where a configuration has the parameters of the rotary embedding: newer ones in an object of their own. */
    static ModelConfig parameters(ModelConfig config) {
        Optional<ModelConfig> all = config.object("rope_parameters");
        return all.flatMap(kinds -> kinds.object("full_attention")).or(() -> all)
                .or(() -> config.object("rope_scaling")).orElse(config);
    }

    /**
     * Writes what {@link #read} reads.
     *
     * @param rotated how many elements of a head are rotated
     */
    static void write(GgufWriter writer, GgufRotaryForm form, String prefix, ModelConfig config, int rotated) {
        ModelConfig scaling = parameters(config);
        double base = scaling.number(form.baseKey(), scaling.number("rope_theta",
                config.number(form.baseKey(), form.base())));
        writer.float32(prefix + BASE, (float) base);
        if (form.hasLocal()) {
            double local = config.object("rope_parameters").flatMap(kinds -> kinds.object("sliding_attention"))
                    .orElse(config).number("rope_theta", config.number(form.localBaseKey(), form.localBase()));
            if (local != form.localBase()) {
                writer.float32(prefix + LOCAL_BASE, (float) local);
            }
        }
        String kind = scaling == config ? "default"
                : scaling.text("rope_type").or(() -> scaling.text("type")).orElse("default");
        switch (kind) {
            case "default" -> {
            }
            case "linear" -> writer.string(prefix + "rope.scaling.type", "linear")
                    .float32(prefix + "rope.scaling.factor", (float) scaling.number("factor", 1));
            case "yarn" -> yarn(writer, prefix + "rope.scaling.", config, scaling);
            case "llama3" -> addFactors(writer, DIVISORS, llama3Divisors(base, scaling, rotated));
            case "proportional" -> addFactors(writer, DIVISORS, unrotated(rotated,
                    scaling.number("partial_rotary_factor", 1)));
            case "divisors" -> addFactors(writer, DIVISORS, floats(scaling.values().path("divisors")));
            case "longrope", "su" -> {
                addFactors(writer, LONG_FACTORS, floats(scaling.values().path("long_factor")));
                addFactors(writer, SHORT_FACTORS, floats(scaling.values().path("short_factor")));
                int original = original(config, scaling);
                writer.string(prefix + "rope.scaling.type", "longrope");
                writer.uint32(prefix + "rope.scaling.original_context_length", original);
                writer.float32(prefix + "rope.scaling.attn_factor", (float) attentionFactor(config, scaling, original));
            }
            default -> throw new ConfigurationException("the rotary scaling \"" + kind
                    + "\" cannot be written as GGUF");
        }
    }

    /** Divisors under which the last of the frequencies turn nothing. */
    private static float[] unrotated(int rotated, double share) {
        float[] divisors = new float[rotated / 2];
        Arrays.fill(divisors, UNROTATED);
        Arrays.fill(divisors, 0, (int) (share * rotated / 2), 1);
        return divisors;
    }

    private static int original(ModelConfig config, ModelConfig scaling) {
        return scaling.optionalPositive(ORIGINAL).or(() -> config.optionalPositive(ORIGINAL))
                .orElseGet(() -> config.positive("max_position_embeddings"));
    }

    /** The default of LongRoPE: sqrt(1 + ln(s) / ln(original)), s the ratio of longest to original text. */
    private static double attentionFactor(ModelConfig config, ModelConfig scaling, int original) {
        double ratio = (double) config.positive("max_position_embeddings") / original;
        return scaling.number("attention_factor", ratio <= 1 ? 1 : Math.sqrt(1 + Math.log(ratio) / Math.log(original)));
    }

    private static void yarn(GgufWriter writer, String prefix, ModelConfig config, ModelConfig scaling) {
        double factor = scaling.number("factor", 1);
        double usual = 0.1 * Math.log(factor) + 1;
        for (String key : new String[] {"attention_factor", "mscale", "mscale_all_dim"}) {
            boolean isUsual = key.equals("attention_factor") && Math.abs(scaling.number(key, usual) - usual) < 1e-4;
            if (scaling.has(key) && !isUsual) {
                throw new ConfigurationException("the rotary scaling yarn has the " + key + " "
                        + scaling.values().get(key) + ", which llama.cpp does not support");
            }
        }
        writer.string(prefix + "type", "yarn").float32(prefix + "factor", (float) factor)
                .uint32(prefix + "original_context_length", original(config, scaling));
        for (String key : new String[] {"beta_fast", "beta_slow"}) {
            if (scaling.has(key)) {
                writer.float32(prefix + "yarn_" + key, (float) scaling.number(key, 1));
            }
        }
    }

    private static float[] floats(JsonNode values) {
        float[] floats = new float[values.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = values.get(i).floatValue();
        }
        return floats;
    }

    private static void addFactors(GgufWriter writer, String tensor, float[] factors) {
        writer.tensor(tensor, BlockType.F32, new long[] {factors.length},
                (RowReader) (row, target) -> System.arraycopy(factors, 0, target, 0, factors.length));
    }

    /** Long wavelengths are divided by the factor, short ones kept, those between blended, as Llama 3.1 has it. */
    private static float[] llama3Divisors(double theta, ModelConfig scaling, int rotated) {
        double factor = scaling.number("factor", 8);
        double low = scaling.number("low_freq_factor", 1);
        double high = scaling.number("high_freq_factor", 4);
        double original = scaling.number(ORIGINAL, 8192);
        float[] divisors = new float[rotated / 2];
        for (int i = 0; i < divisors.length; i++) {
            double wavelength = 2 * Math.PI * Math.pow(theta, 2.0 * i / rotated);
            double share = Math.max(0, Math.min(1, (original / wavelength - low) / (high - low)));
            divisors[i] = (float) (1 / ((1 - share) / factor + share));
        }
        return divisors;
    }
}
