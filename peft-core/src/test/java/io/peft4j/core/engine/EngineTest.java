package io.peft4j.core.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ClosedException;
import io.peft4j.core.kernel.NaiveKernels;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.nd4j.linalg.api.ndarray.INDArray;

@Timeout(60)
class EngineTest {
    @Test
    void computesOnATape() {
        try (Engine engine = new Engine(new NaiveKernels()); INDArray x = Arrays.of(new float[] {1, 2, 3}, 1, 3)) {
            float[] doubled = engine.evaluate(tape -> {
                Variable given = tape.constant(x);
                return Arrays.toFloats(ElementwiseOps.scale(tape, given, 2).value());
            });
            assertArrayEquals(new float[] {2, 4, 6}, doubled);
            assertEquals(14, engine.compute(kernels -> kernels.sumOfSquares(x)), 1e-6);
        }
    }

    @Test
    void aComputationMayStartAnother() {
        try (Engine engine = new Engine(new NaiveKernels())) {
            assertEquals("naive", engine.compute(outer -> engine.compute(inner -> inner.name())));
        }
    }

    @Test
    void anExceptionGivesTheTurnBack() throws InterruptedException {
        try (Engine engine = new Engine(new NaiveKernels())) {
            assertThrows(IllegalArgumentException.class, () -> engine.run(kernels -> {
                throw new IllegalArgumentException("broken");
            }));
            Thread other = new Thread(() -> engine.run(kernels -> {
            }));
            other.start();
            other.join();
        }
    }

    @Test
    void aClosedEngineRefusesToCompute() {
        Engine engine = new Engine(new NaiveKernels());
        engine.close();
        engine.close();
        assertThrows(ClosedException.class, () -> engine.run(kernels -> {
        }));
    }

    @Test
    void closingWaitsForWhoComputesAlsoWhereItGivesWay() throws InterruptedException {
        Engine engine = new Engine(new NaiveKernels());
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch mayEnd = new CountDownLatch(1);
        boolean[] ended = new boolean[1];
        Thread computing = new Thread(() -> engine.run(kernels -> {
            begun.countDown();
            try {
                mayEnd.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            engine.giveWay();
            try (INDArray x = Arrays.of(new float[] {1, 2, 3}, 1, 3)) {
                ended[0] = engine.compute(still -> still.sumOfSquares(x)) > 13;
            }
        }));
        computing.start();
        begun.await();
        Thread closing = new Thread(engine::close);
        closing.start();
        while (closing.getState() != Thread.State.WAITING) {
            Thread.sleep(1);
        }
        mayEnd.countDown();
        closing.join();
        assertTrue(ended[0]);
        computing.join();
    }
}
