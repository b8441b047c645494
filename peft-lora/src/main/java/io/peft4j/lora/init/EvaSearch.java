package io.peft4j.lora.init;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.DenseMath;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.method.LayerProbe;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * EVA's search for directions and ranks, as Hugging Face PEFT does it: batch after batch, in rounds, the principal
 * components of each layer's inputs are brought up to date; after each batch the sum of all ranks is shared out to the
 * components that explain most of their layer's variance. It ends when all directions that have got a rank turn no more
 * from one batch to the next. Layers with the same input share the work.
 */
final class EvaSearch {
    private static final Logger LOG = LoggerFactory.getLogger(EvaSearch.class);
    /** Passes over all batches after which directions that still turn are given up. */
    private static final int MOST_ROUNDS = 100;

    private final LayerProbe probe;
    private final Eva eva;
    private final List<LoraTarget> targets;
    private final int budget;
    /** The layers that are looked at, and the first of those with the same input for each of the others. */
    private final Map<Slot, Directions> looked = new LinkedHashMap<>();
    private final Map<Slot, Slot> sameInput = new LinkedHashMap<>();
    private final Map<Slot, Integer> ranks = new LinkedHashMap<>();

    /** What is known of the input of a layer. */
    private static final class Directions {
        private final IncrementalComponents components;
        private final int width;
        private final boolean[] found;

        Directions(int count, int width) {
            this.components = new IncrementalComponents(count, width);
            this.width = width;
            this.found = new boolean[count];
        }

        void add(double[] rows, double tau) {
            double[] before = components.components();
            components.add(rows);
            for (int i = 0; i < found.length && before.length > 0; i++) {
                double cosine = 0;
                for (int j = 0; j < width; j++) {
                    cosine += before[i * width + j] * components.components()[i * width + j];
                }
                found[i] = cosine >= tau;
            }
        }

        boolean isFound(int rank) {
            for (int i = 0; i < rank; i++) {
                if (!found[i]) {
                    return false;
                }
            }
            return true;
        }
    }

    EvaSearch(BaseLanguageModel base, Eva eva, List<LoraTarget> targets) {
        this.probe = new LayerProbe(base);
        this.eva = eva;
        this.targets = targets;
        this.budget = targets.stream().mapToInt(LoraTarget::rank).sum();
    }

    /** The rank that a layer gets. */
    int rank(Slot slot) {
        return ranks.get(slot);
    }

    /** The first directions of a layer's input, as many as its rank: [rank, in]. */
    double[] directions(Slot slot) {
        Directions own = looked.get(sameInput.getOrDefault(slot, slot));
        double[] result = java.util.Arrays.copyOf(own.components.components(), rank(slot) * own.width);
        for (int i = 0; eva.whiten() && i < result.length; i++) {
            result[i] /= Math.sqrt(own.components.singularValues()[i / own.width]);
        }
        return result;
    }

    void run(List<List<TokenSequence>> batches) {
        groupByInput(batches.get(0));
        for (int step = 0; true; step++) {
            Set<Slot> open = looked.keySet().stream().filter(slot -> !looked.get(slot).isFound(ranks.get(slot)))
                    .collect(Collectors.toSet());
            if (open.isEmpty()) {
                LOG.info("EVA: the directions of {} layers have converged after {} batches", ranks.size(), step);
                return;
            }
            checkProgress(open, step, batches);
            List<TokenSequence> batch = batches.get(step % batches.size());
            int[] rows = rows(batch);
            probe.inputs(batch, open, (slot, x) -> {
                Directions directions = looked.get(slot);
                if (rows.length >= directions.found.length) {
                    directions.add(read(x, rows), eva.tau());
                }
            });
            if (looked.values().stream().allMatch(directions -> directions.components.isReady())) {
                shareRanks();
            }
        }
    }

    private void groupByInput(List<TokenSequence> batch) {
        Map<Slot, LoraTarget> bySlot = new LinkedHashMap<>();
        targets.forEach(target -> bySlot.put(target.slot(), target));
        Map<Variable, List<Slot>> byInput = new IdentityHashMap<>();
        List<List<Slot>> groups = new ArrayList<>();
        probe.inputs(batch, bySlot.keySet(), (slot, x) -> byInput.computeIfAbsent(x, input -> {
            groups.add(new ArrayList<>());
            return groups.get(groups.size() - 1);
        }).add(slot));
        for (List<Slot> group : groups) {
            int most = group.stream().mapToInt(slot -> (int) Math.rint(bySlot.get(slot).rank() * eva.rho())).max()
                    .orElseThrow();
            int width = bySlot.get(group.get(0)).linear().inFeatures();
            Checks.require(most <= width, "eva_config: rho times the rank asks for " + most + " directions at "
                    + group.get(0).path() + ", whose input has " + width + "; choose a smaller rank or rho");
            looked.put(group.get(0), new Directions(most, width));
            group.forEach(slot -> ranks.put(slot, most));
            group.subList(1, group.size()).forEach(slot -> sameInput.put(slot, group.get(0)));
        }
    }

    private void checkProgress(Set<Slot> open, int step, List<List<TokenSequence>> batches) {
        if (step == batches.size()) {
            looked.forEach((slot, directions) -> Checks.require(directions.components.isReady(), "eva: no batch has "
                    + "the " + directions.found.length + (eva.useLabelMask() ? " supervised" : "") + " tokens that "
                    + "rank times rho require at " + slot.path() + "; use larger batches, a smaller rank or rho, or "
                    + "set use_label_mask to false"));
        }
        if (step == MOST_ROUNDS * batches.size()) {
            throw new ConfigurationException("eva: after " + step + " batches the directions at "
                    + open.iterator().next().path() + " and " + (open.size() - 1) + " other layers have not "
                    + "converged; use more and larger batches, or a smaller tau");
        }
    }

