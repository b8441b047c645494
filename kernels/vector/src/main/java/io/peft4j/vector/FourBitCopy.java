package io.peft4j.vector;

import io.peft4j.core.array.Float16;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.weight.BlockType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Copies 4-bit blocks into tiles ({@link FourBitTiles}), as many bits a number as before. A tile holds, for a few dozen
 * output features, {@code [groups, TILE]} words with the scale in the lower and the minimum in the upper half, then
 * {@code [columns / 8, TILE]} words of eight numbers each, the first in the lowest bits. Output features that fill the
 * last tile up are zero.
 */
final class FourBitCopy {
    private static final int HALF_GROUP = FourBitTiles.GROUP / 2;
    private static final int LOW = 15;
    private static final int CENTRE = 8;

    private final BlockType type;
    private final int columns;
    private final int groups;
    private final byte[] row;
    private final int[] tile;
    private final byte[] bytes;

    private FourBitCopy(BlockType type, int columns) {
        this.type = type;
        this.columns = columns;
        this.groups = columns / FourBitTiles.GROUP;
        this.row = new byte[(int) type.bytes(columns)];
        this.tile = new int[FourBitTiles.tileBytes(columns) / Integer.BYTES];
        this.bytes = new byte[FourBitTiles.tileBytes(columns)];
    }

    /** The bytes that a copy takes; 0 where blocks are of another type. */
    static long bytes(BlockType type, int rows, int columns) {
        return type == BlockType.Q4_0 || type == BlockType.Q4_1
                ? (long) tiles(rows) * FourBitTiles.tileBytes(columns) : 0;
    }

    /** How many tiles so many output features take. */
    static int tiles(int rows) {
        return (rows + FourBitTiles.TILE - 1) / FourBitTiles.TILE;
    }

    /** Copies a weight; empty where a scale or minimum is not finite, or too large for 16 bits. */
    static Optional<FourBitTiles> make(BlockType type, long address, int rows, int columns, long copy) {
        FourBitCopy copier = new FourBitCopy(type, columns);
        for (int t = 0; t < tiles(rows); t++) {
            java.util.Arrays.fill(copier.tile, 0);
            for (int lane = 0; lane < Math.min(FourBitTiles.TILE, rows - t * FourBitTiles.TILE); lane++) {
                long source = address + type.bytes((long) (t * FourBitTiles.TILE + lane) * columns);
                NativeMemory.read(source, copier.row, 0, copier.row.length);
                if (!copier.copyRow(lane)) {
                    return Optional.empty();
                }
            }
            copier.write(copy + (long) t * FourBitTiles.tileBytes(columns));
        }
        return Optional.of(new FourBitTiles(copy, rows, columns));
    }

    private boolean copyRow(int lane) {
        for (int g = 0; g < groups; g++) {
            int at = g * type.blockBytes();
            float d = Float16.toFloat(half(at));
            float m = type == BlockType.Q4_1 ? Float16.toFloat(half(at + 2)) : -CENTRE * d;
            short minimum = Float16.fromFloat(m);
            if (!Float.isFinite(d) || !Float.isFinite(m) || Float16.toFloat(minimum) != m) {
                return false;
            }
            tile[g * FourBitTiles.TILE + lane] = half(at) & 0xFFFF | minimum << 16;
            numbers(g, at + type.blockBytes() - HALF_GROUP, lane);
        }
        return true;
    }

    /** The first half of a block's numbers are the lower halves of its bytes, the second the upper ones. */
    private void numbers(int group, int at, int lane) {
        int base = groups * FourBitTiles.TILE + lane;
        for (int j = 0; j < FourBitTiles.GROUP; j++) {
            int b = row[at + j % HALF_GROUP];
            int q = (j < HALF_GROUP ? b : b >> 4) & LOW;
            int column = group * FourBitTiles.GROUP + j;
            tile[base + column / FourBitTiles.STEP * FourBitTiles.TILE] |= q << 4 * (column % FourBitTiles.STEP);
        }
    }

    private short half(int at) {
        return (short) (row[at] & 255 | row[at + 1] << 8);
    }

    private void write(long target) {
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().put(tile);
        NativeMemory.write(target, bytes, 0, bytes.length);
    }
}
