package io.peft4j.methods.internal;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.methods.BoftConfig;

/**
 * The places of a butterfly's factors: the blocks of factor i do not take neighbours but elements that are
 * {@code 2^i B / 2} apart.
 *
 * @param blocks number of blocks of a factor
 * @param size B
 * @param factors m
 */
record Butterfly(int blocks, int size, int factors) {
    /**
     * For a layer with {@code in} input features.
     *
     * @throws ConfigurationException when blocks or factors do not fit it
     */
    static Butterfly of(int in, BoftConfig config, String path) {
        int given = config.blockSize() > 0 ? config.blockSize() : config.blocks();
        if (in % given != 0) {
            throw new ConfigurationException(path + " has " + in + " input features, which "
                    + (config.blockSize() > 0 ? "boft_block_size " : "boft_block_num ") + given + " does not divide");
        }
        int size = config.blockSize() > 0 ? given : in / given;
        int blocks = in / size;
        int further = config.factors() - 1;
        if (further > 0 && (blocks % (1L << further) != 0 || size % 2 != 0)) {
            throw new ConfigurationException(path + " has " + blocks + " blocks of size " + size
                    + "; boft_n_butterfly_factor " + config.factors() + " needs a multiple of " + (1L << further)
                    + " blocks of an even size");
        }
        return new Butterfly(blocks, size, config.factors());
    }

    /** For each place r the place that factor {@code i} takes its element to: {@code P[r, places[r]] = 1}. */
    int[] places(int i) {
        int in = blocks * size;
        int[] places = new int[in];
        int half = size / 2;
        int group = factors == 1 ? in : in / (blocks >> i);
        for (int place = 0; place < in; place++) {
            places[place] = factors == 1 ? place : place - place % group + sorted(place % group, group, half);
        }
        return places;
    }

    /** Pieces of {@code piece} elements: the even ones of a group come first, then the odd ones. */
    private static int sorted(int place, int group, int piece) {
        int pieces = group / piece;
        int even = (pieces + 1) / 2;
        int number = place / piece;
        int source = number < even ? 2 * number : 2 * (number - even) + 1;
        return source * piece + place % piece;
    }
}
