package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.task.support.SourceEncoder;
import io.peft4j.data.task.RowKind;
import io.peft4j.data.task.SourceTarget;
import java.util.List;

/** The text that an encoder-decoder makes of another: the negative log-likelihood of its tokens, its end included. */
public final class SourceTargetObjective implements Objective<SourceTarget> {
    private final SourceEncoder encoder;
    private final NextTokenObjective tokens;

    /**
     * An objective for a model.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the model is no encoder-decoder
     */
    public SourceTargetObjective(Model model) {
        this(new SourceEncoder(model), new NextTokenObjective());
    }

    private SourceTargetObjective(SourceEncoder encoder, NextTokenObjective tokens) {
        this.encoder = encoder;
        this.tokens = tokens;
    }

    @Override
    public SourceTargetObjective withLabelSmoothing(double share) {
        return new SourceTargetObjective(encoder, tokens.withLabelSmoothing(share));
    }

    @Override
    public String name() {
        return "seq2seq";
    }

    @Override
    public List<EncodedExample> encode(SourceTarget example) {
        if (example.target().isBlank()) {
            throw new ConfigurationException("the target of the source \"" + example.source() + "\" is empty, and "
                    + "would be learned; fill it in, or remove the example");
        }
        return List.of(EncodedExample.of(encoder.encode(example.source(), example.target())
                .inTask(example.task())));
    }

    @Override
    public boolean tellsLearned() {
        return tokens.tellsLearned();
    }

    @Override
    public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        return tokens.backward(passes, batch, normalizer);
    }

    @Override
    public double loss(Passes passes, List<EncodedExample> batch) {
        return tokens.loss(passes, batch);
    }

    @Override
    public String toString() {
        return "objective " + name();
    }

    /** The objective by its name. */
    public static final class Type extends HeadType<SourceTarget> {
        /** What is registered. */
        public Type() {
            super("sft", RowKind.SOURCES, "of encoder-decoders {\"source\", \"target\"}",
                    rows -> Task.of(Task.Type.SEQ_2_SEQ_LM), SourceTargetObjective::new,
                    ObjectiveOption.LABEL_SMOOTHING);
        }
    }
}
