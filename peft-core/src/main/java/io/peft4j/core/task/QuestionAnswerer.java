package io.peft4j.core.task;

import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.TokenSequence;
import java.util.List;
import java.util.Objects;

/**
 * Finds the answer to a question in a text, which may be longer than the model can read: it is read in windows that
 * overlap, and the best answer of all windows counts.
 */
public final class QuestionAnswerer {
    /** The most tokens that two windows have in common, as in transformers' examples. */
    private static final int STRIDE = 128;
    private static final int LONGEST_ANSWER = 30;

    private final Model model;

    /**
     * An answerer.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the model was loaded for another task than QUESTION_ANS
     */
    public QuestionAnswerer(Model model) {
        this.model = Objects.requireNonNull(model, "model");
        HeadPasses.require(model, Task.Type.QUESTION_ANS);
    }

    /**
     * An answer.
     *
     * @param text the answer as it is in the text; empty where the text has no token
     * @param start where it begins, in UTF-16 units
     * @param end where it ends
     * @param score the sum of the logits of its begin and its end
     * @param noAnswerScore the sum of both logits of the first token of the window where it is lowest: what a model
     *     trained with unanswerable questions says for "there is none"
     */
    public record SpanAnswer(String text, int start, int end, double score, double noAnswerScore) {
    }

    /** How many tokens two windows have in common: 128, and at most a quarter of what the model reads. */
    public static int stride(TextEncoder encoder) {
        return Math.min(STRIDE, encoder.limit() / 4);
    }

    /** The best answer of at most 30 tokens. */
    public SpanAnswer answer(String question, String text) {
        TextEncoder encoder = TextEncoder.of(model);
        return answer(question, text, encoder, stride(encoder));
    }

    /**
     * As {@link #answer(String, String)}.
     *
     * @param encoder makes the windows; its limit is their size
     * @param stride tokens that two windows have in common
     */
    public SpanAnswer answer(String question, String text, TextEncoder encoder, int stride) {
        List<TextEncoder.Window> windows = encoder.windows(question, text, stride);
        List<float[]> logits = logitsOf(windows.stream().map(TextEncoder.Window::sequence).toList());
        SpanAnswer best = new SpanAnswer("", 0, 0, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);
        double none = Double.POSITIVE_INFINITY;
        for (int w = 0; w < windows.size(); w++) {
            float[] rows = logits.get(w);
            none = Math.min(none, (double) rows[0] + rows[1]);
            best = best(best, text, windows.get(w), rows);
        }
        return new SpanAnswer(best.text(), best.start(), best.end(), best.score(), none);
    }

    private static SpanAnswer best(SpanAnswer before, String text, TextEncoder.Window window, float[] logits) {
        SpanAnswer best = before;
        int count = window.starts().length;
        for (int from = 0; from < count; from++) {
            for (int to = from; to < Math.min(count, from + LONGEST_ANSWER); to++) {
                double score = (double) logits[2 * (window.firstToken() + from)]
                        + logits[2 * (window.firstToken() + to) + 1];
                if (score > best.score()) {
                    int start = window.starts()[from];
                    int end = window.ends()[to];
                    best = new SpanAnswer(text.substring(start, end), start, end, score, 0);
                }
            }
        }
        return best;
    }

    /** The logits of begin and end of each token of sequences, [T, 2] row after row, special tokens included. */
    public List<float[]> logitsOf(List<TokenSequence> sequences) {
        return HeadPasses.outputs(model, sequences);
    }
}
