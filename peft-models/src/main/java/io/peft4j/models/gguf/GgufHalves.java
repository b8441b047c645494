package io.peft4j.models.gguf;

import io.peft4j.core.weight.BlockType;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * A matrix whose first and last rows are tensors of their own in a file.
 *
 * @param first the first rows
 * @param second the last rows, as many
 */
record GgufHalves(GgufTensor first, GgufTensor second) implements GgufTensor {
    @Override
    public long[] shape() {
        long[] shape = first.shape();
        shape[0] += second.shape()[0];
        return shape;
    }

    @Override
    public BlockType type() {
        return first.type() == second.type() ? first.type() : BlockType.F32;
    }

    @Override
    public long length() {
        return type() == first.type() ? first.length() + second.length() : type().bytes(2 * elements());
    }

    /** Elements of a half. */
    private long elements() {
        return first.shape()[0] * first.shape()[1];
    }

    @Override
    public OptionalLong address() {
        return OptionalLong.empty();
    }

    @Override
    public void readBytes(long position, byte[] target, int offset, int count) {
        Objects.checkFromIndexSize(position, (long) count, length());
        if (first.type() != second.type()) {
            encode(position, target, offset, count);
            return;
        }
        int early = within(first.length(), position, count);
        if (early > 0) {
            first.readBytes(position, target, offset, early);
        }
        if (early < count) {
            second.readBytes(position + early - first.length(), target, offset + early, count - early);
        }
    }

    @Override
    public void readFloats(long from, float[] target, int offset, int count) {
        int early = within(elements(), from, count);
        if (early > 0) {
            first.readFloats(from, target, offset, early);
        }
        if (early < count) {
            second.readFloats(from + early - elements(), target, offset + early, count - early);
        }
    }

    /** How many of {@code count} from {@code from} on lie below a bound. */
    private static int within(long bound, long from, int count) {
        return (int) Math.max(0, Math.min(count, bound - from));
    }
}
