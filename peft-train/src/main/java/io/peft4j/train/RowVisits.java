package io.peft4j.train;

import io.peft4j.train.objective.EncodedExample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What a training knows of the examples that it is to learn, as each was seen last: whether all of it was predicted
 * right, and its loss. General examples and those of a second objective are not among them.
 */
final class RowVisits {
    /** The loss of an example that was not seen yet. */
    private static final double UNSEEN = -1;

    private final List<EncodedExample> examples = new ArrayList<>();
    private final Map<int[], Integer> places = new IdentityHashMap<>();
    private final boolean[] right;
    private final double[] losses;

    /**
     * What an objective said of an example.
     *
     * @param right whether it was predicted right
     * @param loss its mean loss
     */
    public record Visit(boolean right, double loss) {
    }

    /** Nothing yet of these examples; nothing at all where the objective does not tell. */
    public RowVisits(boolean tells, List<EncodedExample> all) {
        for (EncodedExample example : tells ? all : List.<EncodedExample>of()) {
            if (example.part() == 0 && example.row() > 0
                    && places.putIfAbsent(key(example), examples.size()) == null) {
                examples.add(example);
            }
        }
        right = new boolean[examples.size()];
        losses = new double[examples.size()];
        Arrays.fill(losses, UNSEEN);
    }

    private static int[] key(EncodedExample example) {
        return example.sequences().get(0).ids();
    }

    /** The place of an example among those that count; -1 where it does not. */
    public int place(EncodedExample example) {
        return places.getOrDefault(key(example), -1);
    }

    /** Takes what was said of the example at a place. */
    public void add(int place, Visit visit) {
        right[place] = visit.right();
        losses[place] = visit.loss();
    }

    /** How many examples count; 0 where the objective does not tell. */
    public int size() {
        return examples.size();
    }

    /** How many of them were right. */
    public long learned() {
        return IntStream.range(0, right.length).filter(i -> right[i]).count();
    }

    /** Whether each was seen. */
    public boolean areSeen() {
        return Arrays.stream(losses).noneMatch(loss -> loss == UNSEEN);
    }

    /** The mean loss of those that were seen. */
    public double meanLoss() {
        return Arrays.stream(losses).filter(loss -> loss != UNSEEN).average().orElse(Double.POSITIVE_INFINITY);
    }

    /** The numbers of the rows that were not right, or not seen. */
    public List<Long> unlearned() {
        return IntStream.range(0, right.length).filter(i -> !right[i]).mapToObj(i -> examples.get(i).row()).distinct()
                .sorted().toList();
    }

    /** For each example its loss, and whether it was right: for checkpoints. */
    public List<Visit> all() {
        return IntStream.range(0, right.length).mapToObj(i -> new Visit(right[i], losses[i])).toList();
    }
}
