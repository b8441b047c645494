package io.peft4j.train.objective;

import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.task.QuestionAnswerer;
import io.peft4j.core.task.TextEncoder;
import io.peft4j.data.task.RowKind;
import io.peft4j.data.task.SpanQuestion;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Where an answer begins and ends in a text: the mean of the cross-entropies of begin and end over the tokens of the
 * sequence, as transformers' models for question answering learn it (there over padding, too, which is not here). A
 * text that is too long is cut into windows that overlap; in a window without the whole answer, and without an
 * answer, both are the first token.
 */
public final class QuestionAnsweringObjective extends HeadObjective<SpanQuestion> {
    private final TextEncoder encoder;
    private final int stride;

    /**
     * An objective for a model, with windows that have {@link QuestionAnswerer#stride} tokens in common.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the model was loaded for another task than QUESTION_ANS
     */
    public QuestionAnsweringObjective(Model model) {
        super(model, Task.Type.QUESTION_ANS);
        this.encoder = TextEncoder.of(model);
        this.stride = QuestionAnswerer.stride(encoder);
    }

    /**
     * As {@link #QuestionAnsweringObjective(Model)}.
     *
     * @param encoder makes the windows; its limit is their size
     * @param stride tokens that a window has in common with the next one
     */
    public QuestionAnsweringObjective(Model model, TextEncoder encoder, int stride) {
        super(model, Task.Type.QUESTION_ANS);
        this.encoder = Objects.requireNonNull(encoder, "encoder");
        this.stride = stride;
    }

    @Override
    public String name() {
        return "question-answering";
    }

    @Override
    public List<EncodedExample> encode(SpanQuestion example) {
        List<EncodedExample> windows = new ArrayList<>();
        for (TextEncoder.Window window : encoder.windows(example.question(), example.context(), stride)) {
            windows.add(EncodedExample.of(window.sequence(), 1, span(window, example)));
        }
        return windows;
    }

    /** The first and the last token of the answer, both 0 where it is not in the window. */
    private static float[] span(TextEncoder.Window window, SpanQuestion example) {
        int first = -1;
        int last = -1;
        int count = window.starts().length;
        boolean inside = example.start().isPresent() && count > 0
                && window.starts()[0] <= example.start().getAsInt() && window.ends()[count - 1] >= example.end();
        for (int i = 0; inside && i < count; i++) {
            first = window.starts()[i] <= example.start().getAsInt() ? i : first;
            last = last < 0 && window.ends()[i] >= example.end() ? i : last;
        }
        return first < 0 || last < first ? new float[2]
                : new float[] {window.firstToken() + first, window.firstToken() + last};
    }

    @Override
    double loss(List<EncodedExample> batch, float[] outputs, int columns, double[] gradient) {
        double sum = 0;
        int row = 0;
        for (EncodedExample example : batch) {
            int length = (int) example.tokens();
            for (int end = 0; end < 2; end++) {
                sum += CrossEntropy.of(new CrossEntropy.Row(outputs, row * columns + end, columns, length),
                        (int) example.targets()[end], 0.5, gradient);
            }
            row += length;
        }
        return sum;
    }

    @Override
    public double learnedShare() {
        return 0.97;
    }

    /** Whether begin and end of a window are both right. */
    @Override
    boolean[] right(List<EncodedExample> batch, float[] outputs, int columns) {
        boolean[] right = new boolean[batch.size()];
        int row = 0;
        for (int i = 0; i < right.length; i++) {
            EncodedExample example = batch.get(i);
            int length = (int) example.tokens();
            right[i] = best(outputs, row * columns, columns, length) == (int) example.targets()[0]
                    && best(outputs, row * columns + 1, columns, length) == (int) example.targets()[1];
            row += length;
        }
        return right;
    }

    /** The objective by its name. */
    public static final class Type extends HeadType<SpanQuestion> {
        /** What is registered. */
        public Type() {
            super("question-answering", RowKind.QUESTIONS, "{\"question\", \"context\", \"answers\"}",
                    rows -> Task.QUESTION_ANSWERING, QuestionAnsweringObjective::new);
        }
    }
}
