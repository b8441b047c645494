package io.peft4j.core.nn;

import io.peft4j.core.kernel.AttentionLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/** Batches with rows of virtual tokens. */
final class VirtualRows {
    private VirtualRows() {
    }

    /** As {@link PackedBatch#withVirtualTokens(int, IntUnaryOperator)}. */
    static PackedBatch inFront(PackedBatch batch, int count, IntUnaryOperator firstOfTask) {
        AttentionLayout layout = batch.layout();
        int[] ofSegments = layout.segments().stream().mapToInt(segment -> batch.task(segment.queryStart())).toArray();
        int[] tasks = IntStream.of(ofSegments).distinct().sorted().toArray();
        int front = Math.multiplyExact(count, tasks.length);
        int[] numbers = new int[front];
        int[] ofRows = new int[front];
        int[] positions = RowMarks.prepend(front, batch.positions(), count);
        for (int i = 0; i < front; i++) {
            positions[i] = i % count;
            ofRows[i] = tasks[i / count];
            numbers[i] = firstOfTask.applyAsInt(ofRows[i]) + i % count;
        }
        PackedBatch.Targets targets = batch.targets();
        return new PackedBatch(RowMarks.prepend(front, batch.tokens(), 0), positions,
                layout.behindOneOf(tasks.length, count, IntStream.of(ofSegments)
                        .map(task -> Arrays.binarySearch(tasks, task)).toArray()),
                new PackedBatch.Targets(RowMarks.plus(targets.rows(), front), targets.ids(), targets.weights(),
                        targets.sequences()),
                RowMarks.plus(batch.lastRows(), front), batch.cacheRows(),
                batch.marks().behindVirtualTokens(numbers, ofRows, batch.rows()), Optional.empty(), batch.source());
    }

    /** As {@link PackedBatch#withVirtualTokensInEach}. */
    static PackedBatch inEach(PackedBatch batch, int count) {
        List<TokenSequence> sequences = batch.origin().filter(own -> !own.sharesPrefixes()).orElseThrow(
                () -> new IllegalStateException("a batch cannot be packed again after it was changed")).sequences();
        PackedBatch longer = PackedBatch.of(sequences.stream().map(sequence -> sequence.behind(count)).toList());
        int[] numbers = new int[longer.rows()];
        Arrays.fill(numbers, -1);
        for (int sequence = 0; sequence < sequences.size(); sequence++) {
            for (int i = 0; i < count; i++) {
                numbers[longer.rowsOf(sequence)[i]] = i;
            }
        }
        return new PackedBatch(longer.tokens(), longer.positions(), longer.layout(), longer.targets(),
                longer.lastRows(), longer.cacheRows(), longer.marks().withVirtualTokens(numbers), longer.origin(),
                Optional.empty());
    }
}
