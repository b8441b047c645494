package io.peft4j.models.llama;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.kernel.RotaryTable;
import io.peft4j.models.architecture.ModelConfig;

/**
 * The rotary position embedding of a model (RoFormer, <a href="https://arxiv.org/abs/2104.09864">2104.09864</a>):
 * {@code inverseFrequency[i] = theta^(-2i/D)}, rescaled where the configuration asks for it. The table of angles grows
 * with the longest sequence seen. Safe for use by many threads.
 */
final class RotaryEmbedding {
    private static final int FIRST_POSITIONS = 512;

    private final float[] inverseFrequencies;
    private volatile RotaryTable table;

    RotaryEmbedding(ModelConfig config, int headDim) {
        ModelConfig scaling = config.object("rope_parameters").or(() -> config.object("rope_scaling"))
                .orElse(config);
        double theta = scaling.number("rope_theta", config.number("rope_theta", 10000));
        inverseFrequencies = new float[headDim / 2];
        for (int i = 0; i < inverseFrequencies.length; i++) {
            inverseFrequencies[i] = (float) (1 / Math.pow(theta, 2.0 * i / headDim));
        }
        if (scaling != config) {
            rescale(config, scaling);
        }
        table = new RotaryTable(inverseFrequencies, FIRST_POSITIONS, 1f);
    }

    /** A table with at least {@code positions} positions. */
    RotaryTable table(int positions) {
        RotaryTable current = table;
        if (current.positions() < positions) {
            current = new RotaryTable(inverseFrequencies, Math.max(positions, 2 * current.positions()), 1f);
            table = current;
        }
        return current;
    }

    private void rescale(ModelConfig config, ModelConfig scaling) {
        String type = scaling.text("rope_type").or(() -> scaling.text("type")).orElse("default");
        switch (type) {
            case "default" -> { }
            case "linear" -> divideAll((float) scaling.number("factor", 1));
            case "llama3" -> rescaleAsLlama3(scaling);
            case "divisors" -> divideEach(config, scaling);
            default -> throw config.unsupported("rope_type", type, "default, linear, llama3");
        }
    }

    private void divideAll(float factor) {
        for (int i = 0; i < inverseFrequencies.length; i++) {
            inverseFrequencies[i] /= factor;
        }
    }

    private void divideEach(ModelConfig config, ModelConfig scaling) {
        var divisors = scaling.values().path("divisors");
        if (divisors.size() != inverseFrequencies.length) {
            throw new FileFormatException(config.file(), divisors.size() + " rotary factors for "
                    + inverseFrequencies.length + " frequencies");
        }
        for (int i = 0; i < inverseFrequencies.length; i++) {
            inverseFrequencies[i] /= divisors.get(i).floatValue();
        }
    }

    /** Llama 3.1: low frequencies are divided by the factor, high ones kept, those between blended by wavelength. */
    private void rescaleAsLlama3(ModelConfig scaling) {
        double factor = scaling.number("factor", 8);
        double low = scaling.number("low_freq_factor", 1);
        double high = scaling.number("high_freq_factor", 4);
        double original = scaling.number("original_max_position_embeddings", 8192);
        for (int i = 0; i < inverseFrequencies.length; i++) {
            double frequency = inverseFrequencies[i];
            double wavelength = 2 * Math.PI / frequency;
            if (wavelength > original / low) {
                inverseFrequencies[i] = (float) (frequency / factor);
            } else if (wavelength >= original / high) {
                double share = (original / wavelength - low) / (high - low);
                inverseFrequencies[i] = (float) ((1 - share) * frequency / factor + share * frequency);
            }
        }
    }
}
