package io.peft4j.onednn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.onednn.AttentionPlan.Block;
import io.peft4j.onednn.AttentionPlan.Group;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Blocks show each row exactly the keys that the layout shows it. */
class AttentionPlanTest {
    private static final AttentionShape SHAPE = new AttentionShape(9, 3, 64, 0.125f);

    private static List<Integer> expected(Segment segment, int row) {
        List<Integer> keys = new ArrayList<>();
        segment.context().forEach(range -> {
            for (int k = range.start(); k < range.end(); k++) {
                keys.add(k);
            }
        });
        for (int k = 0; k <= segment.ownKeysBefore() + row - segment.queryStart(); k++) {
            keys.add(segment.ownKeyStart() + k);
        }
        return keys;
    }

    private static List<Integer> visible(Block block, int row) {
        List<Integer> keys = new ArrayList<>();
        for (Range range : block.keys()) {
            for (int k = range.start(); k < range.end(); k++) {
                keys.add(k);
            }
        }
        assertEquals(0, block.columns() % 32);
        assertTrue(block.columns() >= keys.size() && block.columns() < keys.size() + 32);
        assertEquals(keys.size(), block.visible() + block.rows() - 1, "the last row sees the last key");
        return keys.subList(0, block.visible() + row - block.row());
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
        AttentionPlan plan = new AttentionPlan(layout, SHAPE);
        TreeSet<Integer> rows = new TreeSet<>();
        for (Block block : plan.blocks()) {
            assertTrue(block.padded() >= block.rows() && block.padded() % 16 * Math.max(0, block.padded() - 4) == 0);
            for (int row = block.row(); row < block.row() + block.rows(); row++) {
                assertTrue(rows.add(row), "row " + row + " is in two blocks");
                int wanted = row;
                Segment segment = layout.segments().stream()
                        .filter(s -> s.queryStart() <= wanted && wanted < s.queryEnd()).findFirst().orElseThrow();
                assertEquals(expected(segment, row), visible(block, row), "row " + row);
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
    void rangesThatFollowEachOtherAreOne() {
        AttentionPlan plan = new AttentionPlan(new AttentionLayout(List.of(new Segment(0, 45, List.of(), 0, 0),
                new Segment(45, 75, List.of(new Range(0, 45)), 45, 0))), SHAPE);
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
