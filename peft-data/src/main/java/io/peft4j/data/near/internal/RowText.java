package io.peft4j.data.near.internal;

import java.util.List;

/**
 * The words of an example.
 *
 * @param question all turns before the last answer; of a plain text all of it
 * @param answer the last answer; of a plain text nothing
 * @param rejected the worse answer of a preference; of others nothing
 */
record RowText(List<Word> question, List<Word> answer, List<Word> rejected) {
    static RowText of(String question, String answer) {
        return of(question, answer, "");
    }

    static RowText of(String question, String answer, String rejected) {
        return new RowText(Words.of(question), Words.of(answer), Words.of(rejected));
    }
}
