package io.peft4j.train.objective;

import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.task.TextEncoder;
import io.peft4j.data.task.LabelledWords;
import io.peft4j.data.task.Labels;
import io.peft4j.data.task.RowKind;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Classes of words: the cross-entropy of each word's first piece, as transformers' models for token classification
 * learn it. Other pieces and special tokens are not learned.
 */
public final class TokenClassificationObjective extends HeadObjective<LabelledWords> {
    private static final int IGNORED = -1;

    private final TextEncoder encoder;

    /**
     * An objective for a model.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the model was loaded for another task than TOKEN_CLS
     */
    public TokenClassificationObjective(Model model) {
        this(model, TextEncoder.of(model));
    }

    /** As {@link #TokenClassificationObjective(Model)}; {@code encoder} makes the sequences, cut to its limit. */
    public TokenClassificationObjective(Model model, TextEncoder encoder) {
        super(model, Task.Type.TOKEN_CLS);
        this.encoder = Objects.requireNonNull(encoder, "encoder");
    }

    @Override
    public String name() {
        return "token-classification";
    }

    @Override
    public List<EncodedExample> encode(LabelledWords example) {
        TextEncoder.Words words = encoder.words(example.words());
        float[] targets = new float[words.sequence().length()];
        Arrays.fill(targets, IGNORED);
        int learned = 0;
        for (int i = 0; i < words.firstPieces().length; i++) {
            if (example.isLabelled(i)) {
                int label = task().label(example.labels().get(i));
                if (words.firstPieces()[i] >= 0) {
                    targets[words.firstPieces()[i]] = label;
                    learned++;
                }
            }
        }
        return List.of(new EncodedExample(List.of(words.sequence()), targets, learned, learned));
    }

    @Override
    int limit() {
        return encoder.limit();
    }

    @Override
    boolean isCut(LabelledWords example) {
        return encoder.cuts(example.words());
    }

    @Override
    double loss(List<EncodedExample> batch, float[] outputs, int columns, double[] gradient) {
        double sum = 0;
        int row = 0;
        for (EncodedExample example : batch) {
            for (float target : example.targets()) {
                if (target != IGNORED) {
                    sum += CrossEntropy.of(new CrossEntropy.Row(outputs, row * columns, 1, columns), (int) target, 1,
                            gradient);
                }
                row++;
            }
        }
        return sum;
    }

    /** The share of words with the right label. */
    @Override
    void measure(Passes passes, List<EncodedExample> batch, float[] outputs, int columns) {
        int right = 0;
        int learned = 0;
        int row = 0;
        for (EncodedExample example : batch) {
            for (float target : example.targets()) {
                learned += target == IGNORED ? 0 : 1;
                right += target != IGNORED && best(outputs, row * columns, 1, columns) == (int) target ? 1 : 0;
                row++;
            }
        }
        passes.measure(ACCURACY, right, learned);
    }

    /** The objective by its name. */
    public static final class Type extends HeadType<LabelledWords> {
        /** What is registered. */
        public Type() {
            super("token-classification", RowKind.WORDS, "{\"tokens\", \"labels\"}", Labels::ofWords,
                    TokenClassificationObjective::new);
        }
    }
}
