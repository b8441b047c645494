package io.peft4j.onednn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.Faults;
import io.peft4j.core.Faults.Step;
import io.peft4j.core.array.Arrays;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.bytedeco.dnnl.engine;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Scratch memory that is in use never overlaps. */
class ScratchTest {
    private record Taken(long address, long bytes) {
    }

    @Test
    void blocksAreAlignedAndDisjoint() {
        Random random = new Random(3);
        try (Scratch scratch = new Scratch()) {
            for (int round = 0; round < 50; round++) {
                List<Taken> live = new ArrayList<>();
                Deque<long[]> marks = new ArrayDeque<>();
                for (int i = 0; i < 200; i++) {
                    if (random.nextInt(4) == 0) {
                        marks.push(new long[] {scratch.mark(), live.size()});
                    } else if (random.nextInt(4) == 0 && !marks.isEmpty()) {
                        long[] mark = marks.pop();
                        scratch.release(mark[0]);
                        live.subList((int) mark[1], live.size()).clear();
                    } else {
                        long bytes = 1 + random.nextInt(300_000);
                        Taken taken = new Taken(scratch.take(bytes), bytes);
                        assertEquals(0, taken.address() % 64);
                        live.forEach(other -> assertTrue(taken.address() + taken.bytes() <= other.address()
                                || other.address() + other.bytes() <= taken.address(), "overlap"));
                        live.add(taken);
                    }
                }
                scratch.release(0);
                assertEquals(0, scratch.mark());
            }
        }
    }

    @Test
    void repeatedUseTakesTheSameMemory() {
        try (Scratch scratch = new Scratch()) {
            scratch.take(1 << 20);
            scratch.take(1 << 21);
            scratch.release(0);
            long first = scratch.take(1 << 20);
            long second = scratch.take(1 << 21);
            scratch.release(0);
            assertEquals(first, scratch.take(1 << 20));
            assertEquals(second, scratch.take(1 << 21));
        }
    }

    /** Memory for the converted rows is there, and more is refused. */
    @Test
    void anOperationThatFailsGivesItsScratchMemoryBack() {
        int rows = 1 << 12;
        int columns = 1 << 11;
        try (engine processor = new engine(engine.kind.cpu, 0);
                ThreadTeam team = new ThreadTeam(1, processor);
                INDArray a = Arrays.zeros(DataType.BFLOAT16, rows, columns);
                INDArray b = Arrays.zeros(DataType.FLOAT, columns, 8);
                INDArray c = Arrays.zeros(DataType.BFLOAT16, rows, 8)) {
            OneDnnMatrices matrices = new OneDnnMatrices(team, BFloat16Products.choose(team, "widen"));
            assertEquals(0, team.caller().scratch().mark());
            team.caller().scratch().close();
            Faults faults = Faults.at(2, true, Set.of(Step.NATIVE));
            try (faults) {
                assertThrows(OutOfMemoryError.class, () -> matrices.matmul(a, false, b, false, c, 1, false));
            }
            assertEquals(0, team.caller().scratch().mark(), faults.failed());
        }
    }
}
