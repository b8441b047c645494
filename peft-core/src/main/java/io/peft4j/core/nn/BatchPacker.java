package io.peft4j.core.nn;

import io.peft4j.core.kernel.AttentionLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/**
 * Builds a {@link PackedBatch}. With shared prefixes the sequences form a tree: a beginning that at least two of them
 * have in common becomes one segment, which the segments that continue it see as context. Every token keeps its
 * position, so the loss and its gradients are those of the separate sequences; a shared row gets the sum of gradients.
 *
 * <p>Where adapters wait for an invocation, a row before it differs from the same token behind it. Sequences are
 * therefore compared by {@link #keys}: the token, or its complement where the sequence has been invoked.
 */
final class BatchPacker {
    /** A shared piece shorter than this costs more in bookkeeping than it saves. */
    private static final int SHORTEST_SHARED = 4;

    private final List<TokenSequence> sequences;
    private final int[][] keys;
    private final List<AttentionLayout.Segment> segments = new ArrayList<>();
    private final int[] tokens;
    private final int[] positions;
    private final int[] groups;
    private final boolean[] invoked;
    private final int[] types;
    private final int[] tasks;
    private final int[][] rowOf;
    private int rows;

    private BatchPacker(List<TokenSequence> sequences, IntUnaryOperator starts) {
        this.sequences = sequences;
        this.keys = new int[sequences.size()][];
        this.rowOf = new int[sequences.size()][];
        int length = 0;
        for (int i = 0; i < rowOf.length; i++) {
            rowOf[i] = new int[sequences.get(i).length()];
            keys[i] = sequences.get(i).ids().clone();
            for (int position = Math.max(0, starts.applyAsInt(i)); position < keys[i].length; position++) {
                keys[i][position] = ~keys[i][position];
            }
            length = Math.addExact(length, rowOf[i].length);
        }
        this.tokens = new int[length];
        this.positions = new int[length];
        this.groups = new int[length];
        this.invoked = new boolean[length];
        this.types = new int[length];
        this.tasks = new int[length];
    }

    /**
     * Packs.
     *
     * @param sharesPrefixes whether common beginnings are computed once
     * @param starts for each sequence the position of its invocation
     */
    static PackedBatch pack(List<TokenSequence> sequences, boolean sharesPrefixes, IntUnaryOperator starts) {
        if (sequences.isEmpty()) {
            throw new IllegalArgumentException("a batch needs at least one sequence");
        }
        if (sharesPrefixes && sequences.stream().anyMatch(each -> each.types().length > 0
                || each.source().length > 0)) {
            throw new IllegalArgumentException("sequences of two texts, or with a source, cannot share a prefix");
        }
        BatchPacker packer = new BatchPacker(List.copyOf(sequences), starts);
        int[] all = new int[sequences.size()];
        Arrays.setAll(all, i -> i);
        if (sharesPrefixes) {
            // What is computed in different ways cannot be shared.
            Map<List<Integer>, List<Integer>> alike = new LinkedHashMap<>();
            for (int i : all) {
                TokenSequence own = packer.sequences.get(i);
                alike.computeIfAbsent(List.of(own.group(), own.task()), way -> new ArrayList<>()).add(i);
            }
            alike.values().forEach(some -> packer.addGroups(some.stream().mapToInt(i -> i).toArray(), 0, List.of()));
        } else {
            for (int i : all) {
                packer.addSegment(new int[] {i}, 0, sequences.get(i).length(), List.of());
            }
        }
        return packer.build(sharesPrefixes);
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
                if (!done[j] && continuesAlike(keys[members[i]], keys[members[j]], from)) {
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
        int[] first = keys[group[0]];
        int end = first.length;
        for (int member : group) {
            int[] other = keys[member];
            int mismatch = Arrays.mismatch(first, from, end, other, from, Math.min(end, other.length));
            end = mismatch < 0 ? end : from + mismatch;
        }
        return end;
    }

    private int addSegment(int[] group, int from, int end, List<AttentionLayout.Range> context) {
        int start = rows;
        int[] ids = ids(group[0]);
        int[] typed = sequences.get(group[0]).types();
        for (int position = from; position < end; position++) {
            tokens[rows] = ids[position];
            positions[rows] = position;
            groups[rows] = sequences.get(group[0]).group();
            tasks[rows] = sequences.get(group[0]).task();
            invoked[rows] = keys[group[0]][position] < 0;
            types[rows] = position < typed.length ? typed[position] : 0;
            for (int member : group) {
                rowOf[member][position] = rows;
            }
            rows++;
        }
        segments.add(new AttentionLayout.Segment(start, rows, context, start, 0));
        return start;
    }

    /** What the encoder reads, where the sequences are an encoder-decoder's. */
    private Optional<PackedBatch.Source> source() {
        if (sequences.stream().noneMatch(sequence -> sequence.source().length > 0)) {
            return Optional.empty();
        }
        int[] each = new int[sequences.size()];
        Arrays.setAll(each, i -> i);
        return Optional.of(new PackedBatch.Source(PackedBatch.of(sequences.stream()
                .map(sequence -> TokenSequence.unsupervised(sequence.source()).inGroup(sequence.group())
                        .inTask(sequence.task()))
                .toList()),
                each));
    }

    private PackedBatch build(boolean sharesPrefixes) {
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
        boolean typed = sequences.stream().anyMatch(sequence -> sequence.types().length > 0);
        boolean mixed = sequences.stream().anyMatch(sequence -> sequence.group() != 0);
        boolean ofTasks = sequences.stream().anyMatch(sequence -> sequence.task() != TokenSequence.NO_TASK);
        boolean[] reached = Arrays.copyOf(invoked, rows);
        boolean waits = false;
        for (boolean row : reached) {
            waits |= !row;
        }
        RowMarks marks = new RowMarks(mixed ? Arrays.copyOf(groups, rows) : new int[0],
                waits ? reached : new boolean[0], new int[0],
                typed ? types : new int[0], new int[0], ofTasks ? Arrays.copyOf(tasks, rows) : new int[0]);
        return new PackedBatch(Arrays.copyOf(tokens, rows), Arrays.copyOf(positions, rows),
                new AttentionLayout(segments), targets, lastRows, new int[0], marks,
                Optional.of(new PackedBatch.Origin(sequences, sharesPrefixes, rowOf)), source());
    }
}
