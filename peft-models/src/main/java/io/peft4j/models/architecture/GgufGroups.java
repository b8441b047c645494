package io.peft4j.models.architecture;

/**
 * Groups of equally many heads behind other rows, which Hugging Face has group by group and llama.cpp tiled: the first
 * heads of all groups, then their second ones.
 *
 * @param before rows in front, the same in both
 * @param groups the number of groups
 * @param heads heads of a group
 * @param size rows of a head
 */
public record GgufGroups(int before, int groups, int heads, int size) {
    static final GgufGroups NONE = new GgufGroups(0, 1, 1, 1);

    /** The row of a file that is Hugging Face's row {@code row}. */
    public long toGguf(long row) {
        return moved(row, heads, groups);
    }

    /** Hugging Face's number of the row that is row {@code row} in a file. */
    public long toHuggingFace(long row) {
        return moved(row, groups, heads);
    }

    /** The row of element {@code (i, j)} of a matrix of heads with {@code inner} columns in that of its transpose. */
    private long moved(long row, int inner, int outer) {
        long head = (row - before) / size;
        return row < before ? row : before + (head % inner * outer + head / inner) * size + (row - before) % size;
    }
}
