package io.peft4j.core.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Which key rows each query row of a packed batch sees.
 *
 * <p>Query rows are cut into segments, one after the other without gaps. A row of a segment sees the segment's context
 * (whole ranges of key rows, for instance a prefix shared with other segments) and then, causally, the segment's own
 * key rows: row {@code i} (counted from 0) sees {@code ownKeysBefore + i + 1} of them. Nothing else is visible, so
 * examples that share a batch never see each other.
 *
 * <p>In training the key rows are the rows of the same batch and {@code ownKeysBefore} is 0. In generation they are
 * rows of a key/value cache, and {@code ownKeysBefore} counts what the cache already holds of the sequence.
 */
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

    /**
     * One segment of query rows.
     *
     * @param queryStart first query row
     * @param queryEnd the row after the last
     * @param context key ranges that every row of the segment sees, in order
     * @param ownKeyStart first key row of the segment itself
     * @param ownKeysBefore own key rows that precede the first query row
     */
    public record Segment(int queryStart, int queryEnd, List<Range> context, int ownKeyStart, int ownKeysBefore) {
        /** Copies the list and checks the numbers. */
        public Segment {
            context = List.copyOf(context);
            if (queryStart < 0 || queryEnd <= queryStart || ownKeyStart < 0 || ownKeysBefore < 0) {
                throw new IllegalArgumentException("bad attention segment: query rows " + queryStart + " to " + queryEnd
                        + ", own keys from " + ownKeyStart + " with " + ownKeysBefore + " before");
            }
        }

        /** The number of query rows. */
        public int queries() {
            return queryEnd - queryStart;
        }

        /** The number of context keys. */
        public int contextKeys() {
            return context.stream().mapToInt(Range::length).sum();
        }

        /** The number of keys that the last query row sees. */
        public int keys() {
            return contextKeys() + ownKeysBefore + queries();
        }

        /** The row after the last own key row. */
        public int ownKeyEnd() {
            return ownKeyStart + ownKeysBefore + queries();
        }
    }

    private final List<Segment> segments;
    private final int keyRows;

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
                selected.add(new Segment(first, next, segment.context(), segment.ownKeyStart(),
                        segment.ownKeysBefore() + rows[first] - segment.queryStart()));
            }
        }
        return new AttentionLayout(selected);
    }

    /**
     * The same rows behind {@code keys} further key rows that all of them see, as a prefix of every sequence.
     *
     * @param keys key rows that come first
     * @param queries of these, key rows that are query rows as well, in one segment of their own: all, or none
     * @throws IllegalArgumentException when neither all nor none of them are query rows
     */
    public AttentionLayout behind(int keys, int queries) {
        if (keys <= 0 || queries != 0 && queries != keys) {
            throw new IllegalArgumentException("a prefix needs at least one key row, and as many query rows or none; "
                    + "got " + keys + " and " + queries);
        }
        List<Segment> shifted = new ArrayList<>();
        if (queries > 0) {
            shifted.add(new Segment(0, queries, List.of(), 0, 0));
        }
        for (Segment segment : segments) {
            List<Range> context = new ArrayList<>(List.of(new Range(0, keys)));
            segment.context().forEach(range -> context.add(new Range(range.start() + keys, range.end() + keys)));
            shifted.add(new Segment(segment.queryStart() + queries, segment.queryEnd() + queries, context,
                    segment.ownKeyStart() + keys, segment.ownKeysBefore()));
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