    /** The rows of a batch that count. */
    private int[] rows(List<TokenSequence> batch) {
        List<Integer> rows = new ArrayList<>();
        int row = 0;
        for (TokenSequence sequence : batch) {
            for (float weight : sequence.weights()) {
                if (weight != 0 || !eva.useLabelMask()) {
                    rows.add(row);
                }
                row++;
            }
        }
        return rows.stream().mapToInt(Integer::intValue).toArray();
    }

    private static double[] read(Variable x, int[] rows) {
        int width = x.columns();
        double[] values = new double[rows.length * width];
        float[] row = new float[width];
        for (int i = 0; i < rows.length; i++) {
            Arrays.read(x.value(), (long) rows[i] * width, row, 0, width);
            for (int j = 0; j < width; j++) {
                values[i * width + j] = row[j];
            }
        }
        return values;
    }

    /** A component of a layer. */
    private record Candidate(Slot slot, double explained) {
    }

    private void shareRanks() {
        List<Slot> order = new ArrayList<>(looked.keySet());
        order.addAll(sameInput.keySet());
        List<Candidate> candidates = new ArrayList<>();
        for (Slot slot : order) {
            for (double ratio : looked.get(sameInput.getOrDefault(slot, slot)).components.explainedVarianceRatio()) {
                candidates.add(new Candidate(slot, ratio));
            }
        }
        candidates.sort(Comparator.comparingDouble(Candidate::explained).reversed());
        order.forEach(slot -> ranks.put(slot, 0));
        candidates.subList(0, Math.min(budget, candidates.size())).forEach(
                candidate -> ranks.merge(candidate.slot(), 1, Integer::sum));
        // The layer that is looked at gets the highest rank of those with the same input.
        sameInput.forEach((slot, first) -> {
            if (ranks.get(first) < ranks.get(slot)) {
                ranks.put(first, ranks.put(slot, ranks.get(first)));
            }
        });
    }

    /**
     * Principal components of rows that come in batches, of which only k components, the mean and the variance are kept
     * (Ross et al., "Incremental learning for robust visual tracking", 2008).
     */
    private static final class IncrementalComponents {
        private final int count;
        private final int width;
        private double[] mean;
        private double[] squares;
        private long seen;
        private double[] components = new double[0];
        private double[] singularValues = new double[0];

        /**
         * Nothing seen yet.
         *
         * @param count k
         * @param width elements of a row
         */
        IncrementalComponents(int count, int width) {
            this.count = count;
            this.width = width;
            this.mean = new double[width];
            this.squares = new double[width];
        }

        /** Whether there are components: from the first batch on. */
        boolean isReady() {
            return seen > 0;
        }

        /** k components of length 1 as rows [k, width], of each the largest element positive; the largest first. */
        double[] components() {
            return components;
        }

        double[] singularValues() {
            return singularValues;
        }

        /** The share of all variance that each component explains. */
        double[] explainedVarianceRatio() {
            double all = 0;
            for (double square : squares) {
                all += square;
            }
            double[] ratios = new double[count];
            for (int i = 0; i < count; i++) {
                ratios[i] = all == 0 ? 0 : singularValues[i] * singularValues[i] / all;
            }
            return ratios;
        }

        /** Takes in rows [n, width], which are overwritten. */
        void add(double[] rows) {
            int n = rows.length / width;
            double[] batchMean = center(rows, n);
            long total = seen + n;
            double[] stacked = seen == 0 ? rows : stack(rows, batchMean, n, total);
            for (int j = 0; j < width; j++) {
                double apart = mean[j] - batchMean[j];
                double own = 0;
                for (int i = 0; i < n; i++) {
                    own += rows[i * width + j] * rows[i * width + j];
                }
                squares[j] += own + (double) seen * n / total * apart * apart;
                mean[j] = (mean[j] * seen + batchMean[j] * n) / total;
            }
            seen = total;
            DenseMath.RightVectors parts = DenseMath.rightVectors(stacked, stacked.length / width, width, count);
            singularValues = parts.s();
            components = parts.vt();
            turn();
        }

        private double[] center(double[] rows, int n) {
            double[] sums = new double[width];
            for (int i = 0; i < rows.length; i++) {
                sums[i % width] += rows[i];
            }
            for (int j = 0; j < width; j++) {
                sums[j] /= n;
            }
            for (int i = 0; i < rows.length; i++) {
                rows[i] -= sums[i % width];
            }
            return sums;
        }

        /** What is kept of the rows before, the rows, and what the means are apart. */
        private double[] stack(double[] rows, double[] batchMean, int n, long total) {
            double[] stacked = new double[(count + n + 1) * width];
            for (int i = 0; i < count * width; i++) {
                stacked[i] = singularValues[i / width] * components[i];
            }
            System.arraycopy(rows, 0, stacked, count * width, rows.length);
            double factor = Math.sqrt((double) seen / total * n);
            for (int j = 0; j < width; j++) {
                stacked[(count + n) * width + j] = factor * (mean[j] - batchMean[j]);
            }
            return stacked;
        }

        private void turn() {
            for (int i = 0; i < count; i++) {
                double largest = 0;
                for (int j = 0; j < width; j++) {
                    double value = components[i * width + j];
                    largest = Math.abs(value) > Math.abs(largest) ? value : largest;
                }
                for (int j = 0; j < width && largest < 0; j++) {
                    components[i * width + j] = -components[i * width + j];
                }
            }
        }
    }
}
