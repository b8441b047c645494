package io.peft4j.models;

import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.TensorStore;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The tensors of a checkpoint, of which those with a row for each token have more rows. A new one is given, or the mean
 * of all others, so that a new token begins as the average one, which is what Transformers'
 * {@code resize_token_embeddings} comes to.
 */
final class WiderVocabulary implements TensorStore {
    private final TensorStore store;
    private final long before;
    private final long rows;
    private final Map<String, float[]> means = new HashMap<>();
    private final Map<String, float[]> given;

    /**
     * Takes over an open store.
     *
     * @param before tokens that the checkpoint has rows for
     * @param rows tokens that there are to be rows for, more than before
     * @param given the new rows of some tensors, which are not to be the mean
     */
    WiderVocabulary(TensorStore store, int before, int rows, Map<String, float[]> given) {
        this.given = given;
        this.store = store;
        this.before = before;
        this.rows = rows;
        // Outside of the layers, whose tensors have a number in their names.
        store.names().stream().filter(name -> !name.matches(".*\\.[0-9]+\\..*") && hasRows(name))
                .forEach(name -> means.put(name, mean(name)));
    }

    private boolean hasRows(String name) {
        long[] shape = store.shape(name);
        return (shape.length == 1 || shape.length == 2) && shape[0] == before;
    }

    private float[] mean(String name) {
        int width = width(name);
        double[] sums = new double[width];
        float[] row = new float[width];
        for (long i = 0; i < before; i++) {
            store.readFloats(name, i * width, row, 0, width);
            for (int j = 0; j < width; j++) {
                sums[j] += row[j];
            }
        }
        float[] mean = new float[width];
        for (int j = 0; j < width; j++) {
            mean[j] = (float) (sums[j] / before);
        }
        return mean;
    }

    private int width(String name) {
        long[] shape = store.shape(name);
        return shape.length == 1 ? 1 : Math.toIntExact(shape[1]);
    }

    @Override
    public Path path() {
        return store.path();
    }

    @Override
    public Set<String> names() {
        return store.names();
    }

    @Override
    public long[] shape(String name) {
        long[] shape = store.shape(name).clone();
        if (means.containsKey(name)) {
            shape[0] = rows;
        }
        return shape;
    }

    @Override
    public Optional<BlockType> blockType(String name) {
        return means.containsKey(name) ? Optional.of(BlockType.F32) : store.blockType(name);
    }

    @Override
    public long length(String name) {
        return means.containsKey(name) ? BlockType.F32.bytes(elements(name)) : store.length(name);
    }

    @Override
    public void readFloats(String name, long first, float[] target, int offset, int count) {
        float[] mean = means.get(name);
        if (mean == null) {
            store.readFloats(name, first, target, offset, count);
            return;
        }
        Objects.checkFromIndexSize(first, (long) count, elements(name));
        int old = (int) Math.max(0, Math.min(count, before * mean.length - first));
        if (old > 0) {
            store.readFloats(name, first, target, offset, old);
        }
        float[] more = given.get(name);
        for (int i = old; i < count; i++) {
            target[offset + i] = more == null ? mean[(int) ((first + i) % mean.length)]
                    : more[(int) (first + i - before * mean.length)];
        }
    }

    @Override
    public void readBytes(String name, long position, byte[] target, int offset, int count) {
        if (!means.containsKey(name)) {
            store.readBytes(name, position, target, offset, count);
            return;
        }
        Objects.checkFromIndexSize(position, (long) count, length(name));
        int skipped = (int) (position % Float.BYTES);
        float[] values = new float[(skipped + count + Float.BYTES - 1) / Float.BYTES];
        readFloats(name, position / Float.BYTES, values, 0, values.length);
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        bytes.get(skipped, target, offset, count);
    }

    @Override
    public ByteBuffer bytes(String name) {
        if (!means.containsKey(name)) {
            return store.bytes(name);
        }
        byte[] copy = new byte[Math.toIntExact(length(name))];
        readBytes(name, 0, copy, 0, copy.length);
        return ByteBuffer.wrap(copy).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public OptionalLong address(String name) {
        return means.containsKey(name) ? OptionalLong.empty() : store.address(name);
    }

    @Override
    public void close() {
        store.close();
    }
}
