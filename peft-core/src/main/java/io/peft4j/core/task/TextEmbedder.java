package io.peft4j.core.task;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.NearNames;
import io.peft4j.core.model.HeadedNetwork;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import java.util.List;
import java.util.Objects;

/**
 * Makes a vector of a text, so that texts of similar meaning are near each other. What the model's folder says of
 * pooling, normalization and prompts is followed as it is written.
 *
 * <pre>{@code
 * TextEmbedder embedder = new TextEmbedder(model);
 * double similarity = TextEmbedder.cosine(embedder.embed("notice period"), embedder.embed("How do I resign?"));
 * }</pre>
 */
public final class TextEmbedder {
    private final Model model;
    private final HeadedNetwork network;

    /**
     * An embedder.
     *
     * @throws ConfigurationException when the model was loaded for another task than FEATURE_EXTRACTION
     */
    public TextEmbedder(Model model) {
        this.model = Objects.requireNonNull(model, "model");
        HeadPasses.require(model, Task.Type.FEATURE_EXTRACTION);
        this.network = model.network().headed();
    }

    /** The vector of a text, with the model's default prompt where it has one. */
    public float[] embed(String text) {
        return embed(List.of(text)).get(0);
    }

    /** The vectors of texts, in their order. */
    public List<float[]> embed(List<String> texts) {
        return prompted(texts, network.defaultPrompt().map(network.prompts()::get).orElse(""));
    }

    /**
     * The vectors of texts with one of the model's prompts before them.
     *
     * @param prompt its name, for instance {@code query}
     * @throws ConfigurationException when the model has no prompt of that name
     */
    public List<float[]> embed(List<String> texts, String prompt) {
        if (!network.prompts().containsKey(prompt)) {
            throw new ConfigurationException("unknown prompt '" + prompt + "'; "
                    + NearNames.sentence(prompt, network.prompts().keySet()));
        }
        return prompted(texts, network.prompts().get(prompt));
    }

    private List<float[]> prompted(List<String> texts, String prompt) {
        TextEncoder encoder = TextEncoder.of(model);
        return HeadPasses.outputs(model, texts.stream().map(text -> encoder.text(prompt + text)).toList());
    }

    /** The cosine of the angle between two vectors; 0 where one of them is 0. */
    public static double cosine(float[] a, float[] b) {
        double product = 0;
        double squaresOfA = 0;
        double squaresOfB = 0;
        for (int i = 0; i < a.length; i++) {
            product += (double) a[i] * b[i];
            squaresOfA += (double) a[i] * a[i];
            squaresOfB += (double) b[i] * b[i];
        }
        double norm = Math.sqrt(squaresOfA * squaresOfB);
        return norm == 0 ? 0 : product / norm;
    }
}
