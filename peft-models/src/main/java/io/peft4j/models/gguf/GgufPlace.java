package io.peft4j.models.gguf;

import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.weight.BlockType;
import io.peft4j.models.architecture.GgufDifference;
import io.peft4j.models.architecture.GgufGroups;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/** A tensor of a checkpoint as it lies in a GGUF file. Reading is safe from several threads. */
final class GgufPlace implements GgufTensor {
    private final GgufFile file;
    private final String name;
    private final String gguf;
    /** Its part of the file's tensor, where that holds those of all experts. */
    private final int part;
    private final long[] shape;
    /** The order of its rows, or null where it is the file's. */
    private final GgufRowOrder order;
    /** The order of its columns, or null where it is the file's. */
    private final GgufGroups columns;
    /** How the file's values differ from its own. */
    private final Optional<GgufDifference> values;
    /** Whether the file has rows and columns exchanged. */
    private final boolean transposed;

    /** An expert's part of a tensor; {@code null} for the order where it is the file's. */
    GgufPlace(GgufFile file, String name, String gguf, int part, long[] shape, GgufRowOrder order) {
        this(file, name, gguf, part, shape, order, Optional.empty(), false);
    }

    GgufPlace(GgufFile file, String name, String gguf, int part, long[] shape, GgufRowOrder order,
            Optional<GgufDifference> values, boolean transposed) {
        this.file = file;
        this.name = name;
        this.gguf = gguf;
        this.part = part;
        this.shape = shape;
        this.order = order != null && order.differs(name) ? order : null;
        this.columns = order == null ? null : order.columns(name).orElse(null);
        this.values = values;
        this.transposed = transposed;
    }

    @Override
    public long[] shape() {
        return transposed && shape.length == 2 ? new long[] {shape[1], shape[0]} : shape.clone();
    }

    @Override
    public BlockType type() {
        return isComputed() ? BlockType.F32 : file.blockType(gguf).orElseThrow();
    }

    @Override
    public long length() {
        return type().bytes(elements());
    }

    @Override
    public OptionalLong address() {
        OptionalLong address = order != null || isComputed() ? OptionalLong.empty() : file.address(gguf);
        return address.isEmpty() ? address : OptionalLong.of(address.getAsLong() + part * length());
    }

    private boolean isComputed() {
        return values.isPresent() || columns != null || transposed && shape.length == 2;
    }

    private long elements() {
        long product = 1;
        for (long dimension : shape) {
            product *= dimension;
        }
        return product;
    }

    @Override
    public void readBytes(long position, byte[] target, int offset, int count) {
        Objects.checkFromIndexSize(position, (long) count, length());
        if (isComputed()) {
            encode(position, target, offset, count);
        } else if (order == null) {
            file.readBytes(gguf, part * length() + position, target, offset, count);
        } else {
            copyRows(length() / shape[0], position, count,
                    (from, done, n) -> file.readBytes(gguf, from, target, offset + done, n));
        }
    }

    @Override
    public void readFloats(long first, float[] target, int offset, int count) {
        Objects.checkFromIndexSize(first, (long) count, elements());
        if (transposed && shape.length == 2) {
            readColumns(first, target, offset, count);
        } else if (columns != null) {
            readTiled(first, target, offset, count);
        } else if (order == null) {
            file.readFloats(gguf, part * elements() + first, target, offset, count);
        } else {
            copyRows(elements() / shape[0], first, count,
                    (from, done, n) -> file.readFloats(gguf, from, target, offset + done, n));
        }
        for (int i = offset; i < offset + count && values.isPresent(); i++) {
            target[i] = values.get().toHuggingFace(target[i]);
        }
    }

    private void readTiled(long first, float[] target, int offset, int count) {
        float[] row = new float[(int) shape[1]];
        for (int i = 0; i < count; i++) {
            int column = (int) ((first + i) % row.length);
            if (i == 0 || column == 0) {
                file.readFloats(gguf, first + i - column, row, 0, row.length);
            }
            target[offset + i] = row[(int) columns.toGguf(column)];
        }
    }

    /** The elements of the file's matrix [out, in] in the order of [in, out]. */
    private void readColumns(long first, float[] target, int offset, int count) {
        long out = shape[0];
        long in = shape[1];
        long from = first / out;
        int columns = (int) ((first + count - 1) / out - from) + 1;
        float[] piece = new float[columns];
        for (long row = 0; row < out; row++) {
            file.readFloats(gguf, row * in + from, piece, 0, columns);
            for (int c = 0; c < columns; c++) {
                long at = (from + c) * out + row - first;
                if (at >= 0 && at < count) {
                    target[offset + (int) at] = piece[c];
                }
            }
        }
    }

    /** Reads {@code count} units from unit {@code from} of the file's tensor, the {@code done}-th of the request. */
    @FunctionalInterface
    private interface PieceReader {
        void read(long from, int done, int count);
    }

    private void copyRows(long rowLength, long first, int count, PieceReader reader) {
        for (int done = 0; done < count;) {
            long row = (first + done) / rowLength;
            long inRow = (first + done) % rowLength;
            int n = (int) Math.min(rowLength - inRow, count - done);
            reader.read(order.ggufRow(name, row) * rowLength + inRow, done, n);
            done += n;
        }
    }
}
