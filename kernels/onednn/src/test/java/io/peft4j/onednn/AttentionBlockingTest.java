package io.peft4j.onednn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import io.peft4j.onednn.AttentionBlocking.Block;
import io.peft4j.onednn.AttentionBlocking.Group;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Blocks show each row exactly the keys that the layout shows it. */
class AttentionBlockingTest {
    private static List<Integer> expected(Segment segment, int row) {
        List<Integer> keys = new ArrayList<>();
        segment.context().forEach(range -> IntStream.range(range.start(), range.end()).forEach(keys::add));
        IntStream.range(segment.ownKeyStart(), segment.ownKeyEnd()).forEach(keys::add);
        int i = row - segment.queryStart();
        return keys.subList(segment.seenFrom(i), segment.seenTo(i));
    }

    private static List<Integer> visible(Block block, int row) {
        List<Integer> keys = new ArrayList<>();
        block.keys().forEach(range -> IntStream.range(range.start(), range.end()).forEach(keys::add));
        assertEquals(keys.size(), block.count());
        assertEquals(0, block.columns() % 32);
        assertTrue(block.columns() >= keys.size() && block.columns() <= keys.size() + 32);
        int i = row - block.row();
        return keys.subList(block.from(i), block.to(i));
    }

    /** Blocks have no columns that none of their rows sees, beside the padding. */
    private static void checkBounds(Segment segment, Block block) {
        assertEquals(0, block.from(0));
        assertEquals(block.count(), block.to(block.rows() - 1));
        int first = block.row() - segment.queryStart();
        assertEquals(segment.seenFrom(first) - segment.position(first), block.distance());
        for (int i = block.rows(); i < block.padded(); i++) {
            assertTrue(block.from(i) < block.to(i), "padding sees something, so that its softmax is a number");
        }
    }

    /** What is read in place are rows of one range, which all hold keys. */
    private static void checkInPlace(AttentionLayout layout, Block block) {
        if (block.inPlace()) {
            assertEquals(1, block.keys().size());
            int start = block.keys().get(0).start();
            for (int k = start; k < start + block.columns(); k++) {
                int key = k;
                assertTrue(layout.segments().stream().anyMatch(s -> s.ownKeyStart() <= key && key < s.ownKeyEnd()
                        || s.context().stream().anyMatch(c -> c.start() <= key && key < c.end())),
                        "row " + key + " holds no key");
            }
        }
    }

    private static void check(AttentionLayout layout) {
        check(layout, 0);
        check(layout, 1);
    }

    private static void check(AttentionLayout layout, int spare) {
        AttentionBlocking plan = new AttentionBlocking(layout, 3, spare);
        TreeSet<Integer> rows = new TreeSet<>();
        for (Block block : plan.blocks()) {
            assertTrue(block.padded() >= block.rows() && block.padded() % 16 * Math.max(0, block.padded() - 4) == 0);
            for (int row = block.row(); row < block.row() + block.rows(); row++) {
                assertTrue(rows.add(row), "row " + row + " is in two blocks");
                int wanted = row;
                Segment segment = layout.segments().stream()
                        .filter(s -> s.queryStart() <= wanted && wanted < s.queryEnd()).findFirst().orElseThrow();
                assertEquals(expected(segment, row), visible(block, row), "row " + row);
                checkBounds(segment, block);
                assertTrue(block.columns() >= block.count() + spare);
            }
        }
        assertEquals(layout.queryRows(), rows.size());
        int end = 0;
        int blocks = 0;
        for (Group group : plan.groups()) {
            assertTrue(group.keyStart() >= end, "groups share keys");
            end = group.keyEnd();
            blocks += group.blocks().size();
            for (Block block : group.blocks()) {
                checkInPlace(layout, block);
                for (Range range : block.keys()) {
                    assertTrue(range.start() >= group.keyStart() && range.end() <= group.keyEnd());
                }
                int first = block.keys().get(0).start() - group.keyStart();
                assertTrue(!block.inPlace() || first + block.columns() <= group.paddedKeys());
            }
        }
        assertEquals(plan.blocks().size(), blocks);
    }

    @Test
    void packedSequences() {
        check(AttentionLayout.packed(1));
        check(AttentionLayout.packed(128, 128, 128, 128));
        check(AttentionLayout.packed(5, 1, 31, 32, 33, 300, 2048));
    }

    @Test
    void contextsAndCaches() {
        check(new AttentionLayout(List.of(new Segment(0, 45, List.of(), 0, 0),
                new Segment(45, 75, List.of(new Range(0, 45)), 45, 0),
                new Segment(75, 175, List.of(new Range(0, 45), new Range(50, 60)), 75, 0))));
        check(new AttentionLayout(List.of(new Segment(0, 1, List.of(new Range(9, 9), new Range(3, 70)), 100, 31),
                new Segment(1, 4, List.of(), 200, 7), new Segment(4, 5, List.of(new Range(3, 70)), 150, 0))));
    }

    @Test
    void encodersWindowsAndCrossAttention() {
        check(AttentionLayout.bidirectional(1, 64, 64, 200, 31));
        check(AttentionLayout.bidirectional(9, 500).windowed(64));
        check(AttentionLayout.packed(5, 1, 700).windowed(100));
        check(AttentionLayout.cross(new int[] {5, 130, 1}, new int[] {300, 7, 64}));
        check(new AttentionLayout(List.of(new Segment(0, 1, List.of(new Range(3, 70)), 100, 31),
                new Segment(1, 40, List.of(new Range(3, 70), new Range(80, 90)), 200, 7))).windowed(25));
        check(AttentionLayout.bidirectional(100, 3).behind(20, 0).windowed(30).select(0, 1, 5, 50, 51, 52, 99, 101));
    }

    @Test
    void aLongSequenceBehindAWindowCostsItsWindow() {
        AttentionBlocking plan = new AttentionBlocking(AttentionLayout.packed(10_000).windowed(256), 1, 0);
        for (Block block : plan.blocks()) {
            assertTrue(block.columns() <= 96 + 256 + 32, block.toString());
        }
    }

    @Test
    void rangesThatFollowEachOtherAreOne() {
        AttentionBlocking plan = new AttentionBlocking(new AttentionLayout(List.of(new Segment(0, 45, List.of(), 0, 0),
                new Segment(45, 75, List.of(new Range(0, 45)), 45, 0))), 3, 0);
        Block second = plan.blocks().stream().filter(block -> block.row() == 45).findFirst().orElseThrow();
        assertEquals(List.of(new Range(0, 75)), second.keys());
        assertFalse(second.inPlace(), "rows 75 to 95 hold no keys");
    }

    @Test
    void randomLengths() {
        Random random = new Random(5);
        for (int i = 0; i < 50; i++) {
            check(AttentionLayout.packed(random.ints(1 + random.nextInt(8), 1, 400).toArray()));
        }
    }
}
