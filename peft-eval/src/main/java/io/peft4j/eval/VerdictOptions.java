package io.peft4j.eval;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.data.ChatDataset;
import io.peft4j.eval.guard.GuardSet;
import io.peft4j.eval.task.EvaluationItem;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How much is asked after a training to see whether its model is better than the one before. It takes about the time of
 * {@code 3 items + guardItems / 2} answers.
 *
 * @param items held-out examples that are asked, at most; 0 for no verdict; default 24
 * @param guardItems questions on what may have been forgotten, at most; 0 for none, so that no verdict is to ship;
 *     default 800, all of the built-in guard set: fewer can hardly rule out a loss
 * @param maxNewTokens the longest answer; default 48
 */
public record VerdictOptions(int items, int guardItems, int maxNewTokens) {
    /** No verdict. */
    public static final VerdictOptions NONE = new VerdictOptions(0, 0, 1);

    /** Checks the ranges. */
    public VerdictOptions {
        if (items < 0 || guardItems < 0 || maxNewTokens < 1) {
            throw new ConfigurationException("a verdict asks 0 or more items (" + items + ") and guard items ("
                    + guardItems + "), for answers of at least 1 token (" + maxNewTokens + ")");
        }
    }

    /** The defaults. */
    public static VerdictOptions defaults() {
        return new VerdictOptions(24, 800, 48);
    }

    /** What is asked of held-out conversations: at most {@link #items}, evenly from beginning to end. */
    public List<EvaluationItem> questions(ChatDataset heldOut) {
        return EvaluationItem.all(spread(heldOut.examples(), items));
    }

    /** Gives a comparison the guard items and the length of answers. */
    public void applyTo(Comparison comparison) {
        comparison.generation(GenerationOptions.defaults().withMaxNewTokens(maxNewTokens));
        if (guardItems > 0) {
            comparison.guard(new GuardSet(spread(GuardSet.builtIn().items(), guardItems)));
        } else {
            comparison.withoutGuard();
        }
    }

    static <T> List<T> spread(List<T> all, int most) {
        int count = Math.min(most, all.size());
        return IntStream.range(0, count).mapToObj(i -> all.get((int) ((long) i * all.size() / count))).toList();
    }
}
