package io.peft4j.core.nn;

import io.peft4j.core.kernel.AttentionLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Builds a {@link PackedBatch}. With shared prefixes the sequences form a tree: a beginning that at least two of them
 * have in common becomes one segment, which the segments that continue it see as context. Every token keeps its
 * position, so the loss and its gradients are those of the separate sequences; a shared row gets the sum of gradients.
 */
final class BatchPacker {
    /** A shared piece shorter than this costs more in bookkeeping than it saves. */
    private static final int SHORTEST_SHARED = 4;

    private final List<TokenSequence> sequences;
    private final IntList tokens = new IntList();
    private final IntList positions = new IntList();
    private final List<AttentionLayout.Segment> segments = new ArrayList<>();
    private final int[][] rowOf;

    private BatchPacker(List<TokenSequence> sequences) {
        this.sequences = sequences;
        this.rowOf = new int[sequences.size()][];
        for (int i = 0; i < rowOf.length; i++) {
            rowOf[i] = new int[sequences.get(i).length()];
        }
    }

    static PackedBatch pack(List<TokenSequence> sequences, boolean sharePrefixes) {
        if (sequences.isEmpty()) {
            throw new IllegalArgumentException("a batch needs at least one sequence");
        }
        BatchPacker packer = new BatchPacker(List.copyOf(sequences));
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < sequences.size(); i++) {
            all.add(i);
        }
        if (sharePrefixes) {
            packer.addGroups(all, 0, List.of());
        } else {
            all.forEach(i -> packer.addSegment(List.of(i), 0, sequences.get(i).length(), List.of()));
        }
        return packer.build();
    }

    /** Adds sequences that agree up to {@code from}, those with the same continuation together. */
    private void addGroups(List<Integer> members, int from, List<AttentionLayout.Range> context) {
        Map<List<Integer>, List<Integer>> groups = new LinkedHashMap<>();
        for (int member : members) {
            int[] ids = sequences.get(member).ids();
            if (from < ids.length) {
                int end = Math.min(ids.length, from + SHORTEST_SHARED);
                groups.computeIfAbsent(Arrays.stream(ids, from, end).boxed().toList(), k -> new ArrayList<>())
                        .add(member);
            }
        }
        groups.values().forEach(group -> addGroup(group, from, context));
    }

    private void addGroup(List<Integer> group, int from, List<AttentionLayout.Range> context) {
        int end = group.size() == 1 ? sequences.get(group.get(0)).length() : commonEnd(group, from);
        int start = addSegment(group, from, end, context);
        if (group.size() > 1) {
            List<AttentionLayout.Range> longer = new ArrayList<>(context);
            longer.add(new AttentionLayout.Range(start, start + end - from));
            addGroups(group, end, longer);
        }
    }

    private int commonEnd(List<Integer> group, int from) {
        int[] first = sequences.get(group.get(0)).ids();
        int end = first.length;
        for (int member : group) {
            int[] ids = sequences.get(member).ids();
            int mismatch = Arrays.mismatch(first, from, end, ids, from, Math.min(end, ids.length));
            end = mismatch < 0 ? end : from + mismatch;
        }
        return end;
    }

    private int addSegment(List<Integer> group, int from, int end, List<AttentionLayout.Range> context) {
        int start = tokens.size();
        int[] ids = sequences.get(group.get(0)).ids();
        for (int position = from; position < end; position++) {
            tokens.add(ids[position]);
            positions.add(position);
            for (int member : group) {
                rowOf[member][position] = start + position - from;
            }
        }
        segments.add(new AttentionLayout.Segment(start, tokens.size(), context, start, 0));
        return start;
    }

    private PackedBatch build() {
        IntList rows = new IntList();
        IntList ids = new IntList();
        IntList owners = new IntList();
        List<Float> weights = new ArrayList<>();
        int[] lastRows = new int[rowOf.length];
        for (int s = 0; s < rowOf.length; s++) {
            TokenSequence sequence = sequences.get(s);
            lastRows[s] = rowOf[s][sequence.length() - 1];
            for (int t = 1; t < sequence.length(); t++) {
                if (sequence.weights()[t] != 0) {
                    rows.add(rowOf[s][t - 1]);
                    ids.add(sequence.ids()[t]);
                    owners.add(s);
                    weights.add(sequence.weights()[t]);
                }
            }
        }
        float[] weightArray = new float[weights.size()];
        for (int i = 0; i < weightArray.length; i++) {
            weightArray[i] = weights.get(i);
        }
        return new PackedBatch(tokens.toArray(), positions.toArray(), new AttentionLayout(segments),
                new PackedBatch.Targets(rows.toArray(), ids.toArray(), weightArray, owners.toArray()), lastRows,
                new int[0]);
    }

    /** A growing array of ints. */
    private static final class IntList {
        private int[] values = new int[64];
        private int size;

        void add(int value) {
            if (size == values.length) {
                values = Arrays.copyOf(values, 2 * size);
            }
            values[size++] = value;
        }

        int size() {
            return size;
        }

        int[] toArray() {
            return Arrays.copyOf(values, size);
        }
    }
}
