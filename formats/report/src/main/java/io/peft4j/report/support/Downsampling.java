package io.peft4j.report.support;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * A line with so few points that a page stays small and a browser quick. The axis is cut into {@value #PARTS} parts; of
 * each the least and the greatest value stay, so that a spike of a single point is seen, and the mean shows where the
 * line runs. The first and the last point stay, too.
 *
 * @param isThinner whether points were left out
 * @param x where the points that stay are
 * @param y their values
 * @param middleX the middle of each part that has points; empty where none were left out
 * @param middleY the mean there
 */
record Downsampling(boolean isThinner, double[] x, double[] y, double[] middleX, double[] middleY) {
    static final int PARTS = 300;

    /** Thins a line whose points are ordered from left to right. */
    static Downsampling of(double[] x, double[] y) {
        int count = x.length;
        if (count <= 2 * PARTS) {
            return new Downsampling(false, x, y, new double[0], new double[0]);
        }
        Builder builder = new Builder(x, y);
        int from = 0;
        for (int part = 0; part < PARTS; part++) {
            double end = x[0] + (x[count - 1] - x[0]) * (part + 1) / PARTS;
            int to = from;
            while (to < count && (x[to] < end || part == PARTS - 1)) {
                to++;
            }
            builder.addPart(from, to);
            from = to;
        }
        return builder.build();
    }

    /** Collects the points that stay. */
    private static final class Builder {
        private final double[] x;
        private final double[] y;
        private final boolean[] stays;
        private final double[] middleX = new double[PARTS];
        private final double[] middleY = new double[PARTS];
        private int parts;

        Builder(double[] x, double[] y) {
            this.x = x;
            this.y = y;
            stays = new boolean[x.length];
            stays[0] = true;
            stays[x.length - 1] = true;
        }

        void addPart(int from, int to) {
            if (from == to) {
                return;
            }
            int least = from;
            int greatest = from;
            for (int i = from; i < to; i++) {
                least = y[i] < y[least] ? i : least;
                greatest = y[i] > y[greatest] ? i : greatest;
            }
            stays[least] = true;
            stays[greatest] = true;
            middleX[parts] = (x[from] + x[to - 1]) / 2;
            middleY[parts] = Arrays.stream(y, from, to).average().orElseThrow();
            parts++;
        }

        Downsampling build() {
            int[] kept = IntStream.range(0, x.length).filter(i -> stays[i]).toArray();
            return new Downsampling(true, Arrays.stream(kept).mapToDouble(i -> x[i]).toArray(),
                    Arrays.stream(kept).mapToDouble(i -> y[i]).toArray(), Arrays.copyOf(middleX, parts),
                    Arrays.copyOf(middleY, parts));
        }
    }
}
