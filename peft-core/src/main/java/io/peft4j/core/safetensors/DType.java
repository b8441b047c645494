package io.peft4j.core.safetensors;

import io.peft4j.core.weight.BlockType;
import java.util.Optional;

/**
 * The element types of safetensors that can be read as numbers. A file may hold tensors of other types (8-bit floats,
 * for example); they are listed, and are an error only when their values are asked for. The order is the
 * one in which the reference implementation writes tensors, larger elements first.
 */
public enum DType {
    /** Signed 64-bit integers. */
    I64(8),
    /** 64-bit floats. */
    F64(8),
    /** 32-bit floats. */
    F32(4),
    /** Signed 32-bit integers. */
    I32(4),
    /** 16-bit brain floats. */
    BF16(2),
    /** 16-bit floats of IEEE 754. */
    F16(2),
    /** Signed 16-bit integers. */
    I16(2),
    /** Signed 8-bit integers. */
    I8(1),
    /** Unsigned 8-bit integers. */
    U8(1),
    /** Booleans of one byte; read as 1 and 0. */
    BOOL(1);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /**
     * The type with this name.
     *
     * @param name the name in a header, as {@code "BF16"}
     * @return the type, or empty where it is none of these
     */
    public static Optional<DType> of(String name) {
        for (DType type : values()) {
            if (type.name().equals(name)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /** The size of an element. */
    public int bytes() {
        return bytes;
    }

    /**
     * The type as a frozen weight holds it.
     *
     * @return F32, F16 or BF16; empty for the other types
     */
    public Optional<BlockType> blockType() {
        return switch (this) {
            case F32 -> Optional.of(BlockType.F32);
            case F16 -> Optional.of(BlockType.F16);
            case BF16 -> Optional.of(BlockType.BF16);
            default -> Optional.empty();
        };
    }
}
