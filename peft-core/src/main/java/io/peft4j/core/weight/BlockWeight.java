package io.peft4j.core.weight;

import io.peft4j.core.Internal;
import java.util.Objects;

/**
 * A frozen matrix kept in the blocks of a GGUF file, usually mapped straight from it. A row is a whole number of
 * blocks.
 */
@Internal(shared = true)
public final class BlockWeight implements FrozenWeight {
    private final BlockType type;
    private final int rows;
    private final int columns;
    private final long address;
    private final Object memory;

    /**
     * A matrix whose blocks lie at {@code address}.
     *
     * @param type the block type
     * @param rows output features
     * @param columns input features, a multiple of the block size
     * @param address the first block; the caller has checked that {@code rows * columns} values lie there
     * @param memory what keeps the address valid (a mapped file, a pointer); held as long as this weight
     */
    public BlockWeight(BlockType type, int rows, int columns, long address, Object memory) {
        this.type = Objects.requireNonNull(type, "type");
        this.memory = Objects.requireNonNull(memory, "memory");
        this.rows = rows;
        this.columns = columns;
        this.address = address;
        if (rows <= 0 || columns <= 0 || columns % type.blockSize() != 0) {
            throw new IllegalArgumentException("a " + type + " matrix of " + rows + " x " + columns
                    + " is not made of whole blocks of " + type.blockSize());
        }
    }

    /** The block type. */
    public BlockType type() {
        return type;
    }

    /** The address of the first block. */
    public long address() {
        return address;
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int columns() {
        return columns;
    }

    @Override
    public boolean isQuantized() {
        return type.isQuantized();
    }

    @Override
    public String typeName() {
        return type.name();
    }

    @Override
    public long bytes() {
        return type.bytes((long) rows * columns);
    }

    @Override
    public void readRow(int row, float[] target, int offset) {
        Objects.checkIndex(row, rows);
        type.dequantize(address, (long) row * columns, target, offset, columns);
    }

    /** Does nothing: the memory belongs to the file or buffer that this weight was made from. */
    @Override
    public void close() {
    }

    @Override
    public String toString() {
        return type + " [" + rows + ", " + columns + "] over " + memory;
    }
}
