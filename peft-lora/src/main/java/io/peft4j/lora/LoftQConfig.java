package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;

/**
 * LoftQ (<a href="https://arxiv.org/abs/2310.08659">2310.08659</a>): the base weight W is replaced by a quantized Q,
 * and A and B begin with the r largest singular values of what is lost, {@code B A ~ W - Q}. More iterations quantize
 * {@code W - B A} and begin again.
 *
 * @param bits {@code loftq_bits}: 4, blocks of 64 values in NF4 (<a
 *     href="https://arxiv.org/abs/2305.14314">2305.14314</a>), or 8, rows in whole numbers up to 127 (<a
 *     href="https://arxiv.org/abs/2208.07339">2208.07339</a>); default 4
 * @param iterations {@code loftq_iter}: at least 1; default 1
 */
public record LoftQConfig(int bits, int iterations) implements StartConfig {
    /**
     * Checks the values.
     *
     * @throws ConfigurationException when bits are neither 4 nor 8, or there is no iteration
     */
    public LoftQConfig {
        Targets.require(bits == 4 || bits == 8, "loftq_bits is " + bits + "; it must be 4 or 8");
        Targets.require(iterations >= 1, "loftq_iter is " + iterations + "; it must be at least 1");
    }

    /** Hugging Face PEFT's defaults. */
    public static LoftQConfig defaults() {
        return new LoftQConfig(4, 1);
    }

    static LoftQConfig read(ConfigReader reader) {
        LoftQConfig defaults = defaults();
        int bits = reader.integer("loftq_bits", defaults.bits, 1);
        LoftQConfig config = Targets.checked(reader,
                () -> new LoftQConfig(bits, reader.integer("loftq_iter", defaults.iterations, 1)));
        reader.end();
        return config;
    }

    @Override
    public String key() {
        return "loftq_config";
    }

    @Override
    public String toJson() {
        return ConfigWriter.nested().put("loftq_bits", bits).put("loftq_iter", iterations).toJson();
    }
}
