package io.peft4j.core.task;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.model.HeadedNetwork;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.TokenSequence;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

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
        return prompted(texts, defaultPrompt());
    }

    /**
     * The vectors of texts with one of the model's prompts before them.
     *
     * @param prompt its name, for instance {@code query}
     * @throws ConfigurationException when the model has no prompt of that name
     */
    public List<float[]> embed(List<String> texts, String prompt) {
        return prompted(texts, prompt(prompt));
    }

    /**
     * The vectors of texts that are tokens already, special ones among them, in their order. No prompt is put before
     * them.
     *
     * @throws ConfigurationException when a text has more than {@link #maxTokens()}
     */
    public List<float[]> embedTokens(List<int[]> texts) {
        return HeadPasses.outputs(model, texts.stream().map(TokenSequence::unsupervised).toList());
    }

    /**
     * The tokens that are read of a text, not cut: special ones and those of a prompt among them.
     *
     * @param prompt the name of one of the model's prompts; empty for the default one, if there is one
     * @throws ConfigurationException when the model has no prompt of that name
     */
    public int[] tokens(String text, Optional<String> prompt) {
        String before = prompt.map(this::prompt).orElseGet(this::defaultPrompt);
        return model.tokenizer().encodeWithSpecials(before + text);
    }

    /** The most tokens of a text that the model reads. */
    public int maxTokens() {
        try (ModelLease lease = model.lease()) {
            return lease.maxPositions();
        }
    }

    private String defaultPrompt() {
        return network.defaultPrompt().map(network.prompts()::get).orElse("");
    }

    private String prompt(String name) {
        if (!network.prompts().containsKey(name)) {
            throw new ConfigurationException("unknown prompt '" + name + "'; "
                    + SimilarNames.sentence(name, network.prompts().keySet()));
        }
        return network.prompts().get(name);
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
