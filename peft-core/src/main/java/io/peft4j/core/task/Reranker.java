package io.peft4j.core.task;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.TokenSequence;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Says how well texts answer a query: a cross-encoder, which reads the query with each text. It judges better than the
 * vectors of a {@link TextEmbedder}, and costs a pass for each text, so it orders what a search has found.
 *
 * <pre>{@code
 * Reranker reranker = new Reranker(model);
 * int best = reranker.rank("How do I resign?", passages).get(0).index();
 * }</pre>
 */
public final class Reranker {
    private final Model model;
    private final TextEncoder encoder;
    private final boolean logits;

    /**
     * A reranker.
     *
     * @throws ConfigurationException when the model was loaded for another task than SEQ_CLS, or has not one label
     */
    public Reranker(Model model) {
        this.model = Objects.requireNonNull(model, "model");
        HeadPasses.require(model, Task.Type.SEQ_CLS);
        if (!isFor(model.network().task())) {
            throw new ConfigurationException(model.network().description().name() + " has the labels "
                    + model.network().task().labels() + "; a reranker has one output");
        }
        this.encoder = TextEncoder.of(model);
        this.logits = model.network().headed().scoresAreLogits();
    }

    /** Whether a model for a task is a reranker: it has one output. */
    public static boolean isFor(Task task) {
        return task.type() == Task.Type.SEQ_CLS && task.labels().size() == 1;
    }

    /**
     * A text with its score.
     *
     * @param index its place among the texts that were given
     * @param score how well it answers the query: from 0 to 1, or where the model's folder says so any number
     */
    public record Ranked(int index, double score) {
    }

    /** The scores of texts for a query, in their order. */
    public double[] scores(String query, List<String> texts) {
        return scoresOf(texts.stream().map(text -> sequence(query, text)).toList());
    }

    /** The texts for a query, the best first; of equal ones the first. */
    public List<Ranked> rank(String query, List<String> texts) {
        double[] scores = scores(query, texts);
        return IntStream.range(0, scores.length).mapToObj(i -> new Ranked(i, scores[i]))
                .sorted(Comparator.comparingDouble(Ranked::score).reversed()).toList();
    }

    /** What the model reads of a query and a text; what is too long is cut from the longer one. */
    public TokenSequence sequence(String query, String text) {
        return encoder.pair(query, text);
    }

    /** The most tokens of a query and a text. */
    public int maxTokens() {
        return encoder.limit();
    }

    /** As {@link #scores}, for sequences that are made already. */
    public double[] scoresOf(List<TokenSequence> sequences) {
        return HeadPasses.outputs(model, sequences).stream().mapToDouble(output -> logits ? output[0]
                : TextClassifier.logistic(output)[0]).toArray();
    }
}
