package io.peft4j.models.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;

/** The sizes of a model as metadata of a GGUF file: the way back from {@link GgufConfig}. */
final class GgufHyperparameters {
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
        GgufHyperparameters parameters = new GgufHyperparameters(config, form, writer);
        form.fixed().forEach(parameters::requireFixed);
        form.keys().forEach(parameters::put);
        parameters.heads();
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
            case COUNT, OPTIONAL_COUNT -> writer.uint32(name, key.fallback().isEmpty() ? config.positive(key.config())
                    : config.optionalPositive(key.config()).orElse(Integer.parseInt(key.fallback())));
            case FLAG -> writer.bool(name, config.flag(key.config(), Boolean.parseBoolean(key.fallback())));
            default -> writer.float32(name, (float) config.number(key.config(),
                    key.fallback().isEmpty() ? 0 : Double.parseDouble(key.fallback())));
        }
    }

    private void heads() {
        int size = headSize(config, form);
        if (form.hasKey("attention.head_count_kv") && !config.has(form.configKey("attention.head_count_kv"))) {
            writer.uint32(prefix + "attention.head_count_kv",
                    config.positive(form.configKey("attention.head_count")));
        }
        if (form.isRotary()) {
            // Newer configurations have the base in an object of its own.
            double base = config.number(form.rotaryBaseKey(), form.rotaryBase());
            writer.float32(prefix + "rope.freq_base",
                    (float) GgufRotary.parameters(config).number(form.rotaryBaseKey(), base));
            writer.uint32(prefix + "attention.key_length", size).uint32(prefix + "attention.value_length", size);
            int rotated = rotated(config, form);
            writer.uint32(prefix + "rope.dimension_count", rotated);
            GgufRotary.write(writer, prefix, config, rotated);
        }
    }

    private static int rotated(ModelConfig config, GgufForm form) {
        int size = headSize(config, form);
        if (form.rotaryShareKey().isEmpty()) {
            return size;
        }
        double share = config.number(form.rotaryShareKey(), form.rotaryShare());
        return (int) (size * GgufRotary.parameters(config).number(form.rotaryShareKey(), share));
    }
}
