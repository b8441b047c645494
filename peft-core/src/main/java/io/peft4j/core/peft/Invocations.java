package io.peft4j.core.peft;

import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the tokens that switch adapters on, as Hugging Face PEFT does: their last occurrence in a sequence counts. */
final class Invocations {
    private static final Logger LOG = LoggerFactory.getLogger(Invocations.class);

    /** The tokens for the sequences of a group; empty where its adapter works on all tokens. */
    private final IntFunction<List<Integer>> ofGroup;
    private final AtomicBoolean warned = new AtomicBoolean();

    Invocations(IntFunction<List<Integer>> ofGroup) {
        this.ofGroup = ofGroup;
    }

    /** The batch whose rows know whether they have been invoked. */
    PackedBatch mark(PackedBatch batch) {
        boolean none = (batch.groups().length == 0 ? IntStream.of(0) : IntStream.of(batch.groups()).distinct())
                .allMatch(group -> ofGroup.apply(group).isEmpty());
        List<TokenSequence> sequences = batch.sequences();
        return none ? batch : batch.invokedFrom(i -> start(sequences.get(i)));
    }

    private int start(TokenSequence sequence) {
        List<Integer> wanted = ofGroup.apply(sequence.group());
        int start = lastOccurrence(sequence.ids(), wanted);
        if (start == sequence.length() && !warned.getAndSet(true)) {
            LOG.warn("a sequence of {} tokens has no invocation {}, so the adapter has no effect on it; further "
                    + "ones are not logged", sequence.length(), wanted);
        }
        return start;
    }

    /** Where {@code wanted} begins for the last time, or the length of {@code ids} where it does not occur. */
    static int lastOccurrence(int[] ids, List<Integer> wanted) {
        for (int start = ids.length - wanted.size(); start >= 0; start--) {
            int matched = 0;
            while (matched < wanted.size() && ids[start + matched] == wanted.get(matched)) {
                matched++;
            }
            if (matched == wanted.size()) {
                return wanted.isEmpty() ? 0 : start;
            }
        }
        return ids.length;
    }
}
