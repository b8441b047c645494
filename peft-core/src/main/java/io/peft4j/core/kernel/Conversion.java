package io.peft4j.core.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;

/** An f32 copy of a BFLOAT16 array in scratch memory; a FLOAT array is used as it is. Holds one array at a time. */
final class Conversion implements AutoCloseable {

    private final Workers<ThreadScratch> workers;
    private final ThreadScratch.Native memory = new ThreadScratch.Native();

    Conversion(Workers<ThreadScratch> workers) {
        this.workers = workers;
    }

    /** The address of the elements as floats, valid until the next call. */
    long floats(INDArray array) {
        return floats(array, array.length());
    }

    /** The address of the first {@code count} elements as floats. */
    long floats(INDArray array, long count) {
        Elements source = Elements.of(array);
        if (!source.narrow()) {
            return source.address();
        }
        long address = memory.floats(count);
        Elements target = new Elements(address, false);
        Elements.forTiles(workers, count, (first, n, lane) -> {
            source.read(first, lane.tile(0), n, lane);
            target.write(first, lane.tile(0), n, lane);
        });
        return address;
    }

    @Override
    public void close() {
        memory.close();
    }
}
