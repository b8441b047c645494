package io.peft4j.train;

import io.peft4j.train.parallel.WorkerCollective;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;

/** Names a worker, once, that takes more than twice as long as the others, so many updates in a row. */
final class SlowWorkers {
    /** Updates in a row after which a worker is named. */
    public static final int UPDATES = 5;
    private static final double TIMES = 2;

    private final WorkerCollective workers;
    private final Consumer<String> warnings;
    private final int[] slow;
    private final Set<Integer> named = new HashSet<>();

    /** @param warnings gets each warning */
    public SlowWorkers(WorkerCollective workers, Consumer<String> warnings) {
        this.workers = workers;
        this.warnings = warnings;
        this.slow = new int[workers.count()];
    }

    /** Takes the time of each worker for an update; 0 of one that had nothing to do. */
    public void add(double[] seconds) {
        for (int rank = 0; rank < seconds.length; rank++) {
            double others = medianWithout(seconds, rank);
            slow[rank] = others > 0 && seconds[rank] > TIMES * others ? slow[rank] + 1 : 0;
            if (slow[rank] >= UPDATES && named.add(rank)) {
                warnings.accept(String.format(Locale.ROOT, "%s takes %.2f s for its part of an update, the others "
                        + "%.2f s, and all wait for it; look at what else runs there", workers.name(rank),
                        seconds[rank], others));
            }
        }
    }

    private static double medianWithout(double[] seconds, int rank) {
        double[] others = new double[seconds.length - 1];
        System.arraycopy(seconds, 0, others, 0, rank);
        System.arraycopy(seconds, rank + 1, others, rank, others.length - rank);
        Arrays.sort(others);
        return others.length == 0 ? 0 : others[others.length / 2];
    }
}
