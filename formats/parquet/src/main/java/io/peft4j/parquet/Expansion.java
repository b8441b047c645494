package io.peft4j.parquet;

import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;

/**
 * How much a file may become when it is read. Parquet packs what repeats into almost nothing, so that a few kilobytes
 * can hold gigabytes; examples do not repeat like that. In each bound the first part lets small files be, and the
 * second grows with what the file really holds.
 */
final class Expansion {
    private static final int PAGE = 2 << 20;
    private static final int TIMES_PAGE = 100;
    private static final int LARGEST_PAGE = 1 << 29;
    private static final int ROWS = 100_000;
    private static final int VALUES = 100_000;
    private static final int VALUES_PER_BYTE = 8;
    /** Of all columns, each as often as it is nested deep: nulls, too, are made and looked at. */
    private static final int CELLS = 500_000;
    private static final int CONTENT = 16 << 20;
    private static final int TIMES_CONTENT = 100;
    /** What a number or the place of a text takes in a row. */
    private static final int VALUE = 32;

    private final long most;
    private long content;

    /** The bound on the content of all rows of a file. */
    Expansion(long fileSize) {
        this.most = CONTENT + TIMES_CONTENT * fileSize;
    }

    /** A page may unpack to 2 MiB, and beyond that to 100 times its packed length, up to half a gibibyte. */
    static void requirePage(ColumnChunkMetaData chunk, int packed, int unpacked) {
        require(unpacked <= Math.min(LARGEST_PAGE, PAGE + (long) TIMES_PAGE * packed), "has a page in the column "
                + chunk.getPath().toDotString() + " that unpacks from " + packed + " bytes to " + unpacked
                + "; up to 2 MiB and 100 times its length are read");
    }

    /** A file may have 100,000 rows, and beyond that one for each of its bytes. */
    static void requireRows(long rows, long fileSize) {
        require(rows <= ROWS + fileSize, "has " + rows + " rows in " + fileSize
                + " bytes; up to 100,000 and one for each byte are read");
    }

    /** Columns of lists may have 100,000 values beside one a row, and beyond that 8 for each byte of the file. */
    static void requireValues(long beyondRows, long fileSize) {
        require(beyondRows <= VALUES + VALUES_PER_BYTE * fileSize, "has " + beyondRows + " values in its lists in "
                + fileSize + " bytes; up to 100,000 and 8 for each byte are read");
    }

    /** All columns may have 500,000 values and levels above them, and beyond that 8 for each byte of the file. */
    static void requireCells(long cells, long fileSize) {
        require(cells <= CELLS + VALUES_PER_BYTE * fileSize, "has " + cells + " values in its columns, with the levels "
                + "above them, in " + fileSize + " bytes; up to 500,000 and 8 for each byte are read");
    }

    /** Whether the rows took more than the bound. */
    boolean isExceeded() {
        return content > most;
    }

    /** Counts a value of a row or a struct in it: all may take 16 MiB, and beyond that 100 times the file's length. */
    <T> T counted(T value) {
        content += VALUE + (value instanceof String text ? text.length() : 0);
        require(content <= most, "has rows that take more than " + most
                + " bytes when they are unpacked, 16 MiB and 100 times the file's length");
        return value;
    }

    private static void require(boolean condition, String problem) {
        if (!condition) {
            throw new DamageException(problem);
        }
    }
}
