package io.peft4j.eval.judge;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.data.grader.Grader;
import io.peft4j.data.grader.GraderObject;
import io.peft4j.data.grader.GraderTemplate;
import io.peft4j.data.grader.GraderTools;
import io.peft4j.data.grader.GraderType;
import io.peft4j.eval.metric.GraderMetrics;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleBiFunction;

/**
 * {@code text_similarity}: how near the input is to the reference, from 0 to 1, by {@link GraderMetrics} or the
 * {@code cosine} of embeddings.
 */
@Internal
public final class TextSimilarity implements GraderType {
    private static final String COSINE = "cosine";
    /** Some metrics compare each character of one text with each of the other: a second or so. */
    private static final long MOST_STEPS = 1L << 28;

    @Override
    public String name() {
        return "text_similarity";
    }

    @Override
    public Grader read(GraderObject object, GraderTools tools) {
        Map<String, ToDoubleBiFunction<String, String>> metrics = GraderMetrics.all();
        List<String> names = new ArrayList<>(metrics.keySet());
        names.add(COSINE);
        String metric = object.word("evaluation_metric", names);
        GraderTemplate input = object.template("input");
        GraderTemplate reference = object.template("reference");
        // What passes is for evals; a grader's score is the number itself.
        object.ignore("pass_threshold");
        ToDoubleBiFunction<String, String> score = metric.equals(COSINE) ? (a, b) -> cosine(tools, a, b)
                : (a, b) -> metrics.get(metric).applyAsDouble(requireFew(a, b), b);
        return (item, answer) -> score.applyAsDouble(input.fill(item, answer), reference.fill(item, answer));
    }

    /**
     * The text, unless comparing it takes too long.
     *
     * @throws ConfigurationException when both texts are very long
     */
    static String requireFew(String text, String reference) {
        if ((long) text.length() * reference.length() > MOST_STEPS) {
            throw new ConfigurationException("compares a text of " + text.length() + " characters with one of "
                    + reference.length() + "; up to " + MOST_STEPS + " pairs of them are compared");
        }
        return text;
    }

    private static double cosine(GraderTools tools, String input, String reference) {
        List<float[]> vectors = tools.embed(List.of(input, reference));
        return Similarity.cosine(vectors.get(0), vectors.get(1));
    }
}
