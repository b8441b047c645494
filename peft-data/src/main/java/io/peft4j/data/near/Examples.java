package io.peft4j.data.near;

import io.peft4j.core.Internal;

/** Where examples stand and what they say, by their numbers, which ascend with file and line. */
@Internal(shared = true)
public interface Examples {
    /** The number of the file of an example. */
    int file(int number);

    /** The line of an example. */
    long line(int number);

    /** The question of an example: all turns before its last answer; of a plain text all of it. */
    String question(int number);

    /** The last answer of an example; of a plain text nothing. */
    String answer(int number);

    /** Whether a word that {@link Corpus.Features#names} gave is never written small. */
    boolean isName(String name);

    /** How an example spells a name that {@link Corpus.Features#names} gave. */
    String spelling(int number, String name);
}
