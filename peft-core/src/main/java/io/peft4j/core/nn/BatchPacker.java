package io.peft4j.core.nn;

import io.peft4j.core.kernel.AttentionLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Builds a {@link PackedBatch}. With shared prefixes the sequences form a tree: a beginning that at least two of them
 * have in common becomes one segment, which the segments that continue it see as context. Every token keeps its
 * position, so the loss and its gradients are those of the separate sequences; a shared row gets the sum of gradients.
 */
final class BatchPacker {
    /** A shared piece shorter than this costs more in bookkeeping than it saves. */
    private static final int SHORTEST_SHARED = 4;

    private final List<TokenSequence> sequences;
    private final List<AttentionLayout.Segment> segments = new ArrayList<>();
    private final int[] tokens;
    private final int[] positions;
    private final int[] groups;
    private final int[][] rowOf;
    private int rows;

    private BatchPacker(List<TokenSequence> sequences) {
        this.sequences = sequences;
        this.rowOf = new int[sequences.size()][];
        int length = 0;
        for (int i = 0; i < rowOf.length; i++) {
            rowOf[i] = new int[sequences.get(i).length()];
            length = Math.addExact(length, rowOf[i].length);
        }
        this.tokens = new int[length];
        this.positions = new int[length];
        this.groups = new int[length];
    }

    static PackedBatch pack(List<TokenSequence> sequences, boolean sharePrefixes) {
        if (sequences.isEmpty()) {
            throw new IllegalArgumentException("a batch needs at least one sequence");
        }
        BatchPacker packer = new BatchPacker(List.copyOf(sequences));
        int[] all = new int[sequences.size()];
        Arrays.setAll(all, i -> i);
        if (sharePrefixes) {
            // What is computed in different ways cannot be shared.
            Arrays.stream(all).map(i -> packer.sequences.get(i).group()).distinct().forEach(group ->
                    packer.addGroups(Arrays.stream(all).filter(i -> packer.sequences.get(i).group() == group)
                            .toArray(), 0, List.of()));
        } else {
            for (int i : all) {
                packer.addSegment(new int[] {i}, 0, sequences.get(i).length(), List.of());
            }
        }
        return packer.build();
    }

    /** Adds sequences that agree up to {@code from}, those with the same continuation together, in their order. */
    private void addGroups(int[] members, int from, List<AttentionLayout.Range> context) {
        boolean[] done = new boolean[members.length];
        int[] group = new int[members.length];
        for (int i = 0; i < members.length; i++) {
            if (done[i] || from >= ids(members[i]).length) {
                continue;
            }
            int size = 0;
            for (int j = i; j < members.length; j++) {
                if (!done[j] && continuesAlike(ids(members[i]), ids(members[j]), from)) {
                    done[j] = true;
                    group[size++] = members[j];
                }
            }
            addGroup(Arrays.copyOf(group, size), from, context);
        }
    }

    private int[] ids(int sequence) {
        return sequences.get(sequence).ids();
    }

    /** Whether the next few tokens are the same, as far as both go on and end alike. */
    private static boolean continuesAlike(int[] a, int[] b, int from) {
        return Arrays.equals(a, from, Math.min(a.length, from + SHORTEST_SHARED),
                b, Math.min(b.length, from), Math.min(b.length, from + SHORTEST_SHARED));
    }

    private void addGroup(int[] group, int from, List<AttentionLayout.Range> context) {
        int end = group.length == 1 ? ids(group[0]).length : commonEnd(group, from);
        int start = addSegment(group, from, end, context);
        if (group.length > 1) {
            List<AttentionLayout.Range> longer = new ArrayList<>(context);
            longer.add(new AttentionLayout.Range(start, start + end - from));
            addGroups(group, end, longer);
        }
    }

    private int commonEnd(int[] group, int from) {
        int[] first = ids(group[0]);
        int end = first.length;
        for (int member : group) {
            int[] ids = ids(member);
            int mismatch = Arrays.mismatch(first, from, end, ids, from, Math.min(end, ids.length));
            end = mismatch < 0 ? end : from + mismatch;
        }
        return end;
    }

    private int addSegment(int[] group, int from, int end, List<AttentionLayout.Range> context) {
        int start = rows;
        int[] ids = ids(group[0]);
        for (int position = from; position < end; position++) {
            tokens[rows] = ids[position];
            positions[rows] = position;
            groups[rows] = sequences.get(group[0]).group();
            for (int member : group) {
                rowOf[member][position] = rows;
            }
            rows++;
        }
        segments.add(new AttentionLayout.Segment(start, rows, context, start, 0));
        return start;
    }

    private PackedBatch build() {
        int[] lastRows = new int[rowOf.length];
        int count = 0;
        for (int s = 0; s < rowOf.length; s++) {
            lastRows[s] = rowOf[s][rowOf[s].length - 1];
            count += sequences.get(s).supervisedTokens();
        }
        PackedBatch.Targets targets = new PackedBatch.Targets(new int[count], new int[count], new float[count],
                new int[count]);
        int next = 0;
        for (int s = 0; s < rowOf.length; s++) {
            float[] weights = sequences.get(s).weights();
            for (int t = 1; t < weights.length; t++) {
                if (weights[t] != 0) {
                    targets.rows()[next] = rowOf[s][t - 1];
                    targets.ids()[next] = ids(s)[t];
                    targets.sequences()[next] = s;
                    targets.weights()[next++] = weights[t];
                }
            }
        }
        PackedBatch batch = new PackedBatch(Arrays.copyOf(tokens, rows), Arrays.copyOf(positions, rows),
                new AttentionLayout(segments), targets, lastRows, new int[0]);
        boolean mixed = sequences.stream().anyMatch(sequence -> sequence.group() != 0);
        return mixed ? batch.withGroups(Arrays.copyOf(groups, rows)) : batch;
    }
}
