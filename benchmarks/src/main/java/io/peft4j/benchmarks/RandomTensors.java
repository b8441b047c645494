package io.peft4j.benchmarks;

import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.TensorStore;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SplittableRandom;

/** The tensors of an untrained checkpoint: matrices are random, norms are 1. Nothing is kept in memory. */
final class RandomTensors implements TensorStore {
    private static final float DEVIATION = 0.02f;

    private final Map<String, long[]> shapes = new LinkedHashMap<>();

    /** Announces a tensor. */
    void add(String name, long... shape) {
        shapes.put(name, shape.clone());
    }

    @Override
    public Path path() {
        return Path.of("random weights");
    }

    @Override
    public Set<String> names() {
        return shapes.keySet();
    }

    @Override
    public long[] shape(String name) {
        return shapes.get(name).clone();
    }

    @Override
    public Optional<BlockType> blockType(String name) {
        return Optional.of(BlockType.F32);
    }

    @Override
    public long length(String name) {
        return 4 * elements(name);
    }

    @Override
    public void readFloats(String name, long first, float[] target, int offset, int count) {
        if (shapes.get(name).length == 1) {
            Arrays.fill(target, offset, offset + count, 1f);
            return;
        }
        SplittableRandom random = new SplittableRandom(name.hashCode() * 31L + first);
        for (int i = 0; i < count; i++) {
            // Of the wanted deviation: that of an even distribution is its width over the root of 12.
            target[offset + i] = (float) ((random.nextDouble() - 0.5) * Math.sqrt(12) * DEVIATION);
        }
    }

    @Override
    public void readBytes(String name, long position, byte[] target, int offset, int count) {
        float[] values = new float[count / 4];
        readFloats(name, position / 4, values, 0, values.length);
        ByteBuffer.wrap(target, offset, count).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
    }

    @Override
    public ByteBuffer bytes(String name) {
        byte[] all = new byte[Math.toIntExact(length(name))];
        readBytes(name, 0, all, 0, all.length);
        return ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).asReadOnlyBuffer();
    }

    @Override
    public OptionalLong address(String name) {
        return OptionalLong.empty();
    }

    @Override
    public void close() {
        shapes.clear();
    }
}
