package io.peft4j.onednn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.onednn.AttentionPlan.Block;
import io.peft4j.onednn.AttentionPlan.Group;
import io.peft4j.onednn.AttentionPlan.KeyPart;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Blocks and their parts show each row exactly the keys that the layout shows it. */
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
        int column = 0;
        for (KeyPart part : block.parts()) {
            assertEquals(column, part.column());
            assertEquals(0, part.padded() % 32);
            column += part.padded();
            assertTrue(part.inPlace() || part.length() < part.padded(), "whole parts are read where they lie");
            int count = Math.min(part.padded(), part.visible() + (part.causal() ? row - block.row() : 0));
            assertTrue(count <= part.length(), "a padded key is visible");
            for (int k = 0; k < count; k++) {
                keys.add(part.start() + k);
            }
        }
        assertEquals(column, block.columns());
        return keys;
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
                for (KeyPart part : block.parts()) {
                    assertTrue(part.start() >= group.keyStart() && part.start() + part.length() <= group.keyEnd());
                    assertTrue(part.start() - group.keyStart() + part.padded() <= group.paddedKeys());
                }
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
    void randomLengths() {
        Random random = new Random(5);
        for (int i = 0; i < 50; i++) {
            check(AttentionLayout.packed(random.ints(1 + random.nextInt(8), 1, 400).toArray()));
        }
    }
}
