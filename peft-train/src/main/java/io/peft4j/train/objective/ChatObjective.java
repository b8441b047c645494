package io.peft4j.train.objective;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.EncodedChats;
import io.peft4j.data.Masking;
import io.peft4j.data.example.ChatExample;
import java.util.List;

/**
 * The answers of conversations by next-token prediction, as {@link io.peft4j.train.Trainer#train(ChatDataset)} learns
 * them: for a {@link MixedObjective}.
 */
public final class ChatObjective implements Objective<ChatExample> {
    private final ChatEncoder encoder;
    private final NextTokenObjective tokens;

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
        model.network().causal();
        this.encoder = ChatEncoder.of(model, masking);
        this.tokens = new NextTokenObjective();
    }

    private ChatObjective(ChatEncoder encoder, NextTokenObjective tokens) {
        this.encoder = encoder;
        this.tokens = tokens;
    }

    @Override
    public ChatObjective withLabelSmoothing(double share) {
        return new ChatObjective(encoder, tokens.withLabelSmoothing(share));
    }

    @Override
    public String name() {
        return tokens.name();
    }

    @Override
    public List<EncodedExample> encode(ChatExample example) {
        return tokens.encode(encoder.encode(example));
    }

    @Override
    public EncodedExamples encode(List<ChatExample> examples, DataSetup setup) {
        if (examples.isEmpty()) {
            return new EncodedExamples(List.of(), 0);
        }
        EncodedChats encoded = encoder.encode(ChatDataset.of(examples), setup.maxLength());
        return new EncodedExamples(encoded.sequences().stream().map(EncodedExample::of).toList(),
                encoded.tooLong().size());
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
}
