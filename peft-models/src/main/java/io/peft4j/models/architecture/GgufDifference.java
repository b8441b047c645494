package io.peft4j.models.architecture;

/** How a tensor of llama.cpp's files may differ from Hugging Face's; {@link GgufForm} has a method for each. */
public enum GgufDifference {
    /** The two elements of a rotated pair are neighbours among the rows. */
    ROTARY_PAIRS,
    /** All queries, then all keys, then all values. */
    BY_HEAD,
    /** Rows of the groups' first heads, then of their second ones. */
    TILED_ROWS,
    /** Columns of the groups' first heads, then of their second ones. */
    TILED_COLUMNS,
    /** A vector in the place of a matrix of one row. */
    ONE_ROW,
    /** A matrix with a row for each group in the place of a vector. */
    IN_ROWS,
    /** Convolutions of each column separately: a matrix [columns, taps] in the place of [columns, 1, taps]. */
    ONE_CHANNEL,
    /** Rows and columns are exchanged. */
    TRANSPOSED,
    /** Two tensors, of the first half of the rows and of the second. */
    HALVED,
    /** Each value has 1 added. */
    SHIFTED,
    /** The negative exponential of each value. */
    NEGATIVE_EXPONENTIAL,
    /** Adapters of it are left out of the computation. */
    WITHOUT_ADAPTERS;

    /** The value in a file for one of Hugging Face's. */
    public float toGguf(float value) {
        return switch (this) {
            case SHIFTED -> value + 1;
            case NEGATIVE_EXPONENTIAL -> (float) -Math.exp(value);
            default -> value;
        };
    }

    /** Hugging Face's value for one in a file. */
    public float toHuggingFace(float value) {
        return switch (this) {
            case SHIFTED -> value - 1;
            case NEGATIVE_EXPONENTIAL -> (float) Math.log(-value);
            default -> value;
        };
    }
}
