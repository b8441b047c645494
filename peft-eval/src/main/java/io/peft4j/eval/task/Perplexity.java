package io.peft4j.eval.task;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.SequenceScorer;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.task.SourceEncoder;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.example.ChatExample;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How likely the answers of conversations are to a model.
 *
 * @param nll sum of the negative log-likelihoods of the supervised tokens, in nats
 * @param tokens number of supervised tokens
 * @param bytes bytes of the learned answers in UTF-8: they do not depend on the tokenizer
 * @param examples number of conversations
 */
@Internal(shared = true)
public record Perplexity(double nll, long tokens, long bytes, int examples) {
    private static final Logger LOG = LoggerFactory.getLogger(Perplexity.class);

    /**
     * Measures a data set.
     *
     * @throws ConfigurationException when the data set is empty, or an example is longer than the model can read
     * @throws io.peft4j.core.error.DataException when an example cannot be encoded, as a conversation where the model
     *     has no chat template
     */
    public static Perplexity of(LanguageModel model, ChatDataset dataset) {
        if (dataset.size() == 0) {
            throw new ConfigurationException("no examples to compute perplexity on");
        }
        return of(model, dataset, Integer.MAX_VALUE).orElseThrow();
    }

    /** Of those examples that the model can read at once; others are left out, and told in the log. */
    static Optional<Perplexity> ofFitting(LanguageModel model, ChatDataset dataset) {
        return of(model, dataset, model.network().description().maxPositions());
    }

    private static Optional<Perplexity> of(LanguageModel model, ChatDataset dataset, int longest) {
        Function<ChatExample, TokenSequence> encoder = encoder(model);
        List<TokenSequence> sequences = new ArrayList<>();
        TaskIds tasks = TaskIds.of(model);
        long tokens = 0;
        long bytes = 0;
        for (ChatExample example : dataset) {
            TokenSequence sequence = encoder.apply(example);
            if (sequence.length() > longest) {
                continue;
            }
            tasks.require(sequence.task(), problem -> new ConfigurationException(example.origin() + " " + problem));
            sequences.add(sequence);
            tokens += sequence.supervisedTokens();
            for (ChatMessage message : example.messages()) {
                bytes += message.role().equals("assistant") && ChatExample.isLearned(message)
                        ? message.content().getBytes(StandardCharsets.UTF_8).length : 0;
            }
        }
        if (sequences.size() < dataset.size()) {
            LOG.warn("{} of {} references are left out of the likelihood: with their questions they exceed the {} "
                    + "tokens that {} can take", dataset.size() - sequences.size(), dataset.size(), longest,
                    model.network().description().name());
        }
        return sequences.isEmpty() ? Optional.empty()
                : Optional.of(new Perplexity(sum(model, sequences), tokens, bytes, sequences.size()));
    }

    /** An encoder-decoder reads the question and writes its answer. */
    private static Function<ChatExample, TokenSequence> encoder(LanguageModel model) {
        if (!(model.network() instanceof EncoderDecoderNetwork)) {
            return ChatEncoder.of(model)::encode;
        }
        SourceEncoder sources = new SourceEncoder(model);
        return example -> {
            List<ChatMessage> messages = example.messages();
            if (messages.size() != 2) {
                throw new ConfigurationException(model.network().description().name() + " reads one text and writes "
                        + "one; a conversation of " + messages.size() + " messages does not fit");
            }
            return sources.encode(messages.get(0).content(), messages.get(1).content())
                    .inTask(TaskIds.of(example.extra()));
        };
    }

    private static double sum(LanguageModel model, List<TokenSequence> sequences) {
        return Arrays.stream(SequenceScorer.negativeLogLikelihoods(model, sequences)).sum();
    }

    /** Mean loss of a token, in nats. */
    public double loss() {
        return nll / tokens;
    }

    /** {@code exp(nll / tokens)}. */
    public double perToken() {
        return Math.exp(nll / tokens);
    }

    /** {@code exp(nll / bytes)}: comparable between tokenizers. */
    public double perByte() {
        return Math.exp(nll / bytes);
    }

    /** Mean negative log-likelihood of a conversation, in nats. */
    public double perExample() {
        return nll / examples;
    }
}
