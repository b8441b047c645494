package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What the rows of a layout see, also where some of them are selected. */
class AttentionLayoutTest {
    /** The key rows that each query row sees, in their order. */
    private static List<List<Integer>> visible(AttentionLayout layout) {
        List<List<Integer>> rows = new ArrayList<>();
        for (Segment segment : layout.segments()) {
            for (int i = 0; i < segment.queries(); i++) {
                List<Integer> keys = new ArrayList<>();
                segment.context().forEach(range -> IntStream.range(range.start(), range.end()).forEach(keys::add));
                IntStream.range(0, segment.ownKeysBefore() + i + 1).forEach(k -> keys.add(segment.ownKeyStart() + k));
                rows.add(keys);
            }
        }
        return rows;
    }

    @Test
    void selectedRowsSeeWhatTheySawBefore() {
        Map<String, AttentionLayout> layouts = new LinkedHashMap<>(AttentionContract.trainingLayouts());
        layouts.putAll(AttentionContract.cachedLayouts());
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
