package io.peft4j.core.nn;

import static org.junit.jupiter.api.Assertions.assertSame;

import io.peft4j.core.array.Arena;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.kernel.NaiveKernels;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** A selection may add rows to a batch; the pass runs on what it returns. */
class LayerSelectionTest {
    private static final PackedBatch GIVEN = PackedBatch.of(List.of(TokenSequence.allSupervised(1, 2)));
    private static final PackedBatch LONGER = PackedBatch.of(List.of(TokenSequence.allSupervised(0, 1, 2)));
    private static final LayerSelection ADDS_ROWS = new LayerSelection() {
        @Override
        public Layer at(Slot slot) {
            return slot.layer();
        }

        @Override
        public PackedBatch prepare(PackedBatch batch) {
            return LONGER;
        }
    };

    @Test
    void trainingAndEvaluationRunOnThePreparedBatch() {
        try (NaiveKernels kernels = new NaiveKernels();
                Arena arena = new Arena();
                Tape tape = Tape.inference(kernels, arena, DataType.FLOAT)) {
            assertSame(LONGER, ForwardContext.training(tape, GIVEN, ADDS_ROWS, 0).batch());
            assertSame(LONGER, ForwardContext.evaluation(tape, GIVEN, ADDS_ROWS).batch());
            assertSame(GIVEN, ForwardContext.evaluation(tape, GIVEN, LayerSelection.BASE).batch());
        }
    }

    /** A generator lays out the cache's rows itself, so its batches stay as they are. */
    @Test
    void generationRunsOnTheBatchItself() {
        try (NaiveKernels kernels = new NaiveKernels();
                Arena arena = new Arena();
                Tape tape = Tape.inference(kernels, arena, DataType.FLOAT);
                KvCache cache = new KvCache(1, 4, 2, DataType.FLOAT)) {
            assertSame(GIVEN, ForwardContext.generation(tape, GIVEN, ADDS_ROWS, cache).batch());
        }
    }
}
