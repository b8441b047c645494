package io.peft4j.core.gguf;

import java.util.Optional;

/**
 * The types of metadata values; a type's number in a file is its place in this list.
 */
public enum GgufType {
    /** An unsigned 8-bit integer. */
    UINT8(1),
    /** A signed 8-bit integer. */
    INT8(1),
    /** An unsigned 16-bit integer. */
    UINT16(2),
    /** A signed 16-bit integer. */
    INT16(2),
    /** An unsigned 32-bit integer. */
    UINT32(4),
    /** A signed 32-bit integer. */
    INT32(4),
    /** A 32-bit float. */
    FLOAT32(4),
    /** A boolean of one byte. */
    BOOL(1),
    /** A length of 8 bytes and UTF-8 text. */
    STRING(8),
    /** An element type of 4 bytes, a count of 8 bytes, the elements. */
    ARRAY(12),
    /** An unsigned 64-bit integer. */
    UINT64(8),
    /** A signed 64-bit integer. */
    INT64(8),
    /** A 64-bit float. */
    FLOAT64(8);

    private final int minimumBytes;

    GgufType(int minimumBytes) {
        this.minimumBytes = minimumBytes;
    }

    static Optional<GgufType> of(long id) {
        return id >= 0 && id < values().length ? Optional.of(values()[(int) id]) : Optional.empty();
    }

    /** The size of a value, for strings and arrays the size of an empty one. */
    int minimumBytes() {
        return minimumBytes;
    }

    /** Whether the type is an integer. */
    public boolean isInteger() {
        return switch (this) {
            case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
            default -> false;
        };
    }

    /** Whether the type is a floating-point number. */
    public boolean isFloating() {
        return this == FLOAT32 || this == FLOAT64;
    }
}
