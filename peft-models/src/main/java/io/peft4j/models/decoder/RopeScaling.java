package io.peft4j.models.decoder;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The frequencies of a rotary position embedding by the kind of scaling that a configuration names, as Hugging Face
 * Transformers computes them: {@code default}; {@code linear}; {@code dynamic} NTK; {@code yarn}
 * (<a href="https://arxiv.org/abs/2309.00071">2309.00071</a>); {@code llama3}; {@code longrope}
 * (<a href="https://arxiv.org/abs/2402.13753">2402.13753</a>); {@code proportional}, which turns a part of the pairs;
 * and {@code divisors}, which a GGUF file lists one by one.
 *
 * <p>Those of {@code dynamic} and {@code longrope} depend on the length of a sequence. In Transformers that is the
 * longest one of a batch; here it is each one's own, so that a result does not depend on what else is in the batch. A
 * key in the cache keeps the frequencies of the pass that it was computed in.
 */
final class RopeScaling {
    private static final Logger LOG = LoggerFactory.getLogger(RopeScaling.class);
    private static final int LONGEST_DYNAMIC = 1 << 20;

    private final float[] inverseFrequencies;
    private final float attentionFactor;
    /** Up to this length the frequencies are the first ones. */
    private final int originalLength;
    private final Longer longer;

    /** The frequencies of sequences that are longer than the original length. */
    private interface Longer {
        /** A length with the same frequencies, one for all lengths that share them. */
        int representative(int length);

        float[] inverseFrequencies(int length);
    }

    private RopeScaling(float[] inverseFrequencies, double attentionFactor, int originalLength, Longer longer) {
        this.inverseFrequencies = inverseFrequencies;
        this.attentionFactor = (float) attentionFactor;
        this.originalLength = originalLength;
        this.longer = longer;
    }

    private static RopeScaling fixed(float[] inverseFrequencies, double attentionFactor) {
        return new RopeScaling(inverseFrequencies, attentionFactor, Integer.MAX_VALUE, null);
    }

    static RopeScaling of(ModelConfig config, ModelConfig rope, double theta, int rotated) {
        String type = rope == config ? "default" : type(rope);
        float[] plain = plain(theta, rotated);
        int longest = config.optionalPositive("max_position_embeddings").orElse(2048);
        int outside = config.optionalPositive("original_max_position_embeddings").orElse(longest);
        int original = rope.optionalPositive("original_max_position_embeddings").orElse(outside);
        return switch (type) {
            case "default", "mrope" -> fixed(plain, 1);
            case "linear" -> fixed(divided(plain, (float) rope.number("factor", 1)), 1);
            case "dynamic" -> dynamic(rope, theta, rotated, longest);
            case "yarn" -> yarn(plain, theta, rope, original, longest);
            case "llama3" -> fixed(llama3(plain, rope, original), 1);
            case "longrope", "su" -> longRope(plain, config, rope, original, longest);
            case "divisors" -> fixed(divided(plain, divisors(config, rope, "divisors", plain.length)), 1);
            default -> throw config.unsupported("rope_type", type,
                    "default, linear, dynamic, yarn, llama3, longrope");
        };
    }

