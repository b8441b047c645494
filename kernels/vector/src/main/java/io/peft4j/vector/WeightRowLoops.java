package io.peft4j.vector;

/**
 * Loops over the rows of a weight that lies in its own order: vectors run along a row, several columns in each lane.
 * Columns whose numbers have the same remainder are a phase; x comes with its phases apart.
 */
interface WeightRowLoops {
    int rows();

    int columns();

    /** Where the rows begin in native memory. */
    long address();

    /** Bytes of a row; rows follow each other without gaps. */
    int rowBytes();

    /** Where the scales lie in native memory: 32-bit floats, {@link #rowScales} for each row. */
    long scales();

    /** How many scales a row has. */
    int rowScales();

    /** Columns in a lane. */
    int phases();

    /** What x is multiplied by in a phase: the reciprocal of what its numbers are multiplied by in their lanes. */
    float factor(int phase);

    /**
     * Multiplies one row of x by rows of the weight, all columns that fill vectors.
     *
     * @param block rows of the weight
     * @param scales their scales
     * @param count how many
     * @param x {@code [phases, columns / phases]}
     * @param sums a vector for each row of the weight; the one after the last may be changed
     */
    void one(byte[] block, float[] scales, int count, float[] x, float[] sums);

    /**
     * Multiplies four rows of x.
     *
     * @param x {@code [phases, 4, columns / phases]} from {@code at} on
     * @param sums {@code [rows of the weight, 4]} vectors; the four after the last may be changed
     */
    void four(byte[] block, float[] scales, int count, float[] x, int at, float[] sums);

    /** A number of the weight, for columns that do not fill a vector: as it is, without the row's scale. */
    float value(byte[] block, int row, int column);

    /** What the numbers of a phase have been increased by in their lanes. */
    float offset(int phase);

    /** Multiplies results by the scales of their rows, unless the loops have done so. */
    void scale(float[] y, int at, float[] scales, int count);
}
