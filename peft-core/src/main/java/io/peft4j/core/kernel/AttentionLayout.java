package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Which key rows each query row of a packed batch sees.
 *
 * <p>Query rows are cut into segments, one after the other without gaps. The keys of a segment are its context (whole
 * ranges of key rows, for instance a prefix shared with other segments) and then the segment's own key rows; in this
 * order they have the numbers 0, 1, 2, ... Row {@code i} of a segment (counted from 0) is at key p, which is the
 * number of context keys + {@code ownKeysBefore + i}. What it sees of the segment's keys follows from the
 * {@link Sight} and the window: one interval of numbers, {@link Segment#seenFrom} to {@link Segment#seenTo}. Nothing
 * else is visible, so examples that share a batch never see each other.
 *
 * <p>In training the key rows are the rows of the same batch and {@code ownKeysBefore} is 0. In generation they are
 * rows of a key/value cache, and {@code ownKeysBefore} counts what the cache already holds of the sequence. In cross
 * attention they are the rows of the encoder, and all of them are context.
 */
@Internal(shared = true)
public final class AttentionLayout {
    /** Key rows {@code start} (inclusive) to {@code end} (exclusive). */
    public record Range(int start, int end) {
        /** Checks the order. */
        public Range {
            if (start < 0 || end < start) {
                throw new IllegalArgumentException("bad range of key rows: " + start + " to " + end);
            }
        }

        /** The number of rows. */
        public int length() {
            return end - start;
        }
    }

    /** Which of a segment's keys its rows see, where no window narrows it. */
    public enum Sight {
        /** All keys up to the one of the row: decoders. */
        CAUSAL,
        /** All keys: encoders. */
        BIDIRECTIONAL,
        /** All keys, which are context: the segment has none of its own. Attention of a decoder to an encoder. */
        CROSS
    }

    /**
     * One segment of query rows.
     *
     * @param queryStart first query row
     * @param queryEnd the row after the last
     * @param context key ranges that come before the segment's own keys, in order
     * @param ownKeyStart first key row of the segment itself
     * @param ownKeysBefore own key rows that precede that of the first query row
     * @param ownKeysAfter own key rows that follow that of the last query row; 0 unless {@link Sight#BIDIRECTIONAL}
     * @param sight which keys the rows see
     * @param window 0: no window; otherwise the number of keys that a row sees, its own among them: a
     *     {@link Sight#CAUSAL} one the last ones, a {@link Sight#BIDIRECTIONAL} one as many behind it as before it, and
     *     of an even number one more behind it
     */
    public record Segment(int queryStart, int queryEnd, List<Range> context, int ownKeyStart, int ownKeysBefore,
            int ownKeysAfter, Sight sight, int window) {
        /** Copies the list and checks the numbers. */
        public Segment {
            context = List.copyOf(context);
            if (queryStart < 0 || queryEnd <= queryStart || ownKeyStart < 0 || ownKeysBefore < 0 || ownKeysAfter < 0
                    || ownKeysAfter > 0 && sight != Sight.BIDIRECTIONAL || window < 0) {
                throw new IllegalArgumentException("bad attention segment: query rows " + queryStart + " to " + queryEnd
                        + ", own keys from " + ownKeyStart + " with " + ownKeysBefore + " before and " + ownKeysAfter
                        + " after, " + sight + ", window " + window);
            }
            if (sight == Sight.CROSS && (ownKeyStart > 0 || ownKeysBefore > 0 || window > 0
                    || context.stream().allMatch(range -> range.length() == 0))) {
                throw new IllegalArgumentException("a segment of cross attention needs keys in its context, and can "
                        + "have neither own keys nor a window; got " + context);
            }
        }

        /** A causal segment. */
        public Segment(int queryStart, int queryEnd, List<Range> context, int ownKeyStart, int ownKeysBefore) {
            this(queryStart, queryEnd, context, ownKeyStart, ownKeysBefore, 0, Sight.CAUSAL, 0);
        }

        /** A segment whose rows see its context and all of each other. */
        public static Segment bidirectional(int queryStart, int queryEnd, List<Range> context, int ownKeyStart) {
            return new Segment(queryStart, queryEnd, context, ownKeyStart, 0, 0, Sight.BIDIRECTIONAL, 0);
        }

        /** A segment whose rows see all of {@code keys} and nothing else. */
        public static Segment cross(int queryStart, int queryEnd, List<Range> keys) {
            return new Segment(queryStart, queryEnd, keys, 0, 0, 0, Sight.CROSS, 0);
        }

        /** The number of query rows. */
        public int queries() {
            return queryEnd - queryStart;
        }

        /** The number of context keys. */
        public int contextKeys() {
            // Asked for each row: a stream would be most of what a row allocates.
            int keys = 0;
            for (Range range : context) {
                keys += range.length();
            }
            return keys;
        }

        /** The number of own keys. */
        public int ownKeys() {
            return sight == Sight.CROSS ? 0 : ownKeysBefore + queries() + ownKeysAfter;
        }

        /** The number of keys, context and own. */
        public int keys() {
            return contextKeys() + ownKeys();
        }

        /** The row after the last own key row. */
        public int ownKeyEnd() {
            return ownKeyStart + ownKeys();
        }

        /** The number p of the key of row {@code i} of the segment. */
        public int position(int i) {
            return contextKeys() + ownKeysBefore + i;
        }

        /** The number of the first key that row {@code i} of the segment sees. */
        public int seenFrom(int i) {
            if (window == 0) {
                return 0;
            }
            return Math.max(0, position(i) - (sight == Sight.CAUSAL ? window - 1 : (window - 1) / 2));
        }

        /** The number after that of the last key that row {@code i} of the segment sees. */
        public int seenTo(int i) {
            if (sight == Sight.CAUSAL) {
                return position(i) + 1;
            }
            return window == 0 ? keys() : Math.min(keys(), position(i) + window / 2 + 1);
        }

        /** The rows of keys number {@code from} to {@code to}, the last excluded: ranges with gaps between them. */
        public List<Range> keyRows(int from, int to) {
            List<Range> all = new ArrayList<>(context);
            all.add(new Range(ownKeyStart, ownKeyEnd()));
            List<Range> rows = new ArrayList<>();
            int before = 0;
            for (Range range : all) {
                int first = range.start() + Math.max(0, from - before);
                int end = range.start() + Math.min(range.length(), to - before);
                int last = rows.size() - 1;
                if (first < end && last >= 0 && rows.get(last).end() == first) {
                    rows.set(last, new Range(rows.get(last).start(), end));
                } else if (first < end) {
                    rows.add(new Range(first, end));
                }
                before += range.length();
            }
            return List.copyOf(rows);
        }

        /** The same rows with another window, or none where it would hide nothing. */
        Segment windowed(int newWindow) {
            int reach = sight == Sight.BIDIRECTIONAL ? (newWindow + 1) / 2 : newWindow;
            int effective = sight == Sight.CROSS || keys() <= reach ? 0 : newWindow;
            return effective == window ? this : new Segment(queryStart, queryEnd, context, ownKeyStart, ownKeysBefore,
                    ownKeysAfter, sight, effective);
        }

        /** Rows {@code first} to {@code last}, which become query rows {@code start} and after. */
        private Segment rows(int first, int last, int start) {
            int after = sight == Sight.BIDIRECTIONAL ? ownKeysAfter + queries() - last : 0;
            return new Segment(start, start + last - first, context, ownKeyStart,
                    sight == Sight.CROSS ? 0 : ownKeysBefore + first, after, sight, window);
        }

        /** The same rows {@code queries} further, behind {@code keys} key rows of which all of them see some. */
        private Segment behind(Range seen, int keys, int queries) {
            List<Range> longer = new ArrayList<>(List.of(seen));
            context.forEach(range -> longer.add(new Range(range.start() + keys, range.end() + keys)));
            return new Segment(queryStart + queries, queryEnd + queries, longer,
                    sight == Sight.CROSS ? 0 : ownKeyStart + keys, ownKeysBefore, ownKeysAfter, sight, window);
        }
    }

    private final List<Segment> segments;
    private final int keyRows;
    private final boolean causal;
    /** The last one that was asked for: each layer of a pass asks again. */
    private volatile Windowed windowed;

    private record Windowed(int window, AttentionLayout layout) {
    }

    /**
     * A layout of the given segments.
     *
     * @throws IllegalArgumentException when query rows have gaps or overlap
     */
    public AttentionLayout(List<Segment> segments) {
        this.segments = List.copyOf(Objects.requireNonNull(segments, "segments"));
        int row = 0;
        int keys = 0;
        for (Segment segment : this.segments) {
            if (segment.queryStart() != row) {
                throw new IllegalArgumentException("query rows " + row + " to " + segment.queryStart()
                        + " belong to no segment or to two");
            }
            row = segment.queryEnd();
            keys = Math.max(keys, segment.ownKeyEnd());
            for (Range range : segment.context()) {
                keys = Math.max(keys, range.end());
            }
        }
        this.keyRows = keys;
        this.causal = this.segments.stream().allMatch(s -> s.sight() == Sight.CAUSAL && s.window() == 0);
    }

    /** Independent sequences of the given lengths packed one after the other. */
    public static AttentionLayout packed(int... lengths) {
        Segment[] segments = new Segment[lengths.length];
        int row = 0;
        for (int i = 0; i < lengths.length; i++) {
            segments[i] = new Segment(row, row + lengths[i], List.of(), row, 0);
            row += lengths[i];
        }
        return new AttentionLayout(List.of(segments));
    }

    /** Independent sequences of the given lengths, each row of which sees all of its sequence. */
    public static AttentionLayout bidirectional(int... lengths) {
        List<Segment> segments = new ArrayList<>();
        int row = 0;
        for (int length : lengths) {
            segments.add(Segment.bidirectional(row, row + length, List.of(), row));
            row += length;
        }
        return new AttentionLayout(segments);
    }

    /**
     * Attention of packed sequences to packed others: sequence i has {@code queries[i]} query rows, which see all of
     * its {@code keys[i]} key rows.
     */
    public static AttentionLayout cross(int[] queries, int[] keys) {
        if (queries.length != keys.length) {
            throw new IllegalArgumentException(queries.length + " sequences of queries but " + keys.length
                    + " of keys");
        }
        List<Segment> segments = new ArrayList<>();
        int row = 0;
        int key = 0;
        for (int i = 0; i < queries.length; i++) {
            segments.add(Segment.cross(row, row + queries[i], List.of(new Range(key, key + keys[i]))));
            row += queries[i];
            key += keys[i];
        }
        return new AttentionLayout(segments);
    }

    /**
     * The same rows that see through a window, as layers with local attention do: see {@link Segment#window}. It
     * replaces a window that they have; rows of cross attention keep seeing all. Where it hides nothing, this layout.
     *
     * @param window keys that a row sees, its own among them; those of a bidirectional one lie on either side
     */
    public AttentionLayout windowed(int window) {
        if (window < 1) {
            throw new IllegalArgumentException("a window must hold at least 1 key, got " + window);
        }
        Windowed known = windowed;
        if (known == null || known.window() != window) {
            List<Segment> narrowed = segments.stream().map(segment -> segment.windowed(window)).toList();
            known = new Windowed(window, narrowed.equals(segments) ? this : new AttentionLayout(narrowed));
            windowed = known;
        }
        return known.layout();
    }

    /** Whether all segments are causal without a window. */
    public boolean isCausal() {
        return causal;
    }

    /**
     * The layout of some of the query rows: each sees what it sees here. Neighbours stay together in a segment.
     *
     * @param rows query rows of this layout, ascending
     * @throws IllegalArgumentException when they are not ascending or not rows of this layout
     */
    public AttentionLayout select(int... rows) {
        for (int i = 0; i < rows.length; i++) {
            if (rows[i] < 0 || rows[i] >= queryRows() || i > 0 && rows[i] <= rows[i - 1]) {
                throw new IllegalArgumentException("row " + rows[i] + " of " + queryRows()
                        + " query rows does not exist or is out of order");
            }
        }
        List<Segment> selected = new ArrayList<>();
        int next = 0;
        for (Segment segment : segments) {
            while (next < rows.length && rows[next] < segment.queryEnd()) {
                int first = next;
                while (++next < rows.length && rows[next] < segment.queryEnd() && rows[next] == rows[next - 1] + 1) {
                    // Counts the neighbours.
                }
                int from = rows[first] - segment.queryStart();
                selected.add(segment.rows(from, from + next - first, first));
            }
        }
        return new AttentionLayout(selected);
    }

    /**
     * The same rows behind {@code keys} further key rows that all of them see, as a prefix of every sequence.
     *
     * @param keys key rows that come first
     * @param queries of these, key rows that are query rows as well, in one segment of their own: all, or none
     * @throws IllegalArgumentException when neither all nor none of them are query rows, or they are and see the
     *     sequences, as all rows of a bidirectional one would
     */
    public AttentionLayout behind(int keys, int queries) {
        if (keys <= 0 || queries != 0 && queries != keys) {
            throw new IllegalArgumentException("a prefix needs at least one key row, and as many query rows or none; "
                    + "got " + keys + " and " + queries);
        }
        if (queries > 0) {
            return behindOneOf(1, keys, new int[segments.size()]);
        }
        return new AttentionLayout(segments.stream().map(segment -> segment.behind(new Range(0, keys), keys, 0))
                .toList());
    }

    /**
     * The same rows behind several prefixes, whose rows are query rows as well, in a segment for each.
     *
     * @param count how many prefixes
     * @param length rows of each
     * @param ofSegments for each segment the prefix that it sees
     * @throws IllegalArgumentException when rows of a prefix would see the sequences, as those of a bidirectional one
     */
    public AttentionLayout behindOneOf(int count, int length, int... ofSegments) {
        if (segments.stream().anyMatch(segment -> segment.sight() != Sight.CAUSAL)) {
            throw new IllegalArgumentException("query rows before sequences can be shared by them only where they do "
                    + "not see them: the attention must be causal");
        }
        List<Segment> shifted = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            shifted.add(new Segment(i * length, (i + 1) * length, List.of(), i * length, 0));
        }
        for (int i = 0; i < ofSegments.length; i++) {
            int first = ofSegments[i] * length;
            shifted.add(segments.get(i).behind(new Range(first, first + length), count * length, count * length));
        }
        return new AttentionLayout(shifted);
    }

    /** The segments in the order of their query rows. */
    public List<Segment> segments() {
        return segments;
    }

    /** N, the number of query rows. */
    public int queryRows() {
        return segments.isEmpty() ? 0 : segments.get(segments.size() - 1).queryEnd();
    }

    /** The smallest number of key rows that the layout can be used with. */
    public int keyRows() {
        return keyRows;
    }
}
