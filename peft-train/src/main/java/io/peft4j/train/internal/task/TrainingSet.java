package io.peft4j.train.internal.task;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.support.Count;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.support.TaskIds;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.train.objective.EncodedExample;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checked examples of which each has something to learn.
 *
 * @param examples at least one
 * @param leftOut number of examples that are not among them: too long, or without anything to learn
 * @param names what each is called in messages, by the token ids of its first sequence (the same array)
 */
public record TrainingSet(List<EncodedExample> examples, int leftOut, Map<int[], String> names) {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingSet.class);
    private static final int LISTED = 10;

    /**
     * Checks examples, and leaves out those without anything to learn.
     *
     * @param kind what they are for, in messages: training or validation
     * @param model what is trained
     * @param origins where each example stands, or none
     * @throws ConfigurationException when a sequence is too long, has an unknown token, task or an invalid weight, or
     *     nothing can be learned
     */
    public static TrainingSet of(List<EncodedExample> examples, String kind, ModelLease model,
            List<String> origins) {
        if (examples.isEmpty()) {
            throw new ConfigurationException("no " + kind + " examples given");
        }
        List<EncodedExample> supervised = new ArrayList<>();
        List<Integer> leftOut = new ArrayList<>();
        Map<int[], String> names = new IdentityHashMap<>();
        TaskIds tasks = new TaskIds(model.layers());
        for (int i = 0; i < examples.size(); i++) {
            EncodedExample example = examples.get(i);
            String name = kind + " example " + (i + 1) + (i < origins.size() ? " (" + origins.get(i) + ")" : "");
            names.put(example.sequences().get(0).ids(), name);
            example.sequences().forEach(sequence -> {
                check(sequence, name, model.maxPositions(), model.network().description().vocabularySize());
                tasks.require(sequence.task(), problem -> new ConfigurationException(name + " " + problem));
            });
            if (example.supervised() > 0) {
                supervised.add(example);
            } else {
                leftOut.add(i + 1);
            }
        }
        if (supervised.isEmpty()) {
            throw new ConfigurationException("none of the " + examples.size() + " " + kind + " examples has "
                    + "supervised tokens, so there is no loss to train on; check the roles and weights of the "
                    + "messages and the "
                    + "chat template");
        }
        if (!leftOut.isEmpty()) {
            LOG.warn("left out, since without a supervised token: {} of {}: {}{}", leftOut.size(),
                    Count.of(examples.size(), kind + " example"), leftOut.subList(0, Math.min(LISTED, leftOut.size())),
                    leftOut.size() > LISTED ? " and others" : "");
        }
        return new TrainingSet(List.copyOf(supervised), leftOut.size(), names);
    }

    private static void check(TokenSequence sequence, String name, int limit, int vocabulary) {
        if (sequence.length() > limit) {
            throw new ConfigurationException(name + " has " + sequence.length() + " tokens; the model's limit is "
                    + limit + ". Shorten it or leave it out");
        }
        IntStream.of(sequence.ids()).filter(id -> id < 0 || id >= vocabulary).findFirst().ifPresent(id -> {
            throw new ConfigurationException(name + " has the token " + id + "; the model's vocabulary is 0 to "
                    + (vocabulary - 1));
        });
        for (float weight : sequence.weights()) {
            if (!(weight >= 0 && weight < Float.POSITIVE_INFINITY)) {
                throw new ConfigurationException(name + " has a token of weight " + weight
                        + "; a weight is 0 or more, and finite");
            }
        }
    }

    /** The same where more examples were left out before. */
    public TrainingSet leavingOut(int more) {
        return new TrainingSet(examples, leftOut + more, names);
    }

    /** Sequences to learn as they are. */
    public static TrainingSet ofSequences(List<TokenSequence> sequences) {
        return new TrainingSet(sequences.stream().map(EncodedExample::of).toList(), 0, Map.of());
    }

    /** Says how many held-out examples are trained on as well: their loss is then no measure of the model. */
    public void warnOfShared(TrainingSet held) {
        Set<List<IntBuffer>> learned = new HashSet<>();
        examples.forEach(example -> learned.add(tokens(example)));
        long shared = held.examples.stream().filter(example -> learned.contains(tokens(example))).count();
        if (shared > 0) {
            LOG.warn("{} of {} validation examples also stand in the training data: their loss says what was learned "
                    + "by heart, not how good the model is. A data check with the validation data lists them", shared,
                    held.examples.size());
        }
    }

    private static List<IntBuffer> tokens(EncodedExample example) {
        return example.sequences().stream().flatMap(sequence -> Stream.of(IntBuffer.wrap(sequence.ids()),
                IntBuffer.wrap(new int[] {sequence.task()}))).toList();
    }

    /** What an example is called in messages. */
    String name(EncodedExample example) {
        return names.getOrDefault(example.sequences().get(0).ids(), "an example");
    }

    /** For each example its sequence, or its sequences as one. */
    List<TokenSequence> sequences() {
        return examples.stream().map(EncodedExample::whole).toList();
    }

    /** The number of tokens. */
    public long tokens() {
        return examples.stream().mapToLong(EncodedExample::tokens).sum();
    }

    /** The number of supervised tokens, or of what is learned instead. */
    public long supervised() {
        return examples.stream().mapToLong(EncodedExample::supervised).sum();
    }

    /** The sum of the weights: what the sum of losses is divided by. */
    public double weight() {
        return EncodedExample.weight(examples);
    }
}