    /**
     * Frequencies of a whole head of which the first share turns; the other pairs stay as they are.
     *
     * @param factor what the frequencies are divided by
     */
    static RopeScaling proportional(double theta, int headSize, double share, double factor) {
        float[] frequencies = plain(theta, headSize);
        int turning = (int) (share * headSize / 2);
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = i < turning ? (float) (frequencies[i] / factor) : 0;
        }
        return fixed(frequencies, 1);
    }

    /** With {@code alpha}, as Hunyuan has it, a factor on the base whatever the length. */
    private static RopeScaling dynamic(ModelConfig rope, double theta, int rotated, int longest) {
        double factor = rope.number("factor", 1);
        double alpha = rope.number("alpha", 0);
        return alpha != 0 ? fixed(plain(stretched(theta, alpha, rotated), rotated), 1)
                : new RopeScaling(plain(theta, rotated), 1, longest, ntk(theta, rotated, factor, longest));
    }

    /** The longest sequence of a model: {@code dynamic} scaling has no limit of its own, and warns. */
    static int longest(ModelConfig config) {
        int stated = config.optionalPositive("max_position_embeddings").orElse(2048);
        return config.object("rope_parameters").or(() -> config.object("rope_scaling"))
                .filter(rope -> type(rope).equals("dynamic"))
                .map(rope -> Math.max(stated, LONGEST_DYNAMIC)).orElse(stated);
    }

    private static String type(ModelConfig rope) {
        return rope.text("rope_type").or(() -> rope.text("type")).orElse("default");
    }

    /** Whether frequencies depend on the length of a sequence. */
    boolean dependsOnLength() {
        return longer != null;
    }

    /** A length with the same frequencies, one for all lengths that share them. */
    int representative(int length) {
        return length <= originalLength ? 1 : longer.representative(length);
    }

    /** One a pair of elements, for sequences of {@code length} tokens. */
    float[] inverseFrequencies(int length) {
        return length <= originalLength ? inverseFrequencies : longer.inverseFrequencies(length);
    }

    /** Factor on cosines and sines. */
    float attentionFactor() {
        return attentionFactor;
    }

    private static double stretched(double theta, double growth, int rotated) {
        return theta * Math.pow(growth, rotated / (rotated - 2.0));
    }

    private static float[] plain(double theta, int rotated) {
        float[] result = new float[rotated / 2];
        for (int i = 0; i < result.length; i++) {
            result[i] = (float) (1 / Math.pow(theta, 2.0 * i / rotated));
        }
        return result;
    }

    private static float[] divided(float[] frequencies, float... divisors) {
        float[] result = new float[frequencies.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = frequencies[i] / divisors[divisors.length == 1 ? 0 : i];
        }
        return result;
    }

    private static float[] divisors(ModelConfig config, ModelConfig rope, String key, int count) {
        List<Double> list = rope.numbers(key).orElse(List.of());
        if (list.size() != count) {
            throw new FileFormatException(config.file(), key + " has " + list.size() + " rotary factors for "
                    + count + " frequencies");
        }
        float[] divisors = new float[count];
        for (int i = 0; i < count; i++) {
            divisors[i] = list.get(i).floatValue();
            if (!(divisors[i] > 0)) {
                throw new FileFormatException(config.file(), key + " holds " + list.get(i)
                        + ", which is not a positive number");
            }
        }
        return divisors;
    }

    /** Dynamic NTK: beyond the original length the base grows with the length. */
    private static Longer ntk(double theta, int rotated, double factor, int original) {
        AtomicBoolean warned = new AtomicBoolean();
        return new Longer() {
            @Override
            public int representative(int length) {
                return length;
            }

            @Override
            public float[] inverseFrequencies(int length) {
                if (length > factor * original && !warned.getAndSet(true)) {
                    LOG.warn("a sequence of {} tokens is longer than max_position_embeddings {} times the factor {} of "
                            + "the dynamic rotary scaling; answers may get worse", length, original, factor);
                }
                double growth = factor * length / original - (factor - 1);
                return plain(stretched(theta, growth, rotated), rotated);
            }
        };
    }

    /** Llama 3.1: low frequencies are divided by the factor, high ones kept, those between blended by wavelength. */
    private static float[] llama3(float[] plain, ModelConfig rope, int original) {
        double factor = rope.number("factor", 8);
        double low = rope.number("low_freq_factor", 1);
        double high = rope.number("high_freq_factor", 4);
        float[] result = plain.clone();
        for (int i = 0; i < result.length; i++) {
            double frequency = result[i];
            double wavelength = 2 * Math.PI / frequency;
            if (wavelength > original / low) {
                result[i] = (float) (frequency / factor);
            } else if (wavelength >= original / high) {
                double share = (original / wavelength - low) / (high - low);
                result[i] = (float) ((1 - share) * frequency / factor + share * frequency);
            }
        }
        return result;
    }

    /** Frequencies that turn often over the original length are kept, those that turn rarely are divided. */
    private static RopeScaling yarn(float[] plain, double theta, ModelConfig rope, int original, int longest) {
        double factor = rope.number("factor", (double) longest / original);
        double mscale = rope.number("mscale", 0);
        double mscaleAll = rope.number("mscale_all_dim", 0);
        double usual = mscale != 0 && mscaleAll != 0 ? magnitude(factor, mscale) / magnitude(factor, mscaleAll)
                : magnitude(factor, 1);
        int rotated = 2 * plain.length;
        double low = turning(nonZero(rope.number("beta_fast", 32), 32), rotated, theta, original);
        double high = turning(nonZero(rope.number("beta_slow", 1), 1), rotated, theta, original);
        if (rope.flag("truncate", true)) {
            low = Math.floor(low);
            high = Math.ceil(high);
        }
        low = Math.max(low, 0);
        high = Math.min(high, rotated - 1);
        double width = low == high ? 0.001 : high - low;
        float[] result = new float[plain.length];
        for (int i = 0; i < result.length; i++) {
            double kept = 1 - Math.max(0, Math.min(1, (i - low) / width));
            result[i] = (float) (plain[i] / factor * (1 - kept) + plain[i] * kept);
        }
        return fixed(result, rope.number("attention_factor", usual));
    }

    private static double nonZero(double value, double otherwise) {
        return value == 0 ? otherwise : value;
    }

    /** The pair of elements that turns so many times over the original length. */
    private static double turning(double times, int rotated, double theta, int original) {
        return rotated * Math.log(original / (times * 2 * Math.PI)) / (2 * Math.log(theta));
    }

    /** YaRN's factor on attention for a longer context. */
    static double magnitude(double factor, double scale) {
        return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
    }

    private static RopeScaling longRope(float[] plain, ModelConfig config, ModelConfig rope, int original,
            int longest) {
        float[] brief = divided(plain, divisors(config, rope, "short_factor", plain.length));
        float[] extended = divided(plain, divisors(config, rope, "long_factor", plain.length));
        double factor = rope.number("factor", (double) longest / original);
        double usual = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
        return new RopeScaling(brief, rope.number("attention_factor", usual), original, new Longer() {
            @Override
            public int representative(int length) {
                return original + 1;
            }

            @Override
            public float[] inverseFrequencies(int length) {
                return extended;
            }
        });
    }
}
