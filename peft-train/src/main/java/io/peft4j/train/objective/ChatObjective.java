package io.peft4j.train.objective;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.EncodedChats;
import io.peft4j.data.Masking;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The answers of conversations by next-token prediction, written with the model's tokenizer and chat template
 * ({@link ChatEncoder}). Conversations that are longer than the limit are left out, counted and listed in the log.
 */
public final class ChatObjective extends NextTokenObjective<ChatExample> {
    private static final Logger LOG = LoggerFactory.getLogger(ChatObjective.class);

    private final ChatEncoder encoder;

    /**
     * What the assistant says.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the model is none that predicts the next token
     */
    public ChatObjective(LanguageModel model) {
        this(model, Masking.ASSISTANT);
    }

    /** As {@link #ChatObjective(LanguageModel)}, with a choice of what is learned. */
    public ChatObjective(LanguageModel model, Masking masking) {
        this(ChatEncoder.of(model, masking), 0);
        model.network().causal();
    }

    private ChatObjective(ChatEncoder encoder, double labelSmoothing) {
        super(labelSmoothing);
        this.encoder = encoder;
    }

    @Override
    public ChatObjective withLabelSmoothing(double share) {
        return new ChatObjective(encoder, share);
    }

    @Override
    public List<EncodedExample> encode(ChatExample example) {
        return List.of(EncodedExample.of(encoder.encode(example)));
    }

    @Override
    public EncodedExamples encode(List<ChatExample> examples, DataSetup setup) {
        EncodedChats encoded = encoder.encode(ChatDataset.of(examples), setup.maxLength());
        // Data of the application: only for who asks for it.
        LOG.atDebug().addArgument(setup.kind()).addArgument(() -> encoder.preview(encoded.kept().get(0)).replace("\n",
                "\\n")).log("[[learned]] of the first {} example: {}");
        return new EncodedExamples(IntStream.range(0, encoded.kept().size()).mapToObj(i -> {
            Origin origin = encoded.kept().get(i).origin();
            return EncodedExample.of(encoded.sequences().get(i)).ofRow(origin.isGeneral() ? 0 : origin.line())
                    .named(origin.toString());
        }).toList(), encoded.tooLong().size());
    }

    /** The objective by its name. */
    public static final class Type extends ObjectiveType<ChatExample> {
        /** What is registered. */
        public Type() {
            super("sft", ChatDataset.ROWS, "the answers of chats, {\"prompt\", \"completion\"}, {\"text\"}",
                    ObjectiveOption.LABEL_SMOOTHING, ObjectiveOption.MASKING, ObjectiveOption.MAX_LENGTH);
        }

        @Override
        protected Function<LanguageModel, Objective<ChatExample>> objective(ObjectiveValues values) {
            return model -> new ChatObjective(model, values.get(ObjectiveOption.MASKING));
        }
    }
}
