package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.task.SourceEncoder;
import io.peft4j.data.task.RowKind;
import io.peft4j.data.task.SourceTarget;
import java.util.List;

/** The text that an encoder-decoder makes of another: the negative log-likelihood of its tokens, its end included. */
public final class SourceTargetObjective extends NextTokenObjective<SourceTarget> {
    private final SourceEncoder encoder;

    /**
     * An objective for a model.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the model is no encoder-decoder
     */
    public SourceTargetObjective(Model model) {
        this(new SourceEncoder(model), 0);
    }

    private SourceTargetObjective(SourceEncoder encoder, double labelSmoothing) {
        super(labelSmoothing);
        this.encoder = encoder;
    }

    @Override
    public SourceTargetObjective withLabelSmoothing(double share) {
        return new SourceTargetObjective(encoder, share);
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
