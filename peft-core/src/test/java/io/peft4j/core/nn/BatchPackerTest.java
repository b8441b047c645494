package io.peft4j.core.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BatchPackerTest {
    private static TokenSequence all(int... ids) {
        return TokenSequence.allSupervised(ids);
    }

    @Test
    void sequencesFollowEachOtherWithoutPadding() {
        PackedBatch batch = PackedBatch.of(List.of(all(5, 6, 7), all(5, 6), all(9)));
        assertArrayEquals(new int[] {5, 6, 7, 5, 6, 9}, batch.tokens());
        assertArrayEquals(new int[] {0, 1, 2, 0, 1, 0}, batch.positions());
        assertEquals(List.of(new Segment(0, 3, List.of(), 0, 0), new Segment(3, 5, List.of(), 3, 0),
                new Segment(5, 6, List.of(), 5, 0)), batch.layout().segments());
        assertArrayEquals(new int[] {2, 4, 5}, batch.lastRows());
        assertArrayEquals(new int[] {0, 1, 3}, batch.targets().rows());
        assertArrayEquals(new int[] {6, 7, 6}, batch.targets().ids());
        assertArrayEquals(new int[] {0, 0, 1}, batch.targets().sequences());
        assertEquals(2, batch.maxPosition());
    }

    @Test
    void onlySupervisedTokensAreTargets() {
        TokenSequence sequence = new TokenSequence(new int[] {1, 2, 3, 4}, new float[] {1, 0, 0.5f, 2});
        PackedBatch batch = PackedBatch.of(List.of(TokenSequence.unsupervised(7, 8), sequence));
        assertArrayEquals(new int[] {3, 4}, batch.targets().rows());
        assertArrayEquals(new int[] {3, 4}, batch.targets().ids());
        assertArrayEquals(new float[] {0.5f, 2}, batch.targets().weights());
        assertEquals(2, batch.targets().count());
        assertEquals(2, sequence.supervisedTokens());
    }

    @Test
    void sequencesAreSharedUpToTheFirstInvocation() {
        PackedBatch batch = PackedBatch.sharingPrefixes(List.of(all(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
                all(1, 2, 3, 4, 5, 6, 7, 8, 9, 11), all(1, 2, 3, 4, 5, 6, 7, 8, 9, 20)));
        assertEquals(12, batch.rows());
        assertEquals(0, batch.invoked().length);
        PackedBatch marked = batch.invokedFrom(i -> new int[] {5, 5, 10}[i]);
        assertArrayEquals(new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 6, 7, 8, 9, 20}, marked.tokens());
        boolean[] expected = new boolean[16];
        java.util.Arrays.fill(expected, 5, 11, true);
        assertArrayEquals(expected, marked.invoked());
        assertArrayEquals(new int[] {9, 10, 15}, marked.lastRows());
        assertArrayEquals(new boolean[] {true, false}, marked.select(6, 11).invoked());
        boolean[] behind = marked.withVirtualTokens(2).invoked();
        assertArrayEquals(expected, java.util.Arrays.copyOfRange(behind, 2, behind.length));
        assertEquals(0, batch.invokedFrom(i -> 0).invoked().length);
        assertThrows(IllegalStateException.class, () -> marked.withVirtualTokens(2).invokedFrom(i -> 0));
    }

    @Test
    void selectedRowsKeepTheirTokensAndPositions() {
        PackedBatch batch = PackedBatch.sharingPrefixes(
                List.of(all(1, 2, 3, 4, 5, 10, 11), all(1, 2, 3, 4, 5, 20), all(7, 8)));
        PackedBatch selected = batch.select(1, 6, 7, 9);
        assertArrayEquals(new int[] {2, 11, 20, 8}, selected.tokens());
        assertArrayEquals(new int[] {1, 6, 5, 1}, selected.positions());
        assertEquals(batch.layout().select(1, 6, 7, 9).segments(), selected.layout().segments());
        assertEquals(0, selected.targets().count());
        assertEquals(6, selected.maxPosition());
    }

    @Test
    void aCommonBeginningIsComputedOnce() {
        PackedBatch batch = PackedBatch.sharingPrefixes(
                List.of(all(1, 2, 3, 4, 5, 10, 11), all(1, 2, 3, 4, 5, 20), all(7, 8)));
        assertArrayEquals(new int[] {1, 2, 3, 4, 5, 10, 11, 20, 7, 8}, batch.tokens());
        assertArrayEquals(new int[] {0, 1, 2, 3, 4, 5, 6, 5, 0, 1}, batch.positions());
        Range prefix = new Range(0, 5);
        assertEquals(List.of(new Segment(0, 5, List.of(), 0, 0), new Segment(5, 7, List.of(prefix), 5, 0),
                new Segment(7, 8, List.of(prefix), 7, 0), new Segment(8, 10, List.of(), 8, 0)),
                batch.layout().segments());
        assertArrayEquals(new int[] {6, 7, 9}, batch.lastRows());
        // Row 4 predicts 10 for the first sequence and 20 for the second; the shared targets count for both.
        assertArrayEquals(new int[] {0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 8}, batch.targets().rows());
        assertArrayEquals(new int[] {2, 3, 4, 5, 10, 11, 2, 3, 4, 5, 20, 8}, batch.targets().ids());
    }

    @Test
    void prefixesNest() {
        PackedBatch batch = PackedBatch.sharingPrefixes(List.of(all(1, 2, 3, 4, 5, 6, 7, 8, 9),
                all(1, 2, 3, 4, 5, 6, 7, 8, 10), all(1, 2, 3, 4, 30, 31, 32, 33)));
        assertArrayEquals(new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 30, 31, 32, 33}, batch.tokens());
        List<Segment> segments = batch.layout().segments();
        assertEquals(List.of(new Range(0, 4), new Range(4, 8)), segments.get(2).context());
        assertEquals(List.of(new Range(0, 4), new Range(4, 8)), segments.get(3).context());
        assertEquals(List.of(new Range(0, 4)), segments.get(4).context());
    }

    @Test
    void identicalSequencesShareAllRows() {
        PackedBatch batch = PackedBatch.sharingPrefixes(List.of(all(1, 2, 3, 4, 5), all(1, 2, 3, 4, 5)));
        assertArrayEquals(new int[] {1, 2, 3, 4, 5}, batch.tokens());
        assertArrayEquals(new int[] {4, 4}, batch.lastRows());
        assertArrayEquals(new int[] {0, 1, 2, 3, 0, 1, 2, 3}, batch.targets().rows());
        assertArrayEquals(new int[] {0, 0, 0, 0, 1, 1, 1, 1}, batch.targets().sequences());
    }

    @Test
    void aSequenceMayBeThePrefixOfAnother() {
        for (int order = 0; order < 2; order++) {
            TokenSequence shorter = all(1, 2, 3, 4, 5);
            TokenSequence longer = all(1, 2, 3, 4, 5, 6, 7);
            PackedBatch batch = PackedBatch.sharingPrefixes(
                    order == 0 ? List.of(shorter, longer) : List.of(longer, shorter));
            assertArrayEquals(new int[] {1, 2, 3, 4, 5, 6, 7}, batch.tokens());
            assertArrayEquals(order == 0 ? new int[] {4, 6} : new int[] {6, 4}, batch.lastRows());
        }
    }

    @Test
    void aVeryShortCommonBeginningIsNotWorthSharing() {
        PackedBatch batch = PackedBatch.sharingPrefixes(List.of(all(1, 2, 3, 10, 11), all(1, 2, 3, 20, 21)));
        assertEquals(10, batch.rows());
    }

    /** Whatever the tree: following a sequence's rows gives its tokens, and it sees exactly its own past. */
    @Test
    void everySequenceSeesItsOwnPastAndNothingElse() {
        Random random = new Random(4);
        for (int round = 0; round < 300; round++) {
            List<TokenSequence> sequences = randomTree(random);
            PackedBatch batch = PackedBatch.sharingPrefixes(sequences);
            int total = sequences.stream().mapToInt(TokenSequence::length).sum();
            assertTrue(batch.rows() <= total);
            for (int s = 0; s < sequences.size(); s++) {
                assertArrayEquals(sequences.get(s).ids(), visibleTokens(batch, batch.lastRows()[s]));
            }
            checkTargets(batch, sequences);
        }
    }

    private static void checkTargets(PackedBatch batch, List<TokenSequence> sequences) {
        PackedBatch.Targets targets = batch.targets();
        int at = 0;
        for (int s = 0; s < sequences.size(); s++) {
            int[] ids = sequences.get(s).ids();
            for (int t = 1; t < ids.length; t++, at++) {
                assertEquals(s, targets.sequences()[at]);
                assertEquals(ids[t], targets.ids()[at]);
                assertEquals(t - 1, batch.positions()[targets.rows()[at]]);
                assertArrayEquals(java.util.Arrays.copyOf(ids, t), visibleTokens(batch, targets.rows()[at]));
            }
        }
        assertEquals(at, targets.count());
    }

    private static List<TokenSequence> randomTree(Random random) {
        List<int[]> made = new ArrayList<>();
        for (int i = 0; i < 1 + random.nextInt(8); i++) {
            int[] base = made.isEmpty() ? new int[0] : made.get(random.nextInt(made.size()));
            int kept = random.nextInt(base.length + 1);
            int length = Math.max(1, kept + random.nextInt(9));
            int[] ids = java.util.Arrays.copyOf(java.util.Arrays.copyOf(base, kept), length);
            for (int j = kept; j < length; j++) {
                ids[j] = random.nextInt(3);
            }
            made.add(ids);
        }
        return made.stream().map(TokenSequence::allSupervised).toList();
    }

    /** The tokens that a row sees, in order, its own the last. */
    private static int[] visibleTokens(PackedBatch batch, int row) {
        Segment segment = batch.layout().segments().stream()
                .filter(s -> s.queryStart() <= row && row < s.queryEnd()).findFirst().orElseThrow();
        List<Integer> tokens = new ArrayList<>();
        for (Range range : segment.context()) {
            for (int i = range.start(); i < range.end(); i++) {
                tokens.add(batch.tokens()[i]);
            }
        }
        for (int i = segment.ownKeyStart(); i <= row; i++) {
            tokens.add(batch.tokens()[i]);
        }
        assertEquals(batch.positions()[row], tokens.size() - 1);
        return tokens.stream().mapToInt(Integer::intValue).toArray();
    }

    @Test
    void anEmptyBatchIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> PackedBatch.of(List.of()));
        assertThrows(IllegalArgumentException.class, () -> all());
    }
}
