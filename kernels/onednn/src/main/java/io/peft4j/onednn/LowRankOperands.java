package io.peft4j.onednn;

import org.nd4j.linalg.api.buffer.DataType;

/**
 * The two small matrices of LoRA's update, and its products for some rows on one lane.
 *
 * @param type of the products
 * @param stored of the activations
 * @param a [rank, in] FLOAT
 * @param b [out, rank] FLOAT
 */
record LowRankOperands(DataType type, DataType stored, int in, int out, int rank, Span a, Span b) {
    /** Rows that are widened at a time, so that they lie in the second-level cache until the last product. */
    private static final int BLOCK = 128;

    /**
     * Where the gradients of the small matrices go.
     *
     * @param da [rank, in]
     * @param dbTransposed [rank, out]: reading dy by rows is up to twice as fast as by columns
     * @param addToA whether da is added to
     * @param addToB whether dbTransposed is added to
     */
    record Sums(Span da, Span dbTransposed, boolean addToA, boolean addToB) {
        /** The same, added to where some rows have been written already. */
        Sums after(int rows) {
            return new Sums(da, dbTransposed, addToA || rows > 0, addToB || rows > 0);
        }
    }

    /** Rows {@code first} and following; h begins with the first of them. */
    void forward(ThreadContext lane, Span xs, Span h, Span ys, int first, int rows, float scale) {
        int block = block(rows);
        Matrix down = a(lane, type).transpose();
        Matrix up = b(lane, stored).transpose();
        for (int done = 0; done < rows; done += block) {
            int count = Math.min(block, rows - done);
            long mark = lane.scratch().mark();
            Matrix hRows = Matrix.dense(h.from((long) done * rank), count, rank);
            Products.onLane(lane, left(lane, rowsOf(xs, first + done, count, in)), down, hRows, 1f, false);
            Products.onLane(lane, left(lane, hRows), up, rowsOf(ys, first + done, count, out), scale, true);
            lane.scratch().release(mark);
        }
    }

    /** Gradients of rows {@code first} and following; h and dh begin with the first of them. */
    void backward(ThreadContext lane, Span dys, Span xs, Span h, Span dh, Span dxs, Sums sums, int first, int rows,
            float scale, boolean accumulate) {
        int block = block(rows);
        Matrix up = b(lane, type);
        Matrix down = a(lane, stored);
        for (int done = 0; done < rows; done += block) {
            int count = Math.min(block, rows - done);
            long mark = lane.scratch().mark();
            Matrix dhRows = Matrix.dense(dh.from((long) done * rank), count, rank);
            Matrix dhLeft = smallGradients(lane, left(lane, rowsOf(dys, first + done, count, out)),
                    rowsOf(xs, first + done, count, in), Matrix.dense(h.from((long) done * rank), count, rank), dhRows,
                    up, sums.after(done), scale);
            Products.onLane(lane, dhLeft, down, rowsOf(dxs, first + done, count, in), 1f, accumulate);
            lane.scratch().release(mark);
        }
    }

    /**
     * dh, and the gradients of the small matrices; dy is a left operand.
     *
     * @return dh as a left operand
     */
    Matrix smallGradients(ThreadContext lane, Matrix dy, Matrix x, Matrix h, Matrix dh, Matrix up, Sums sums,
            float scale) {
        Products.onLane(lane, dy, up, dh, scale, false);
        Products.onLane(lane, left(lane, h).transpose(), dy, Matrix.dense(sums.dbTransposed, rank, out), scale,
                sums.addToB);
        Matrix dhLeft = left(lane, dh);
        Products.onLane(lane, dhLeft.transpose(), x, Matrix.dense(sums.da, rank, in), 1f, sums.addToA);
        return dhLeft;
    }

    /** How many of some rows are taken at a time. */
    int block(int rows) {
        return type == stored ? rows : BLOCK;
    }

    Matrix a(ThreadContext lane, DataType wanted) {
        return as(lane, Matrix.dense(a, rank, in), wanted);
    }

    Matrix b(ThreadContext lane, DataType wanted) {
        return as(lane, Matrix.dense(b, out, rank), wanted);
    }

    /** Some rows of b, transposed, as a right operand. */
    Matrix up(ThreadContext lane, int first, int count) {
        return as(lane, Matrix.dense(b, out, rank).rows(first, count), stored).transpose();
    }

    /** Some rows of a matrix, behind which no others may be touched: they are another thread's. */
    Matrix rowsOf(Span array, int first, int rows, int width) {
        return Matrix.dense(array.from((long) first * width), rows, width);
    }

    /** The operand as the left one of a product. */
    Matrix left(ThreadContext lane, Matrix m) {
        return as(lane, m, type);
    }

    private static Matrix as(ThreadContext lane, Matrix m, DataType wanted) {
        if (m.type() == wanted) {
            return m;
        }
        Span copy = Span.scratch(lane, wanted, m.length());
        Vectors.convert(lane, m.data(), copy, (int) m.length());
        return m.at(copy);
    }
}
