package io.peft4j.data.near;

import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * The pieces that a text is compared by: of a short text runs of three letters within its words, so that a slip of the
 * pen changes little, of a long one pairs of words.
 */
final class Shingles {
    private static final int SHORT = 24;

    private long[] pieces = new long[64];
    private int count;

    private Shingles() {
    }

    static int[] signature(List<Word> words, Set<String> leftOut) {
        Shingles shingles = new Shingles();
        List<Word> told = words.stream().filter(word -> !leftOut.contains(word.norm())).toList();
        told = told.isEmpty() ? words : told;
        long block = 0;
        for (Word word : told) {
            // An unordered sum: the numbers must be the same, wherever they stand.
            block += word.number() ? Hashing.of(word.norm()) : 0;
        }
        if (told.size() <= SHORT) {
            told.forEach(word -> shingles.letters(word.stem()));
        } else {
            for (int i = 1; i < told.size(); i++) {
                shingles.add(Hashing.and(Hashing.of(told.get(i - 1).stem()), Hashing.of(told.get(i).stem())));
            }
        }
        return MinHashIndex.signature(shingles.pieces, shingles.count, block);
    }

    private void letters(String word) {
        String padded = "^" + word + "$";
        for (int i = 0; i + 3 <= padded.length(); i++) {
            add(Hashing.of(padded.substring(i, i + 3)));
        }
    }

    private void add(long piece) {
        if (count == pieces.length) {
            pieces = Arrays.copyOf(pieces, 2 * count);
        }
        pieces[count++] = piece;
    }
}
