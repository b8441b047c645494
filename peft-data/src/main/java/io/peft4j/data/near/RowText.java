package io.peft4j.data.near;

import java.util.List;

/**
 * The words of an example.
 *
 * @param question all turns before the last answer; of a plain text all of it
 * @param answer the last answer; of a plain text nothing
 * @param rejected the worse answer of a preference; of others nothing
 * @param task the task that its row names, or nothing: rows of different ones ask and tell different things
 */
record RowText(List<Word> question, List<Word> answer, List<Word> rejected, String task) {
    /** The words of a text as {@link Corpus} keeps it. */
    static RowText of(String text) {
        String[] parts = text.split("\0", Corpus.PARTS);
        return of(parts[0], parts[1], parts[2], parts[3]);
    }

    static RowText of(String question, String answer) {
        return of(question, answer, "", "");
    }

    static RowText of(String question, String answer, String rejected, String task) {
        return new RowText(WordTokenizer.of(question), WordTokenizer.of(answer), WordTokenizer.of(rejected), task);
    }
}
