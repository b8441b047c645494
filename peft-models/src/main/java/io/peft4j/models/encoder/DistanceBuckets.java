package io.peft4j.models.encoder;

/**
 * Which row of a table a distance of query and key has: near distances have a row each, further ones share rows that
 * grow with the logarithm, those beyond the table have its ends.
 *
 * @param span rows on either side; the table has {@code 2 span}
 * @param logarithmic whether far distances share rows
 * @param farthest the distance that has the last row, where they do
 */
record DistanceBuckets(int span, boolean logarithmic, int farthest) {
    /** The row of a distance, the query's position less the key's. */
    int row(int distance) {
        return Math.max(0, Math.min(2 * span - 1, (logarithmic ? bucket(distance) : distance) + span));
    }

    /** In float arithmetic as in the original. */
    private int bucket(int distance) {
        int half = span / 2;
        int away = Math.abs(distance);
        if (away <= half) {
            return distance;
        }
        float most = (float) Math.log((float) ((farthest - 1) / (double) half));
        float share = (float) Math.log((float) away / half) / most;
        int bucket = (int) Math.ceil(share * (half - 1)) + half;
        return distance < 0 ? -bucket : bucket;
    }
}
