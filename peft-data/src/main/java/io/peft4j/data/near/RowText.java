package io.peft4j.data.near;

import java.util.List;

/**
 * The words of an example.
 *
 * @param question all turns before the last answer; of a plain text all of it
 * @param answer the last answer; of a plain text nothing
 */
record RowText(List<Word> question, List<Word> answer) {
    static RowText of(String question, String answer) {
        return new RowText(Words.of(question), Words.of(answer));
    }
}
