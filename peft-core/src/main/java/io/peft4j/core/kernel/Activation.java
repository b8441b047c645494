package io.peft4j.core.kernel;

import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A function of each element, as feed-forward layers, poolers and gates have it. */
public enum Activation {
    /** {@code x * sigmoid(x)}, also called swish (<a href="https://arxiv.org/abs/1702.03118">1702.03118</a>). */
    SILU("silu", "swish"),
    /** {@code x * (1 + erf(x / sqrt(2))) / 2} (<a href="https://arxiv.org/abs/1606.08415">1606.08415</a>). */
    GELU("gelu", "gelu_python"),
    /** {@code x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2}: the approximation of {@link #GELU}. */
    GELU_TANH("gelu_pytorch_tanh", "gelu_new", "gelu_fast", "gelu_accurate", "gelu_python_tanh"),
    /** {@code max(x, 0)}; its slope at 0 is 0. */
    RELU("relu"),
    /** {@code max(x, 0)^2} (<a href="https://arxiv.org/abs/2109.08668">2109.08668</a>). */
    RELU_SQUARED("relu2"),
    /** {@code x * sigmoid(1.702 x)}. */
    QUICK_GELU("quick_gelu"),
    /** The hyperbolic tangent. */
    TANH("tanh"),
    /** {@code 1 / (1 + exp(-x))}. */
    SIGMOID("sigmoid");

    private static final Map<String, Activation> BY_NAME = Stream.of(values())
            .flatMap(f -> f.names.stream().map(name -> Map.entry(name, f)))
            .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue, (a, b) -> a, TreeMap::new));

    private final List<String> names;

    Activation(String... names) {
        this.names = List.of(names);
    }

    /**
     * The activation that Hugging Face Transformers calls {@code name}, as a {@code config.json} has it at
     * {@code hidden_act} or {@code activation_function}.
     *
     * @throws ConfigurationException when there is none of that name; the message lists the known ones
     */
    public static Activation of(String name) {
        Activation known = BY_NAME.get(name);
        if (known == null) {
            throw new ConfigurationException("unknown activation '" + name + "'; use one of " + BY_NAME.keySet());
        }
        return known;
    }
}
