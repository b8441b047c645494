package io.peft4j.models.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.GgufRotaryForm;
import io.peft4j.models.architecture.ModelConfig;

/** The sizes of a model as metadata of a GGUF file: the way back from {@link GgufConfig}. */
final class GgufHyperparameters {
    /** The key that says which layers have a window. */
    static final String WINDOWS = "attention.sliding_window_pattern";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ModelConfig config;
    private final GgufForm form;
    private final String prefix;
    private final GgufWriter writer;

    private GgufHyperparameters(ModelConfig config, GgufForm form, GgufWriter writer) {
        this.config = config;
        this.form = form;
        this.prefix = form.architecture() + ".";
        this.writer = writer;
    }

    /**
     * Adds them to a file.
     *
     * @throws ConfigurationException when llama.cpp has no place for something that the configuration says
     */
    static void write(GgufWriter writer, ModelConfig config, GgufForm form) {
        form.requireWritable(config);
        ObjectNode filled = config.values().deepCopy();
        form.fill(filled);
        GgufHyperparameters parameters = new GgufHyperparameters(new ModelConfig(config.file(), filled), form, writer);
        form.fixed().forEach(parameters::requireFixed);
        form.keys().forEach(parameters::put);
        parameters.heads();
        parameters.windows();
        form.add(writer, config);
        writer.uint32(parameters.prefix + "vocab_size", config.positive("vocab_size"));
    }

    /** The number of elements of a head. */
    static int headSize(ModelConfig config, GgufForm form) {
        return config.optionalPositive("head_dim").orElseGet(() -> config.positive(form.configKey("embedding_length"))
                / config.positive(form.configKey("attention.head_count")));
    }

    private void requireFixed(String key, Object value) {
        JsonNode expected = JSON.valueToTree(value);
        JsonNode actual = config.values().path(key);
        boolean same = expected.isNumber() && actual.isNumber() ? expected.doubleValue() == actual.doubleValue()
                : expected.equals(actual);
        if (!actual.isMissingNode() && !actual.isNull() && !same) {
            throw new ConfigurationException("the model's " + key + " is " + actual + ", and llama.cpp computes models "
                    + "of the architecture " + form.architecture() + " with " + expected + " only");
        }
    }

    private void put(GgufKey key) {
        if (key.isOptional() && !config.has(key.config())) {
            return;
        }
        String name = prefix + key.gguf();
        switch (key.kind()) {
            case COUNT, OPTIONAL_COUNT -> writer.uint32(name, limited(key, key.fallback().isEmpty()
                    ? config.positive(key.config())
                    : config.optionalPositive(key.config()).orElse(Integer.parseInt(key.fallback()))));
            case COUNT_OR_NONE -> writer.uint32(name, Math.max(0, config.optionalInteger(key.config())
                    .orElse(Integer.parseInt(key.fallback()))));
            case FLAG, OPTIONAL_FLAG ->
                writer.bool(name, config.flag(key.config(), Boolean.parseBoolean(key.fallback())));
            default -> writer.float32(name, (float) config.number(key.config(),
                    key.fallback().isEmpty() ? 0 : Double.parseDouble(key.fallback())));
        }
    }

    private int limited(GgufKey key, int value) {
        boolean limits = key.gguf().equals("context_length") && !form.limitKey().isEmpty();
        return limits ? config.optionalPositive(form.limitKey()).map(limit -> Math.min(limit, value)).orElse(value)
                : value;
    }

    /** Which layers have a window, where it is not the usual ones. */
    private void windows() {
        int layers = config.positive(form.configKey("block_count"));
        int usual = form.windowPeriod();
        // Where the key is there without a value, no layer has a window.
        if (usual == 0 || config.values().path("sliding_window").isNull()) {
            return;
        }
        int period = config.optionalPositive("sliding_window_pattern")
                .or(() -> config.optionalPositive("_sliding_window_pattern")).orElse(usual);
        JsonNode types = config.values().path("layer_types");
        boolean[] slides = new boolean[layers];
        boolean differs = false;
        for (int i = 0; i < layers; i++) {
            slides[i] = types.has(i) ? types.get(i).asText().equals("sliding_attention") : (i + 1) % period != 0;
            differs |= slides[i] != ((i + 1) % usual != 0);
        }
        if (differs) {
            writer.bools(prefix + WINDOWS, slides);
        }
    }

    private void heads() {
        if (form.hasKey("attention.head_count_kv") && !config.has(form.configKey("attention.head_count_kv"))) {
            writer.uint32(prefix + "attention.head_count_kv",
                    config.positive(form.configKey("attention.head_count")));
        }
        if (form.rotary().exists()) {
            int size = headSize(config, form);
            GgufForm.HeadSizes sizes = form.headSizes(config)
                    .orElseGet(() -> new GgufForm.HeadSizes(size, size, rotated(config, form)));
            int rotated = sizes.rotated();
            writer.uint32(prefix + "attention.key_length", sizes.key())
                    .uint32(prefix + "attention.value_length", sizes.value());
            writer.uint32(prefix + "rope.dimension_count", rotated);
            GgufRotary.write(writer, form.rotary(), prefix, config, rotated);
        }
    }

    private static int rotated(ModelConfig config, GgufForm form) {
        int size = headSize(config, form);
        GgufRotaryForm rotary = form.rotary();
        if (!rotary.isPartial()) {
            return size;
        }
        ModelConfig parameters = GgufRotary.parameters(config);
        return (int) (size * parameters.number("partial_rotary_factor",
                config.number(rotary.shareKey(), rotary.share())));
    }
}
