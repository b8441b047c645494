package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import io.peft4j.core.kernel.AttentionLayout.Sight;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What the rows of a layout see, also where some of them are selected. */
class AttentionLayoutTest {
    /** The keys that each query row sees, in their order. */
    private static List<List<Integer>> visible(AttentionLayout layout) {
        List<List<Integer>> rows = new ArrayList<>();
        for (Segment segment : layout.segments()) {
            List<Integer> keys = new ArrayList<>();
            segment.context().forEach(range -> IntStream.range(range.start(), range.end()).forEach(keys::add));
            int context = keys.size();
            IntStream.range(segment.ownKeyStart(), segment.ownKeyEnd()).forEach(keys::add);
            for (int i = 0; i < segment.queries(); i++) {
                int place = context + segment.ownKeysBefore() + i;
                List<Integer> seen = new ArrayList<>();
                for (int j = 0; j < keys.size(); j++) {
                    if (sees(segment, place, j)) {
                        seen.add(keys.get(j));
                    }
                }
                rows.add(seen);
            }
        }
        return rows;
    }

    /** As transformers says it. */
    private static boolean sees(Segment segment, int query, int key) {
        return switch (segment.sight()) {
            case CAUSAL -> key <= query && (segment.window() == 0 || key > query - segment.window());
            case BIDIRECTIONAL -> segment.window() == 0 || (key > query ? key - query <= segment.window() / 2
                    : query - key < (segment.window() + 1) / 2);
            case CROSS -> true;
        };
    }

    @Test
    void aRowSeesOneIntervalOfTheKeysOfItsSegment() {
        Map<String, AttentionLayout> layouts = new LinkedHashMap<>(AttentionContract.otherLayouts());
        layouts.putAll(AttentionContract.cachedLayouts());
        layouts.forEach((name, layout) -> {
            for (Segment segment : layout.segments()) {
                for (int i = 0; i < segment.queries(); i++) {
                    for (int j = 0; j < segment.keys(); j++) {
                        assertEquals(sees(segment, segment.position(i), j),
                                segment.seenFrom(i) <= j && j < segment.seenTo(i), name + ", row " + i + ", key " + j);
                    }
                }
            }
        });
    }

    @Test
    void aWindowThatHidesNothingChangesNothing() {
        AttentionLayout causal = AttentionLayout.packed(7, 5);
        assertSame(causal, causal.windowed(7));
        AttentionLayout narrow = causal.windowed(6);
        assertSame(narrow, causal.windowed(6), "asked for again");
        assertEquals(List.of(6, 0), narrow.segments().stream().map(Segment::window).toList());
        assertFalse(narrow.isCausal());
        assertEquals(causal.segments(), narrow.windowed(100).segments());
        AttentionLayout encoder = AttentionLayout.bidirectional(4);
        assertSame(encoder, encoder.windowed(7));
        assertEquals(4, encoder.windowed(4).segments().get(0).window());
        AttentionLayout cross = AttentionLayout.cross(new int[] {9}, new int[] {9});
        assertSame(cross, cross.windowed(1));
        assertThrows(IllegalArgumentException.class, () -> causal.windowed(0));
    }

    @Test
    void keysBeforeAnEncoderAreSeenByAll() {
        List<List<Integer>> rows = visible(AttentionLayout.bidirectional(2, 1).behind(3, 0));
        assertEquals(List.of(List.of(0, 1, 2, 3, 4), List.of(0, 1, 2, 3, 4), List.of(0, 1, 2, 5)), rows);
        assertThrows(IllegalArgumentException.class, () -> AttentionLayout.bidirectional(2).behind(3, 3));
        assertEquals(List.of(0, 1), visible(AttentionLayout.packed(2).behind(1, 1)).get(1));
    }

    @Test
    void segmentsThatMakeNoSenseAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> Segment.cross(0, 2, List.of(new Range(3, 3))));
        assertThrows(IllegalArgumentException.class,
                () -> new Segment(0, 2, List.of(new Range(0, 3)), 4, 0, 0, Sight.CROSS, 0));
        assertThrows(IllegalArgumentException.class, () -> new Segment(0, 2, List.of(), 0, 0, 1, Sight.CAUSAL, 0));
        assertThrows(IllegalArgumentException.class, () -> new Segment(0, 2, List.of(), 0, 0, 0, Sight.CAUSAL, -1));
        assertThrows(IllegalArgumentException.class,
                () -> AttentionLayout.cross(new int[] {1, 2}, new int[] {1}));
    }

    @Test
    void selectedRowsSeeWhatTheySawBefore() {
        Map<String, AttentionLayout> layouts = new LinkedHashMap<>(AttentionContract.trainingLayouts());
        layouts.putAll(AttentionContract.cachedLayouts());
        layouts.putAll(AttentionContract.otherLayouts());
        Random random = new Random(3);
        layouts.forEach((name, layout) -> {
            List<List<Integer>> all = visible(layout);
            assertEquals(layout.queryRows(), all.size());
            for (double share : new double[] {0.05, 0.5, 0.9, 1}) {
                int[] rows = IntStream.range(0, all.size()).filter(i -> random.nextDouble() < share).toArray();
                List<List<Integer>> expected = IntStream.of(rows).mapToObj(all::get).toList();
                assertEquals(expected, visible(layout.select(rows)), name);
            }
        });
    }

    @Test
    void neighboursStayTogether() {
        Range prefix = new Range(0, 3);
        AttentionLayout layout = new AttentionLayout(List.of(new Segment(0, 3, List.of(), 0, 0),
                new Segment(3, 9, List.of(prefix), 3, 0), new Segment(9, 12, List.of(prefix), 9, 0)));
        assertEquals(List.of(new Segment(0, 1, List.of(), 0, 2), new Segment(1, 3, List.of(prefix), 3, 1),
                new Segment(3, 4, List.of(prefix), 3, 5), new Segment(4, 6, List.of(prefix), 9, 0)),
                layout.select(2, 4, 5, 8, 9, 10).segments());
        assertEquals(layout.segments(), layout.select(IntStream.range(0, 12).toArray()).segments());
        assertEquals(0, layout.select().queryRows());
    }

    @Test
    void rowsMustBeThereAndInOrder() {
        AttentionLayout layout = AttentionLayout.packed(4, 3);
        for (int[] rows : new int[][] {{7}, {-1}, {3, 2}, {1, 1}, {5, 0}}) {
            assertThrows(IllegalArgumentException.class, () -> layout.select(rows));
        }
    }
}
