package io.peft4j.core.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What comes before all sequences of a batch: rows of virtual tokens, or keys and values. */
class VirtualTokensTest {
    /** Five tokens that both have, then two and one of their own. */
    private static final PackedBatch BATCH = PackedBatch.sharingPrefixes(List.of(
            TokenSequence.allSupervised(4, 5, 6, 7, 8, 1, 2), TokenSequence.allSupervised(4, 5, 6, 7, 8, 3)));

    @Test
    void virtualTokensAreSeenByAllRows() {
        PackedBatch longer = BATCH.withVirtualTokens(3);
        assertArrayEquals(new int[] {0, 0, 0, 4, 5, 6, 7, 8, 1, 2, 3}, longer.tokens());
        assertArrayEquals(new int[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 8}, longer.positions());
        assertArrayEquals(new int[] {0, 1, 2, -1, -1, -1, -1, -1, -1, -1, -1}, longer.virtualTokens());
        assertArrayEquals(new int[] {9, 10}, longer.lastRows());
        assertArrayEquals(BATCH.targets().ids(), longer.targets().ids());
        for (int i = 0; i < BATCH.targets().count(); i++) {
            assertEquals(BATCH.targets().rows()[i] + 3, longer.targets().rows()[i]);
        }
        assertEquals(List.of(new Segment(0, 3, List.of(), 0, 0), new Segment(3, 8, List.of(new Range(0, 3)), 3, 0),
                new Segment(8, 10, List.of(new Range(0, 3), new Range(3, 8)), 8, 0),
                new Segment(10, 11, List.of(new Range(0, 3), new Range(3, 8)), 10, 0)), longer.layout().segments());
        assertArrayEquals(new int[] {2, -1}, longer.select(2, 5).virtualTokens());
        assertArrayEquals(new int[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, longer.withCacheRows().cacheRows());
    }

    /** Each of them sees its own, and shares no row with the other. */
    @Test
    void virtualTokensOfTasks() {
        PackedBatch two = PackedBatch.sharingPrefixes(List.of(TokenSequence.unsupervised(4, 5, 6, 7).inTask(2),
                TokenSequence.unsupervised(4, 5, 6, 7), TokenSequence.unsupervised(4, 5, 6, 7, 8).inTask(2)));
        assertArrayEquals(new int[] {2, 2, 2, 2, 2, -1, -1, -1, -1}, IntStream.range(0, 9).map(two::task).toArray());
        PackedBatch longer = two.withVirtualTokens(2, task -> 2 * Math.max(0, task));
        assertArrayEquals(new int[] {0, 1, 4, 5, -1, -1, -1, -1, -1, -1, -1, -1, -1}, longer.virtualTokens());
        assertArrayEquals(new int[] {0, 1, 0, 1, 2, 3, 4, 5, 6, 2, 3, 4, 5}, longer.positions());
        assertArrayEquals(new int[] {7, 12, 8}, longer.lastRows());
        assertEquals(List.of(new Segment(0, 2, List.of(), 0, 0), new Segment(2, 4, List.of(), 2, 0),
                new Segment(4, 8, List.of(new Range(2, 4)), 4, 0),
                new Segment(8, 9, List.of(new Range(2, 4), new Range(4, 8)), 8, 0),
                new Segment(9, 13, List.of(new Range(0, 2)), 9, 0)), longer.layout().segments());
        assertArrayEquals(new int[] {0, 1, 9, 10, 11, 12}, longer.rowsOfTasks().get(TokenSequence.NO_TASK));
        assertArrayEquals(new int[] {0, 1}, longer.select(3, 4, 12).rowsOfTasks().get(2));
    }

    @Test
    void anEncodersSequencesHaveVirtualTokensOfTheirOwn() {
        PackedBatch read = PackedBatch.of(List.of(TokenSequence.unsupervised(5, 6),
                TokenSequence.unsupervised(7).inGroup(1))).withVirtualTokensInEach(2);
        assertArrayEquals(new int[] {0, 0, 5, 6, 0, 0, 7}, read.tokens());
        assertArrayEquals(new int[] {0, 1, 2, 3, 0, 1, 2}, read.positions());
        assertArrayEquals(new int[] {0, 1, -1, -1, 0, 1, -1}, read.virtualTokens());
        assertArrayEquals(new int[] {0, 0, 0, 0, 1, 1, 1}, read.groups());
        assertEquals(List.of(Segment.bidirectional(0, 4, List.of(), 0), Segment.bidirectional(4, 7, List.of(), 4)),
                read.seeingAll().layout().segments());
        assertThrows(IllegalStateException.class, () -> BATCH.withVirtualTokensInEach(1));
        assertThrows(IllegalArgumentException.class, () -> PackedBatch.of(List.of(TokenSequence.unsupervised(5)))
                .withVirtualTokens(1).seeingAll());
    }

    @Test
    void aPrefixOfKeysIsSeenByAllRows() {
        PackedBatch behind = BATCH.afterPast(2);
        assertEquals(BATCH.rows(), behind.rows());
        assertArrayEquals(new int[] {2, 3, 4, 5, 6, 7, 8, 7}, behind.positions());
        assertArrayEquals(BATCH.lastRows(), behind.lastRows());
        assertEquals(BATCH.rows() + 2, behind.layout().keyRows());
        assertEquals(new Segment(5, 7, List.of(new Range(0, 2), new Range(2, 7)), 7, 0),
                behind.layout().segments().get(1));
        assertArrayEquals(new int[] {2, 3, 4, 5, 6, 7, 8, 9}, behind.withCacheRows().cacheRows());
    }

    @Test
    void aPrefixIsRowsOrKeysAndAtLeastOne() {
        AttentionLayout layout = AttentionLayout.packed(2);
        assertThrows(IllegalArgumentException.class, () -> layout.behind(0, 0));
        assertThrows(IllegalArgumentException.class, () -> layout.behind(3, 2));
    }
}
